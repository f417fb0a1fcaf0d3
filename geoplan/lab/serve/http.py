"""The units' HTTP: carries out on the transport what the simulation decides."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import Response as HttpResponse
from starlette.routing import Route

from geoplan.lab.api.v1 import INSTALL
from geoplan.lab.clock import sleep
from geoplan.lab.http import Ending, Outcome, Request, Response
from geoplan.lab.request_log import logger
from geoplan.lab.serve.limits import RefusedRequestError, measure_image, read_body

if TYPE_CHECKING:
    from starlette.requests import Request as HttpRequest
    from starlette.types import Receive, Scope, Send

    from geoplan.lab.clock import Clock
    from geoplan.lab.simulation import Simulation

METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: on, for no time at all


def units_app(simulation: Simulation) -> Starlette:
    """Return the application behind every port of every unit; a port's ``state`` says which one it is."""

    async def answer(http: HttpRequest) -> HttpResponse:
        body, image_bytes = b"", 0
        try:
            if http.scope["path"] == INSTALL:
                image_bytes = await measure_image(http)
            else:
                body = await read_body(http)
        except RefusedRequestError as refusal:
            return HttpResponse(str(refusal), refusal.status, {"Connection": "close"}, "text/plain")
        query = http.scope["query_string"].decode("latin-1")
        request = Request(http.method, http.scope["path"], query, dict(http.headers), body, image_bytes)
        address = http.state.address
        handle = simulation.check_health if http.state.port == "health" else simulation.handle
        outcome = handle(address, request)
        if outcome.log:
            logger.info("%s %s", address, outcome.log)
        return OutcomeResponse(outcome, simulation.clock)

    return Starlette(routes=[Route("/{path:path}", answer, methods=METHODS)])


class OutcomeResponse(HttpResponse):
    """An answer that may come late, in part, or never."""

    def __init__(self, outcome: Outcome, clock: Clock) -> None:
        super().__init__()
        self._outcome = outcome
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry the outcome out on the connection."""
        outcome = self._outcome
        transport: asyncio.Transport = scope["state"]["transport"]
        if outcome.delay_seconds and not await self._wait(receive):
            return
        if outcome.response and outcome.ending in (Ending.ANSWERED, Ending.TRUNCATED):
            await _send(send, outcome.response, outcome.sent_body)
        if outcome.ending is Ending.ANSWERED:
            return
        if outcome.ending is Ending.RESET:
            connection = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        if outcome.ending is not Ending.SILENCE:
            transport.abort()
        await _end_of(receive)

    async def _wait(self, receive: Receive) -> bool:
        """Wait out the delay; return whether the client is still there."""
        late = asyncio.ensure_future(sleep(self._clock, self._outcome.delay_seconds))
        gone = asyncio.ensure_future(_end_of(receive))
        await asyncio.wait({late, gone}, return_when=asyncio.FIRST_COMPLETED)
        still_there = not gone.done()
        late.cancel()
        gone.cancel()
        return still_there


async def _send(send: Send, response: Response, body: bytes) -> None:
    """Send a response, or as much of its body as there is to be; its length stays the whole one's."""
    headers = {
        "Content-Type": response.content_type,
        "Content-Length": str(len(response.body)),
        "Cache-Control": "no-cache",
        **response.headers,
    }
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": raw})
    await send({"type": "http.response.body", "body": body, "more_body": len(body) < len(response.body)})


async def _end_of(receive: Receive) -> None:
    """Wait until the connection is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
