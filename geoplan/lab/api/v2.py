"""APIv2: one JSON object posted to ``/accessv2``, answered in JSON."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from geoplan.lab.api.request import BAD_REQUEST, Answer, ApiError, ApiRequest, Degrees, Identity, Letter, missing
from geoplan.lab.http import BASIC, Response

if TYPE_CHECKING:
    from geoplan.lab.api.request import Node
    from geoplan.lab.http import Request

PATH = "/accessv2"


def read(request: Request) -> ApiRequest:
    """Read a request; raises :class:`ApiError` where its body is no JSON object with a command."""
    try:
        written = json.loads(request.body)
    except (ValueError, RecursionError):
        written = None
    if request.method != "POST" or not isinstance(written, dict):
        raise ApiError(BAD_REQUEST, "The request is not a JSON object")
    parameters: dict[str, Any] = {name.lower(): value for name, value in written.items()}
    user, password, api_key = (_text(parameters.pop(name, None)) for name in ("apiuser", "apipass", "apikey"))
    command = parameters.pop("cmd", None)
    if not isinstance(command, str) or not command:
        raise missing("cmd")
    return ApiRequest(command.lower(), Identity(user, password, api_key), parameters)


def write(answer: Answer) -> Response:
    """Write a success: the data's keys stand beside the code."""
    content: dict[str, Any] = {"code": 200}
    if answer.file is not None:
        content["data"] = base64.b64encode(answer.file).decode()
    elif answer.data is not None:
        content.update({name: _plain(node) for name, node in answer.data.items()})
    else:
        content["message"] = answer.sentence or answer.message
    return _response(200, {**content, "status": "ok"})


def write_refusal(refusal: ApiError) -> Response:
    """Write a failure; one that wants a login of another kind says which."""
    content = {"code": refusal.code, "message": refusal.message, "status": "fail"}
    return replace(_response(refusal.code, content), headers=BASIC if refusal.wants_basic else {})


def _response(status: int, content: dict[str, Any]) -> Response:
    return Response(status, "application/json", json.dumps(content).encode() + b"\n")


def _plain(node: Node) -> object:
    match node:
        case Letter() | Degrees():
            return node.value
        case Mapping():
            return {name: _plain(inner) for name, inner in node.items()}
        case str():
            return node
        case Sequence():
            return [_plain(item) for item in node]
        case _:
            return node


def _text(written: object) -> str | None:
    return None if written is None else str(written)
