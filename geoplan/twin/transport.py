"""The lab behind httpx without a socket, with what lies between a push and a unit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

import httpx

from geoplan.lab.api import v1, v2
from geoplan.lab.api.request import ApiError, ApiRequest
from geoplan.lab.http import Ending, Outcome, Request

if TYPE_CHECKING:
    from geoplan.lab.simulation import Simulation

Latency = Callable[[], float]


@dataclass(frozen=True, slots=True)
class ReadRequest(Request):
    """A request of which it was read what it asks for, so that nobody on its way has to read it again."""

    call: ApiRequest | None = None


@dataclass(frozen=True)
class Sent:
    """A request on its way to a unit."""

    address: str
    is_health: bool
    asked: Request
    call: ApiRequest | None
    """Its command; nothing for a health check."""
    http: httpx.Request
    began: float

    @property
    def subject(self) -> str:
        """Its command, with the parameter of a ``get`` or ``set``."""
        return subject_of(self.call) if self.call else "health"


Way = Callable[[Sent], Awaitable[httpx.Response | None]]
"""What lies between: it passes a request on (``None``), answers in a unit's place, or raises as httpx does."""


class Watcher:
    """Sees every request leave a push, and what came of it there."""

    def left(self, sent: Sent) -> None:
        """See that a push sends a request."""

    def ended(self, sent: Sent, response: httpx.Response | None) -> None:
        """See what the push had for an answer; none where the request failed or was given up."""


class LabTransport(httpx.AsyncBaseTransport):
    """Leads to one unit of a simulated lab; ``latency`` says how long each way of each request takes, in seconds."""

    def __init__(
        self,
        simulation: Simulation,
        address: str,
        latency: Latency,
        *,
        ways: Sequence[Way] = (),
        watcher: Watcher | None = None,
    ) -> None:
        self._simulation = simulation
        self._address = address
        self._latency = latency
        self._ways = ways
        self._watcher = watcher or Watcher()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry a request to the unit, and its answer back."""
        sent = await self._read(request)
        self._watcher.left(sent)
        response = None
        try:
            response = await self._carried(sent)
        finally:
            self._watcher.ended(sent, response)
        return response

    async def _carried(self, sent: Sent) -> httpx.Response:
        await asyncio.sleep(self._latency())
        for way in self._ways:
            if response := await way(sent):
                return response
        if not self._simulation.accepts(self._address, "health" if sent.is_health else "api", sent.http.url.port):
            raise httpx.ConnectError("connection refused", request=sent.http)
        outcome = deliver(self._simulation, sent, self._address)
        await asyncio.sleep(self._latency() + outcome.delay_seconds)
        return await self._answer(sent.http, outcome)

    async def _read(self, request: httpx.Request) -> Sent:
        is_health = request.url.scheme == "http"
        asked = Request(
            request.method,
            unquote(request.url.path),
            request.url.query.decode(),
            {name.decode().lower(): value.decode() for name, value in request.headers.raw},
            await request.aread(),
        )
        call = None if is_health else call_of(asked)
        asked = ReadRequest(asked.method, asked.path, asked.query, asked.headers, asked.body, call=call)
        return Sent(self._address, is_health, asked, call, request, asyncio.get_running_loop().time())

    async def _answer(self, request: httpx.Request, outcome: Outcome) -> httpx.Response:
        match outcome.ending:
            case Ending.ANSWERED if outcome.response:
                response = outcome.response
                headers = {"Content-Type": response.content_type, **response.headers}
                return httpx.Response(response.status, headers=headers, stream=httpx.ByteStream(response.body))
            case Ending.SILENCE:
                raise await no_answer(request)
            case Ending.REFUSED:
                raise httpx.ConnectError("connection refused", request=request)
            case Ending.TRUNCATED:
                raise httpx.RemoteProtocolError("peer closed connection without sending complete body", request=request)
            case _:
                raise httpx.ReadError("connection reset", request=request)


def deliver(simulation: Simulation, sent: Sent, address: str) -> Outcome:
    """Let a request arrive."""
    if sent.is_health:
        return simulation.check_health(address, sent.asked, sent.http.url.port)
    return simulation.handle(address, sent.asked)


async def no_answer(request: httpx.Request) -> httpx.ReadTimeout:
    """Wait as long as whoever asks has patience; return what httpx raises then."""
    await asyncio.sleep(request.extensions.get("timeout", {}).get("read") or 30.0)
    return httpx.ReadTimeout("no answer", request=request)


def call_of(asked: Request) -> ApiRequest | None:
    """Return the command of a request to the API, in either format."""
    if isinstance(asked, ReadRequest):
        return asked.call
    try:
        if asked.path == v2.PATH:
            return v2.read(asked)
        return v1.read(asked) if asked.path.startswith(v1.PREFIX) else None
    except ApiError:
        return None


def subject_of(call: ApiRequest) -> str:
    """Return a command, with the parameter of a ``get`` or ``set``."""
    param = call.parameters.get("param")
    return f"{call.command}:{param.lower()}" if isinstance(param, str) else call.command
