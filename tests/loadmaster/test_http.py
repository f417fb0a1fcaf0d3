"""Connections between two requests: of many units only the last ones keep theirs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from geoplan.loadmaster import LoadMaster
from geoplan.loadmaster.http import IdleConnections
from tests.loadmaster.support import access

ANSWER = b'{"code": 200, "status": "ok", "version": "7.2.59.4.1.RELEASE"}'
PATIENCE = 10.0  # seconds, so that a failing test ends


class Server:
    """One unit that tells how many connections it has."""

    def __init__(self) -> None:
        self.url = ""
        self.open = 0
        self.opened = 0
        self._closed = asyncio.Event()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Server]:
        async with await asyncio.start_server(self._serve, "127.0.0.1", 0) as server:
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            yield self

    async def until_closed(self) -> None:
        async with asyncio.timeout(PATIENCE):
            await self._closed.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.opened += 1
        self._closed.clear()
        try:
            while headers := await reader.readuntil(b"\r\n\r\n"):
                (length,) = [int(line.split(b":")[1]) for line in headers.lower().split(b"\r\n") if b"-length" in line]
                await reader.readexactly(length)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
                writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(ANSWER), ANSWER))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open -= 1
            self._closed.set()
            writer.close()


def test_units_asked_last_keep_one_connection_each_and_the_others_none() -> None:
    async def go() -> None:
        idle = IdleConnections(at_most=2)
        async with AsyncExitStack() as stack:
            servers = [await stack.enter_async_context(Server().serving()) for _ in range(5)]
            units = [
                await stack.enter_async_context(LoadMaster(access(api_url=server.url), idle=idle)) for server in servers
            ]
            for unit in units:
                await asyncio.gather(unit.firmware(), unit.firmware(), unit.firmware())
            for server in servers[:3]:
                await server.until_closed()
            assert [server.open for server in servers[:3]] == [0, 0, 0]
            before = [server.opened for server in servers]
            await units[4].firmware()
            await units[3].firmware()
            assert [server.opened for server in servers] == before  # the last two still have theirs
            await units[0].firmware()
            await servers[4].until_closed()  # asked longest ago
            assert servers[0].opened == before[0] + 1
            await units[3].firmware()
            assert servers[3].opened == before[3]

    asyncio.run(go())


def test_unit_keeps_no_more_than_one_connection_between_requests() -> None:
    async def go() -> None:
        async with Server().serving() as server, LoadMaster(access(api_url=server.url)) as unit:
            await asyncio.gather(*(unit.firmware() for _ in range(8)))
            async with asyncio.timeout(PATIENCE):
                while server.open > 1:
                    await server.until_closed()
                    await asyncio.sleep(0)
            assert server.opened > 1

    asyncio.run(go())
