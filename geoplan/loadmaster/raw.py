"""One answer of a unit as it came: for the probe, which looks at how units write rather than at what they hold."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Self

from geoplan.errors import AuthenticationError, UnitError, UnitRefusedError, UnitUnreachableError
from geoplan.loadmaster.health import health_answer
from geoplan.loadmaster.http import UnitHttp
from geoplan.loadmaster.masking import SecretMask
from geoplan.loadmaster.wire import UNAUTHORIZED, Answer
from geoplan.loadmaster.wire_v1 import WireV1
from geoplan.loadmaster.wire_v2 import WireV2

if TYPE_CHECKING:
    from types import TracebackType

    import httpx

    from geoplan.loadmaster.connection import UnitConnection
    from geoplan.loadmaster.credentials import Credentials
    from geoplan.loadmaster.health import HealthAnswer
    from geoplan.loadmaster.wire import Command, Node, Reply, WireFormat, WireRequest

Outcome = Literal["success", "refused", "unauthorized", "unreadable", "unreachable"]

LONGEST_KEPT = 256 * 1024
"""Bytes of an answer. Of a longer one nothing is kept but that it came: no unit writes that much."""
FORMATS: tuple[WireFormat, ...] = (WireV2(), WireV1())


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


class _Recording:
    """A wire format that keeps what it has read last."""

    def __init__(self, wire: WireFormat) -> None:
        self._wire = wire
        self.name, self.sends_basic = wire.name, wire.sends_basic
        self.reply: Reply | None = None
        self.answer: Answer | None = None

    def request(self, command: Command, credentials: Credentials) -> WireRequest:
        return self._wire.request(command, credentials)

    def read(self, reply: Reply, *, file: bool) -> Answer:
        self.reply = reply
        self.answer = self._wire.read(reply, file=file)
        return self.answer

    @property
    def body(self) -> bytes:
        return self.reply.body if self.reply else b""


class RawUnit:
    """One unit that is asked without retries, and whose answers are kept as they came."""

    def __init__(self, access: UnitConnection, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.access = access
        self._transport = transport
        self._exchange = UnitHttp(access, transport=transport)

    async def __aenter__(self) -> Self:
        """Make ready; nothing is sent yet."""
        await self._exchange.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close all connections."""
        await self._exchange.close()

    async def ask(self, wire: WireFormat, command: Command) -> RawAnswer:
        """Send a command that only reads, once, and return whatever came of it; what fails is in the answer.

        Raises :class:`ValueError` for a command that changes units.
        """
        if command.changes:
            raise ValueError(f"{command.name} changes the unit")
        recording = _Recording(wire)
        try:
            answer = await self._exchange.send(recording, command)
            if len(recording.body) > LONGEST_KEPT:
                return RawAnswer("success", _status(None, recording), replace(answer, content={}))
        except UnitError as error:
            refused = SecretMask(self.access.credentials).answer(recording.answer) if recording.answer else None
            return RawAnswer(_outcome(error), _status(error, recording), refused, error, recording.body[:LONGEST_KEPT])
        return RawAnswer("success", _status(None, recording), answer, body=recording.body)

    async def health(self) -> HealthAnswer | None:
        """Return what its health check says, or None for a unit without one."""
        if self.access.health_url is None:
            return None
        seconds = self.access.timeouts.health
        return await health_answer(self.access.health_url, timeout_seconds=seconds, transport=self._transport)


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


def _status(error: UnitError | None, recording: _Recording) -> int | None:
    if recording.reply is not None:
        return recording.reply.status
    return UNAUTHORIZED if isinstance(error, AuthenticationError) else None
