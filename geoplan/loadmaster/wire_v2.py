"""APIv2: one JSON object posted to ``/accessv2``, answered in JSON."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING

from geoplan.loadmaster.credentials import ApiKey
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
    from geoplan.loadmaster.credentials import Credentials
    from geoplan.loadmaster.wire import Command, Parameter

PATH = "/accessv2"
ENVELOPE = ("code", "message", "status")


class WireV2:
    """Writes and reads APIv2."""

    name = "APIv2"

    def request(self, command: Command, credentials: Credentials) -> WireRequest:
        """Write a command; the credentials are keys like its parameters."""
        written: dict[str, str | bool | int] = {"cmd": command.name}
        written.update({name: _value(value) for name, value in command.parameters.items()})
        if isinstance(credentials, ApiKey):
            written["apikey"] = credentials.key.reveal()
        else:
            written["apiuser"] = credentials.user
            written["apipass"] = credentials.password.reveal()
        return WireRequest("POST", PATH, {"Content-Type": "application/json"}, json.dumps(written).encode())

    def read(self, reply: Reply, *, file: bool) -> Answer:
        """Read an answer; a file comes in base64 under ``data``."""
        require_few_values(reply, (b"[", b"{", b","))
        try:
            written = json.loads(reply.body)
        except (ValueError, RecursionError):
            raise not_the_api(reply) from None
        content = _node(written, 0)
        if not isinstance(content, dict):
            raise not_the_api(reply)
        answer = Answer(
            _code(content.get("code"), reply),
            message if isinstance(message := content.get("message"), str) else "",
            {name: value for name, value in content.items() if name not in ENVELOPE},
        )
        return _with_file(answer) if file and answer.is_success else answer


def _code(written: Node, reply: Reply) -> int:
    """Return the answer's code, which alone counts; an answer without one is as good as its HTTP status."""
    if isinstance(written, int) and not isinstance(written, bool):
        return written
    if isinstance(written, str) and written.isascii() and written.isdigit() and len(written) == len("200"):
        return int(written)
    if written is None and reply.status >= 400:  # noqa: PLR2004 - HTTP's failures
        return reply.status
    raise not_the_api(reply)


def _with_file(answer: Answer) -> Answer:
    encoded = answer.content.get("data")
    try:
        file = base64.b64decode("".join(encoded.split()), validate=True) if isinstance(encoded, str) else b""
    except (binascii.Error, ValueError):
        file = b""
    if not file:
        raise UnusableError("there is no file in its answer", transient=True)
    return Answer(answer.code, answer.message, file=file)


def _node(written: object, depth: int) -> Node:
    """Return what JSON holds with its keys in lower case; of two that differ in case alone, the first."""
    if depth > MAX_DEPTH:
        raise UnusableError(f"its answer is nested more than {MAX_DEPTH} deep")
    match written:
        case dict():
            inside: dict[str, Node] = {}
            for name, value in written.items():
                inside.setdefault(str(name).lower(), _node(value, depth + 1))
            return inside
        case list():
            return [_node(value, depth + 1) for value in written]
        case None | bool() | int() | float() | str():
            return written
    raise UnusableError("its answer cannot be read")


def _value(value: Parameter) -> str | bool | int:
    return ",".join(value) if isinstance(value, tuple) else value
