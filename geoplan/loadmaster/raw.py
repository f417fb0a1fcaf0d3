"""One answer of a unit as it came: for the probe, which looks at how units write rather than at what they hold."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from geoplan.errors import AuthenticationError, UnitError, UnitRefusedError, UnitUnreachableError
from geoplan.loadmaster.wire import UNAUTHORIZED, Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from geoplan.loadmaster.credentials import Credentials
    from geoplan.loadmaster.wire import Command, Node, Reply, WireFormat, WireRequest

Outcome = Literal["success", "refused", "unauthorized", "unreadable", "unreachable"]

LONGEST_KEPT = 256 * 1024
"""Bytes of an answer. Of a longer one nothing is kept but that it came: no unit writes that much."""


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """What came of one command in one wire format. What did not come is None."""

    outcome: Outcome
    status: int | None = None
    """The HTTP status."""
    answer: Answer | None = None
    """As the client reads it, successful or refused."""
    error: UnitError | None = None
    """Why there is no successful answer."""
    body: bytes = field(default=b"", repr=False)

    @property
    def content(self) -> Node:
        """What stands in the answer: nothing where there is none."""
        return self.answer.content if self.answer else {}


class Recording:
    """A wire format that keeps what it has read last, with secrets masked."""

    def __init__(self, wire: WireFormat, mask: Callable[[Answer], Answer]) -> None:
        self._wire = wire
        self._mask = mask
        self.name, self.sends_basic = wire.name, wire.sends_basic
        self._reply: Reply | None = None
        self._answer: Answer | None = None

    def request(self, command: Command, credentials: Credentials) -> WireRequest:
        """Write a command as the format does."""
        return self._wire.request(command, credentials)

    def read(self, reply: Reply, *, file: bool) -> Answer:
        """Read an answer as the format does, and keep it."""
        self._reply = reply
        self._answer = self._mask(self._wire.read(reply, file=file))
        return self._answer

    def success(self, answer: Answer) -> RawAnswer:
        """Return what came: a success."""
        body = self._reply.body if self._reply else b""
        if len(body) > LONGEST_KEPT:
            return RawAnswer("success", self._status(), replace(answer, content={}))
        return RawAnswer("success", self._status(), answer, body=body)

    def failure(self, error: UnitError) -> RawAnswer:
        """Return what came: anything but a success."""
        body = self._reply.body[:LONGEST_KEPT] if self._reply else b""
        return RawAnswer(_outcome(error), self._status(error), self._answer, error.to_keep(), body)

    def _status(self, error: UnitError | None = None) -> int | None:
        if self._reply is not None:
            return self._reply.status
        return UNAUTHORIZED if isinstance(error, AuthenticationError) else None


def _outcome(error: UnitError) -> Outcome:
    match error:
        case AuthenticationError():
            return "unauthorized"
        case UnitUnreachableError():
            return "unreachable"
        case UnitRefusedError():
            return "refused"
        case _:
            return "unreadable"
