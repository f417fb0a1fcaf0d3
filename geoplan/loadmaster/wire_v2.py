"""APIv2: one JSON object posted to ``/accessv2``, answered in JSON."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING

from geoplan.loadmaster.credentials import ApiKey, Secret
from geoplan.loadmaster.wire import (
    MAX_DEPTH,
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

if TYPE_CHECKING:
    from geoplan.loadmaster.credentials import Credentials
    from geoplan.loadmaster.wire import Command, Parameter

PATH = "/accessv2"
ENVELOPE = ("code", "message", "status")


class WireV2:
    """Writes and reads APIv2."""

    name = "APIv2"
    sends_basic = False

    def request(self, command: Command, credentials: Credentials) -> WireRequest:
        """Write a command; the credentials are keys like its parameters."""
        written: dict[str, str | bool | int] = {"cmd": command.name}
        written.update({name: _value(value) for name, value in command.parameters.items()})
        if (
            command.name == "set" and "value" in written
        ):  # the vendor writes one, field scripts the other; what is not needed is ignored
            written["val"] = written["value"]
        if command.upload is not None:
            written["data"] = base64.b64encode(command.upload).decode()
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
            written = json.loads(decoded(trimmed(reply.body)), strict=False)  # control characters in names
        except (ValueError, RecursionError):
            raise not_the_api(reply) from None
        if not isinstance(written, dict):
            raise not_the_api(reply)
        envelope, others = _opened(written)
        content = _node(others, 0)
        assert isinstance(content, dict)  # noqa: S101 - for the type checker: it was made of one
        message = envelope.get("message")
        answer = Answer(_code(envelope, reply), message if isinstance(message, str) else "", content)
        return _with_file(answer) if file and answer.is_success else answer


def _opened(written: dict[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """Return the envelope by its names in lower case, and everything else.

    A single object stands beside it, with a ``Status`` of its own beside the envelope's ``status``.
    """
    envelope = {name: written[name] for name in ENVELOPE if name in written}
    others = {name: value for name, value in written.items() if name not in envelope}
    for name in list(others):
        if name.lower() in ENVELOPE and name.lower() not in envelope:
            envelope[name.lower()] = others.pop(name)
    return envelope, others


LARGEST_CODE = 999  # what is no code of HTTP may be anything, an echo of the request too


def _code(envelope: dict[str, object], reply: Reply) -> int:
    """Return the answer's code, which alone counts; a failure without one is as good as its HTTP status."""
    written = envelope.get("code")
    if isinstance(written, int) and not isinstance(written, bool) and 0 < written <= LARGEST_CODE:
        return written
    if isinstance(written, str) and written.isascii() and written.isdigit() and len(written) == len("200"):
        return int(written)
    is_failure = envelope.get("status") == "fail"  # what has neither is not the unit's: something before it answered
    if written is None and is_failure and reply.status >= 400:  # noqa: PLR2004 - HTTP's failures
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
    return with_file(file, answer.code, answer.message)


def _node(written: object, depth: int) -> Node:
    """Return what JSON holds with its keys in lower case; two that differ in case alone hold a list, as in XML."""
    if depth > MAX_DEPTH:
        raise UnusableError(f"its answer is nested more than {MAX_DEPTH} deep")
    match written:
        case dict():
            nodes = {name.lower(): _node(value, depth + 1) for name, value in written.items()}
            return nodes if len(nodes) == len(written) else _with_lists(written, depth)
        case list():
            return [_node(value, depth + 1) for value in written]
        case None | bool() | int() | float() | str():
            return written
    raise UnusableError("its answer cannot be read")


def _with_lists(written: dict[str, object], depth: int) -> Node:
    inside: dict[str, list[Node]] = {}
    for name, value in written.items():
        inside.setdefault(name.lower(), []).append(_node(value, depth + 1))
    return {name: nodes if len(nodes) > 1 else nodes[0] for name, nodes in inside.items()}


def _value(value: Parameter) -> str | bool | int:
    if isinstance(value, Secret):
        return value.reveal()
    return ",".join(value) if isinstance(value, tuple) else value
