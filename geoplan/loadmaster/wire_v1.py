"""APIv1: ``/access/COMMAND`` with a query or a form, answered in XML."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from geoplan.loadmaster.credentials import ApiKey, basic_authorization
from geoplan.loadmaster.wire import (
    MAX_DEPTH,
    Answer,
    Node,
    Reply,
    UnusableError,
    WireRequest,
    not_the_api,
    require_few_values,
)

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from geoplan.loadmaster.credentials import Credentials
    from geoplan.loadmaster.wire import Command, Parameter

FORM = "application/x-www-form-urlencoded"
SUCCESS = 200
FAILURE = 400


class WireV1:
    """Writes and reads APIv1."""

    name = "APIv1"

    def request(self, command: Command, credentials: Credentials) -> WireRequest:
        """Write a command; lists and keys go in a form, since queries are cut at 2,000 characters, and logged."""
        path = "/access/" + quote(command.name.replace(".", "/"))
        fields = {name: _text(value) for name, value in command.parameters.items()}
        headers = {}
        has_list = any(isinstance(value, tuple) for value in command.parameters.values())
        if isinstance(credentials, ApiKey):
            fields["apikey"] = credentials.key.reveal()
        else:
            headers["Authorization"] = basic_authorization(credentials)
        if has_list or isinstance(credentials, ApiKey):
            body = urlencode(fields, errors="surrogateescape").encode()
            return WireRequest("POST", path, {**headers, "Content-Type": FORM}, body)
        query = "?" + urlencode(fields) if fields else ""
        return WireRequest("GET", path + query, headers, b"")

    def read(self, reply: Reply, *, file: bool) -> Answer:
        """Read an answer; a file comes as it is."""
        is_xml = reply.body.lstrip()[:9].lower().startswith((b"<?xml", b"<response"))
        if file and reply.status == SUCCESS and not is_xml:
            if not reply.body or not_the_api(reply).is_page:
                raise not_the_api(reply)
            return Answer(SUCCESS, file=reply.body)
        require_few_values(reply, (b"<", b"="))
        root = _parse(reply)
        if _tag(root) != "response":
            raise not_the_api(reply)
        content = _children(root, 0)
        code = _code(root, reply.status)
        error, success = content.get("error"), content.get("success")
        if code == SUCCESS and error is None:
            if isinstance(success, str):
                return Answer(code, success)
            return Answer(code, content=success if isinstance(success, dict) else {})
        return Answer(FAILURE if code == SUCCESS else code, error if isinstance(error, str) else "")


def _parse(reply: Reply) -> Element:
    try:
        root = fromstring(reply.body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise not_the_api(reply) from None
    if root is None:
        raise not_the_api(reply)
    return root


def _code(root: Element, status: int) -> int:
    """Return the answer's code: the attribute ``stat``, or the HTTP status where there is none to be read."""
    stat = next((value for name, value in root.attrib.items() if name.lower() == "stat"), "")
    code = int(stat) if stat.isascii() and stat.isdigit() and len(stat) == len("200") else status
    word = next((value for name, value in root.attrib.items() if name.lower() == "code"), "ok")
    return FAILURE if code == SUCCESS and word.lower() != "ok" else code


def _node(element: Element, depth: int = 0) -> Node:
    """Return an element's text, or where it has more, attributes and children by name and its text under no name."""
    inside = {name.lower(): value for name, value in element.attrib.items()} | _children(element, depth)
    text = "".join(c if c.isprintable() else " " for c in element.text or "").strip()
    if not inside:
        return text
    return {**inside, "": text} if text else inside


def _children(element: Element, depth: int) -> dict[str, Node]:
    """Return an element's children by name; a name that is repeated holds a list."""
    if depth > MAX_DEPTH:
        raise UnusableError(f"its answer is nested more than {MAX_DEPTH} deep")
    inside: dict[str, list[Node]] = {}
    for child in element:
        inside.setdefault(_tag(child), []).append(_node(child, depth + 1))
    return {name: nodes if len(nodes) > 1 else nodes[0] for name, nodes in inside.items()}


def _tag(element: Element) -> str:
    """Return an element's name in lower case, without its namespace."""
    return str(element.tag).rpartition("}")[2].lower()


def _text(value: Parameter) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case tuple():
            return ",".join(value)
        case _:
            return str(value)
