"""The lab behind httpx without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import unquote

import httpx

from geoplan.lab.messages import Ending, Outcome, Request
from geoplan.lab.simulation import Simulation

Latency = Callable[[], float]


class LabTransport(httpx.AsyncBaseTransport):
    """Leads to one unit of a simulated lab; ``latency`` says how long each way of each request takes, in seconds."""

    def __init__(self, simulation: Simulation, address: str, latency: Latency) -> None:
        self._simulation = simulation
        self._address = address
        self._latency = latency

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        timeouts = request.extensions.get("timeout", {})
        is_health = request.url.port == HEALTH_PORT
        await asyncio.sleep(self._latency())
        if not self._simulation.accepts(self._address, "health" if is_health else "api"):
            raise httpx.ConnectError("connection refused", request=request)
        body = await request.aread()
        asked = Request(
            request.method,
            unquote(request.url.path),
            request.url.query.decode(),
            {name.lower(): value for name, value in request.headers.items()},
            body,
        )
        handle = self._simulation.check_health if is_health else self._simulation.handle
        outcome = handle(self._address, asked)
        await asyncio.sleep(self._latency() + outcome.delay_seconds)
        return await self._answer(request, outcome, timeouts.get("read"))

    async def _answer(self, request: httpx.Request, outcome: Outcome, timeout: float | None) -> httpx.Response:
        match outcome.ending:
            case Ending.ANSWERED if outcome.response:
                response = outcome.response
                headers = {"Content-Type": response.content_type, **response.headers}
                return httpx.Response(
                    response.status, headers=headers, stream=httpx.ByteStream(response.body), request=request
                )
            case Ending.SILENCE:
                await asyncio.sleep(timeout or 30.0)
                raise httpx.ReadTimeout("no answer", request=request)
            case Ending.REFUSED:
                raise httpx.ConnectError("connection refused", request=request)
            case Ending.TRUNCATED:
                raise httpx.RemoteProtocolError("peer closed connection without sending complete body", request=request)
            case _:
                raise httpx.ReadError("connection reset", request=request)


HEALTH_PORT = 8444
