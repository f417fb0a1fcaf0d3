"""The server on loopback: it answers its own origin, and nobody else."""

from __future__ import annotations

import asyncio

import pytest

from geoplan.errors import GeoplanError
from geoplan.serve.loopback import (
    MAX_BODY_BYTES,
    MAX_CONNECTIONS,
    MAX_HEAD_BYTES,
    Events,
    LoopbackServer,
    Request,
    Response,
)


async def answer(request: Request) -> Response:
    return Response(f"{request.method} {request.path} {request.body.decode()}")


def asked(head: str, body: str = "") -> str:
    """Send a request as it is written, PORT filled in; return what comes back."""

    async def run() -> str:
        server = LoopbackServer(answer, Events(), lambda: "{}")
        async with server.running(0):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write((head.replace("PORT", str(server.port)) + "\r\n\r\n" + body).encode())
            told = await reader.read()
            writer.close()
            return told.decode()

    return asyncio.run(run())


def test_its_own_page_is_answered() -> None:
    own = "POST /tick HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nOrigin: http://127.0.0.1:PORT\r\nContent-Length: 2"
    told = asked(own, "{}")
    assert told.startswith("HTTP/1.1 200 OK")
    assert told.endswith("POST /tick {}")
    assert "Cache-Control: no-store" in told


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ("Host: evil.example:PORT", 400),
        ("Host: 127.0.0.1", 400),
        ("Host: 127.0.0.1:PORT\r\nHost: 127.0.0.1:PORT", 400),
        ("X-None: 1", 400),
        ("Host: 127.0.0.1:PORT\r\nOrigin: https://evil.example", 403),
        ("Host: 127.0.0.1:PORT\r\nOrigin: null", 403),
        ("Host: 127.0.0.1:PORT\r\nSec-Fetch-Site: cross-site", 403),
        (f"Host: 127.0.0.1:PORT\r\nContent-Length: {MAX_BODY_BYTES + 1}", 413),
        ("Host: 127.0.0.1:PORT\r\nTransfer-Encoding: chunked", 411),
        ("X: " + "a" * MAX_HEAD_BYTES, 431),
    ],
)
def test_all_else_is_refused(headers: str, status: int) -> None:
    assert asked(f"GET / HTTP/1.1\r\n{headers}").startswith(f"HTTP/1.1 {status} ")


def test_an_open_page_is_told_what_stands_and_what_is_new() -> None:
    async def run() -> bytes:
        events = Events()
        server = LoopbackServer(answer, events, lambda: "first")
        async with server.running(0):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(f"GET /events HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
            told = await reader.readuntil(b"data: first\n\n")
            events.send("second")
            told += await reader.readuntil(b"data: second\n\n")
            writer.close()
            return told

    assert b"text/event-stream" in asyncio.run(run())


def test_a_port_that_is_taken_is_an_error_with_its_remedy() -> None:
    async def run() -> None:
        one, other = (LoopbackServer(answer, Events(), str) for _ in range(2))
        async with one.running(0):
            with pytest.raises(GeoplanError, match=f"cannot take port {one.port}"):
                async with other.running(one.port):
                    pass

    asyncio.run(run())


async def opened(server: LoopbackServer, path: str = "") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect, and ask for a path if one is given."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    if path:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
    return reader, writer


@pytest.mark.parametrize("left_open", ["", "/events"], ids=["idle connections", "open pages"])
def test_whatever_is_left_open_a_reader_gets_in(left_open: str) -> None:
    async def run() -> None:
        server = LoopbackServer(answer, Events(), lambda: "first")
        async with server.running(0):
            others = [await opened(server, left_open) for _ in range(300)]
            reader, writer = await opened(server, "/page")
            assert (await reader.read()).endswith(b"GET /page ")
            page, events = await opened(server, "/events")
            await page.readuntil(b"data: first\n\n")
            for each in (writer, events, *(writer for _, writer in others)):
                each.close()

    asyncio.run(run())


def test_pages_that_are_open_stay_open_while_idle_connections_come() -> None:
    async def run() -> None:
        events = Events()
        server = LoopbackServer(answer, events, lambda: "first")
        async with server.running(0):
            page, writer = await opened(server, "/events")
            await page.readuntil(b"data: first\n\n")
            others = [await opened(server) for _ in range(3 * MAX_CONNECTIONS)]
            await asyncio.gather(*(reader.read() for reader, _ in others[:MAX_CONNECTIONS]))  # these made room
            events.send("second")
            assert await page.readuntil(b"data: second\n\n") == b"data: second\n\n"
            for each in (writer, *(writer for _, writer in others)):
                each.close()

    asyncio.run(run())


def test_a_page_is_told_why_it_is_told_nothing_more() -> None:
    async def run() -> tuple[bytes, bytes]:
        server = LoopbackServer(answer, Events(), lambda: "first")
        async with server.running(0):
            pages = [await opened(server, "/events") for _ in range(MAX_CONNECTIONS)]
            for page, _ in pages:
                await page.readuntil(b"data: first\n\n")
            _, newest = await opened(server, "/events")
            replaced = await pages[0][0].read()
        ended = await pages[-1][0].read()
        for writer in (newest, *(writer for _, writer in pages)):
            writer.close()
        return replaced, ended

    assert asyncio.run(run()) == (b"event: replaced\ndata: replaced\n\n", b"event: ended\ndata: ended\n\n")
