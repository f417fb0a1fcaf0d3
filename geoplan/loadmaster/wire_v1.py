"""APIv1: ``/access/COMMAND`` with a query or a form, answered in XML."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from geoplan.loadmaster.credentials import ApiKey, Secret, basic_authorization
from geoplan.loadmaster.wire import (
    MAX_DEPTH,
    MAX_READ,
    Answer,
    Node,
    Reply,
    UnusableError,
    WireRequest,
    decoded,
    not_the_api,
    require_few_values,
    trimmed,
    with_file,
)
from geoplan.vendor import MAX_QUERY
from geoplan.wording import shown_in_line

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from geoplan.loadmaster.credentials import Credentials
    from geoplan.loadmaster.wire import Command, Parameter, Upload

FORM = "application/x-www-form-urlencoded"
FILE = "application/octet-stream"
LONGEST_REPAIRED = 512 * 1024  # characters: the real documents of a unit are far shorter
LONGEST_BASE = 267  # characters of https://NAME:PORT, where a host's name has 253 at most
SUCCESS = 200
FAILURE = 400


class WireV1:
    """Writes and reads APIv1.

    An API key is documented as a query parameter only. Units and proxies log queries, so it goes in the form unless
    ``key_in_query``, and in the query alone if the unit refuses it there. ``longest`` is of a path with its query.
    """

    name = "APIv1"
    sends_basic = True

    def __init__(self, *, key_in_query: bool = False, longest: int = MAX_QUERY - LONGEST_BASE) -> None:
        self.key_in_query = key_in_query
        self._longest = longest

    def request(self, command: Command, credentials: Credentials) -> WireRequest:
        """Write a command: what is long goes in a form, since units cut a URL.

        Lists always do, and secrets, since units and proxies log URLs.
        """
        path = "/access/" + quote(command.name.replace(".", "/"))
        fields = {name: _text(value) for name, value in command.parameters.items()}
        headers, key = {}, {}
        if isinstance(credentials, ApiKey):
            key = {"apikey": credentials.key.reveal()}
        else:
            headers["Authorization"] = basic_authorization(credentials)
        if command.upload is not None:  # the file is the body, so that a key has no other place than the query
            target = path + _query(fields | key)
            return WireRequest("POST", target, {**headers, "Content-Type": FILE}, command.upload)
        if command.image is not None:
            target = path + _query(fields | key)
            return WireRequest("POST", target, {**headers, **_of_image(command.image)}, b"", command.image)
        is_form = any(isinstance(value, tuple | Secret) for value in command.parameters.values())
        target = path + _query(fields | key)
        if not is_form and len(target) <= self._longest and (self.key_in_query or not key):
            return WireRequest("GET", target, headers, b"")
        target = path + _query(key) if self.key_in_query else path
        body = _written(fields if self.key_in_query else fields | key)
        return WireRequest("POST", target, {**headers, "Content-Type": FORM}, body.encode())

    def read(self, reply: Reply, *, file: bool) -> Answer:
        """Read an answer; a file comes as it is."""
        is_xml = trimmed(reply.body[:1024])[:9].lower().startswith((b"<?xml", b"<response"))
        if file and reply.status == SUCCESS and not is_xml:
            if not reply.body or not_the_api(reply).is_page:
                raise not_the_api(reply)
            return with_file(reply.body, SUCCESS)
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


def _of_image(image: Upload) -> dict[str, str]:
    """Return the headers of a large file: its size, so that it goes in one piece, and what it is called."""
    name = re.sub(r"[^A-Za-z0-9._-]", "_", image.name)
    named = f'attachment; filename="{name}"'
    return {"Content-Type": FILE, "Content-Length": str(image.size), "Content-Disposition": named}


def _query(fields: dict[str, str]) -> str:
    return "?" + _written(fields) if fields else ""


def _written(fields: dict[str, str]) -> str:
    return urlencode(fields, safe="*", errors="surrogateescape")


def _parse(reply: Reply) -> Element:
    if b"<" not in reply.body[:MAX_READ]:  # no parser has to go through megabytes of something else
        raise not_the_api(reply)
    text = decoded(trimmed(reply.body))
    for repair in (str, _repaired) if len(text) <= LONGEST_REPAIRED else (str,):
        try:
            root = fromstring(repair(text), forbid_dtd=True)
        except ParseError:
            continue
        except (DefusedXmlException, ValueError, LookupError):
            break
        if root is not None:
            return root
    raise not_the_api(reply)


_BARE = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});)")
_REFERENCE = re.compile(r"&#(?:([0-9]{1,7})|x([0-9a-fA-F]{1,6}));")
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_CDATA, _CDATA_END = "<![CDATA[", "]]>"


def _repaired(text: str) -> str:
    """Return a document with its bare ``&`` escaped, and blanks in place of characters that XML cannot hold.

    Nothing of it makes a document whole that was cut, and no entity is expanded that is not one of XML's five.
    """
    parts, place = [], 0
    while (start := text.find(_CDATA, place)) >= 0 and (end := text.find(_CDATA_END, start)) >= 0:
        parts += [_escaped(text[place:start]), text[start : end + len(_CDATA_END)]]
        place = end + len(_CDATA_END)
    parts.append(_escaped(text[place:]))
    return _NO_XML.sub(" ", "".join(parts))


def _escaped(text: str) -> str:
    return _REFERENCE.sub(_allowed_reference, _BARE.sub("&amp;", text))


def _allowed_reference(reference: re.Match[str]) -> str:
    number = int(reference[1]) if reference[1] else int(reference[2], 16)
    return reference[0] if number <= sys.maxunicode and not _NO_XML.match(chr(number)) else " "


def _code(root: Element, status: int) -> int:
    """Return the answer's code: the attribute ``stat``, or the HTTP status where there is none to be read."""
    stat = next((value for name, value in root.attrib.items() if name.lower() == "stat"), "")
    code = int(stat) if stat.isascii() and stat.isdigit() and len(stat) == len("200") else status
    word = next((value for name, value in root.attrib.items() if name.lower() == "code"), "ok")
    return FAILURE if code == SUCCESS and word.lower() != "ok" else code


def _node(element: Element, depth: int = 0) -> Node:
    """Return an element's text, or where it has more, attributes and children by name and its text under no name."""
    inside = {name.lower(): value for name, value in element.attrib.items()} | _children(element, depth)
    text = shown_in_line(element.text or "")
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
        case Secret():
            return value.reveal()
        case _:
            return str(value)
