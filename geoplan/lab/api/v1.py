"""APIv1: ``/access/COMMAND`` with a query or a form, answered in XML."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl
from xml.etree import ElementTree

from geoplan.lab.api.request import UNAUTHORIZED, Answer, ApiError, ApiRequest, Degrees, Identity, Letter
from geoplan.lab.http import BASIC, Response

if TYPE_CHECKING:
    from geoplan.lab.api.request import Leaf, Node
    from geoplan.lab.http import Request

PREFIX = "/access/"
INSTALL = f"{PREFIX}installpatch"
"""The one path whose body is a firmware image: far larger than any other, and not kept."""
ENCODING = "ISO-8859-1"
MAX_URL = 1024  # characters, with the query (Interface Description)
SEEN_URL = 2000  # what a community saw
FORM = "application/x-www-form-urlencoded"


def read(request: Request) -> ApiRequest:
    """Read a request; sub-commands come with slashes and are known with dots."""
    parameters: dict[str, str] = {}
    pairs = parse_qsl(request.query, keep_blank_values=True)
    is_form = request.headers.get("content-type", "").lower().startswith(FORM)
    if request.method == "POST" and is_form:
        pairs += parse_qsl(request.body.decode("latin-1"), keep_blank_values=True)
    for name, value in pairs:
        parameters.setdefault(name.lower(), value)
    command = request.path.removeprefix(PREFIX).strip("/").replace("/", ".").lower()
    identity = _identity(request.headers.get("authorization", ""), parameters.pop("apikey", None))
    in_query = {name.lower() for name, _ in parse_qsl(request.query, keep_blank_values=True)}
    known = replace(identity, has_key_in_form="apikey" not in in_query)
    return ApiRequest(
        command,
        known,
        parameters,
        version=1,
        file=b"" if is_form else request.body,
        file_name=_file_name(request.headers.get("content-disposition", "")),
        file_bytes=request.image_bytes or len(request.body),
    )


def _file_name(disposition: str) -> str:
    found = re.search(r'filename="([^"]*)"', disposition)
    return found[1] if found else ""


def write(answer: Answer) -> Response:
    """Write a success."""
    if answer.file is not None:
        return Response(200, "application/octet-stream", answer.file)
    response = ElementTree.Element("Response", stat="200", code="ok")
    success = ElementTree.SubElement(response, "Success")
    if answer.sentence is not None:
        ElementTree.SubElement(success, "Data").text = answer.sentence
    elif answer.data is not None:
        _append(ElementTree.SubElement(success, "Data"), answer.data, repeats=answer.repeats)
    else:
        success.text = answer.message
    return _response(200, response)


def write_refusal(refusal: ApiError) -> Response:
    """Write a failure; the HTTP status is the code."""
    response = ElementTree.Element("Response", stat=str(refusal.code), code="fail")
    ElementTree.SubElement(response, "Error").text = refusal.message
    headers = BASIC if refusal.code == UNAUTHORIZED else {}
    return _response(refusal.code, response, headers)


def _response(status: int, element: ElementTree.Element, headers: Mapping[str, str] | None = None) -> Response:
    content = ElementTree.tostring(element, encoding="unicode", short_empty_elements=False)
    declaration = f'<?xml version="1.0" encoding="{ENCODING}"?>\n'
    body = (declaration + content + "\n").encode(ENCODING, "xmlcharrefreplace")
    return Response(status, "text/xml", body, headers or {})


def _append(parent: ElementTree.Element, nodes: Mapping[str, Node], *, repeats: bool = False) -> None:
    for name, node in nodes.items():
        if repeats and isinstance(node, tuple):
            for value in node:
                ElementTree.SubElement(parent, name).text = value
        elif isinstance(node, Mapping):
            _append(ElementTree.SubElement(parent, name), node, repeats=repeats)
        elif isinstance(node, Sequence) and not isinstance(node, str | tuple):
            for item in node:
                _append(ElementTree.SubElement(parent, name), item)
        else:
            ElementTree.SubElement(parent, name).text = _text(node)


def _text(leaf: Leaf | Sequence[Mapping[str, Node]]) -> str:
    match leaf:
        case bool():
            return "yes" if leaf else "no"
        case Letter():
            return "Y" if leaf.value else "N"
        case Degrees():
            return f"{leaf.value:.8f}"
        case tuple():
            return ",".join(map(str, leaf))
        case _:
            return str(leaf)


def _identity(authorization: str, api_key: str | None) -> Identity:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return Identity(api_key=api_key)
    try:
        user, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return Identity(api_key=api_key)
    return Identity(user, password, api_key)
