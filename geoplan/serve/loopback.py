"""A page and its events on loopback: small, bounded, and only for pages of its own origin.

A page that somebody visits can send requests to loopback, and by a name of its own that leads there read the answers.
So a request has to name this very place as its Host, and may not come from another origin.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from enum import IntEnum
from http import HTTPStatus
from typing import TYPE_CHECKING

from geoplan.errors import GeoplanError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from email.message import Message

LOOPBACK = "127.0.0.1"
NAMES = (LOOPBACK, "localhost")
OWN_SITES = ("same-origin", "none")  # of Sec-Fetch-Site, with which browsers say where a request comes from
MAX_HEAD_BYTES = 16 * 1024
MAX_BODY_BYTES = 4 * 1024
MAX_CONNECTIONS = 64
"""Beyond, the one that has waited longest without a request makes room; where all have asked, the page open longest."""
MAX_WAITING_EVENTS = 1000
"""For one page that does not read; beyond, it is cut off, and connects again."""
REQUEST_SECONDS = 10.0
ALIVE_SECONDS = 15.0
"""After so long without an event a page is told that all is well."""
SAFE = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Request:
    """A request that came from where it may."""

    method: str
    path: str
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, as a whole."""

    body: str
    status: HTTPStatus = HTTPStatus.OK
    content_type: str = "text/plain; charset=utf-8"


class _Doing(IntEnum):
    """What a connection is at; of the first kind one is cut off first."""

    WAITING = 0
    """Nothing was asked yet, or not to the end."""
    TELLING = 1
    """An open page."""
    ANSWERING = 2


class _RefusedError(Exception):
    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Events:
    """What pages that are open are told, as server-sent events."""

    _waiting: set[asyncio.Queue[str | None]] = field(default_factory=set)

    def send(self, data: str) -> None:
        """Tell every page that is open; one that reads too slowly is cut off."""
        for queue in list(self._waiting):
            try:
                queue.put_nowait(data)
            except asyncio.QueueFull:
                self._waiting.discard(queue)
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(None)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[asyncio.Queue[str | None]]:
        """Yield a queue of what is told from now on; None is the end."""
        queue: asyncio.Queue[str | None] = asyncio.Queue(MAX_WAITING_EVENTS)
        self._waiting.add(queue)
        try:
            yield queue
        finally:
            self._waiting.discard(queue)


class LoopbackServer:
    """Answers on one port of loopback: ``answer`` what is asked, ``/events`` what is told, where there are events.

    ``snapshot`` is the first event of a page, so that one that connects again has missed nothing. The last one is
    called ``ended`` where the server ends, and ``replaced`` where a newer page takes the place of this one.
    """

    def __init__(
        self,
        answer: Callable[[Request], Awaitable[Response]],
        events: Events | None = None,
        snapshot: Callable[[], str] = str,
    ) -> None:
        self._answer = answer
        self._events = events
        self._snapshot = snapshot
        self._connections: dict[asyncio.Task[None], _Doing] = {}
        """The open ones, the oldest first."""
        self._is_ending = False
        self.port = 0

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://{LOOPBACK}:{self.port}/"

    @asynccontextmanager
    async def running(self, port: int) -> AsyncIterator[None]:
        """Answer while the block lasts, at a free port for 0. Raises :class:`GeoplanError` for one that is taken."""
        try:
            server = await asyncio.start_server(
                self._connected, LOOPBACK, port, family=socket.AF_INET, limit=MAX_HEAD_BYTES
            )
        except OSError as error:
            message = f"cannot take port {port} of {LOOPBACK}: {error.strerror or error}"
            raise GeoplanError(message, hint="choose another --listen, or leave it out") from None
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            self._is_ending = True
            server.close()
            for task in list(self._connections):
                task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            writer.transport.abort()
            return
        if len(self._connections) >= MAX_CONNECTIONS:
            self._make_room()
        self._connections[task] = _Doing.WAITING
        try:
            with suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                await self._serve(task, reader, writer)
        except asyncio.CancelledError:
            pass  # the server ends, or another one takes its place, and nobody awaits this
        finally:
            self._connections.pop(task, None)
            writer.close()

    def _make_room(self) -> None:
        """Cut one connection off, so that who connects and asks is always answered, whatever else is left open."""
        longest = min(self._connections, key=lambda task: self._connections[task])  # of several the first is the oldest
        del self._connections[longest]
        longest.cancel()

    async def _serve(
        self, task: asyncio.Task[None], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                request = await self._read(reader)
        except _RefusedError as refusal:
            response = Response(f"{refusal}\n", refusal.status)
        else:
            if self._events and (request.method, request.path) == ("GET", "/events"):
                self._connections[task] = _Doing.TELLING
                await self._tell(writer, self._events)
                return
            self._connections[task] = _Doing.ANSWERING
            response = await self._answer(request)
        body = response.body.encode()
        _write_head(writer, response.status, {"Content-Type": response.content_type, "Content-Length": str(len(body))})
        writer.write(body)
        async with asyncio.timeout(REQUEST_SECONDS):
            await writer.drain()

    async def _tell(self, writer: asyncio.StreamWriter, events: Events) -> None:
        _write_head(writer, HTTPStatus.OK, {"Content-Type": "text/event-stream"})
        try:
            async with events.listening() as queue:
                data: str | None = self._snapshot()
                while data is not None:
                    writer.write(b"".join(b"data: " + line.encode() + b"\n" for line in data.splitlines()) + b"\n")
                    async with asyncio.timeout(REQUEST_SECONDS):
                        await writer.drain()
                    data = await self._next(queue, writer)
        except asyncio.CancelledError:
            name = "ended" if self._is_ending else "replaced"
            writer.write(f"event: {name}\ndata: {name}\n\n".encode())
            raise

    @staticmethod
    async def _next(queue: asyncio.Queue[str | None], writer: asyncio.StreamWriter) -> str | None:
        while True:
            try:
                async with asyncio.timeout(ALIVE_SECONDS):
                    return await queue.get()
            except TimeoutError:
                writer.write(b": still here\n\n")
                async with asyncio.timeout(REQUEST_SECONDS):
                    await writer.drain()

    async def _read(self, reader: asyncio.StreamReader) -> Request:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            raise _RefusedError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the head is too large") from None
        line, _, rest = head.partition(b"\r\n")
        words = line.decode("latin-1").split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):  # noqa: PLR2004 - method, path, version
            raise _RefusedError(HTTPStatus.BAD_REQUEST, "this is no request of HTTP/1.1")
        headers = BytesHeaderParser().parsebytes(rest)
        self._require_own(headers)
        length = headers.get("content-length", "0")
        if not length.isdecimal() or "transfer-encoding" in headers:
            raise _RefusedError(HTTPStatus.LENGTH_REQUIRED, "the length of the body is not told")
        if int(length[:10]) > MAX_BODY_BYTES:
            raise _RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is too large")
        return Request(words[0], words[1], await reader.readexactly(int(length)))

    def _require_own(self, headers: Message) -> None:
        hosts = [f"{name}:{self.port}" for name in NAMES]
        if [host.strip().lower() for host in headers.get_all("host", [])] not in [[host] for host in hosts]:
            raise _RefusedError(HTTPStatus.BAD_REQUEST, f"the Host of the request is not {hosts[0]}")
        origins = {origin.strip().lower() for origin in headers.get_all("origin", [])}
        site = headers.get("sec-fetch-site", OWN_SITES[0])
        if not origins <= {f"http://{host}" for host in hosts} or site not in OWN_SITES:
            raise _RefusedError(HTTPStatus.FORBIDDEN, "the request comes from a web page of another place")


def _write_head(writer: asyncio.StreamWriter, status: HTTPStatus, headers: Mapping[str, str]) -> None:
    lines = [f"HTTP/1.1 {status.value} {status.phrase}"]
    lines += [f"{name}: {value}" for name, value in {**headers, **SAFE, "Connection": "close"}.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
