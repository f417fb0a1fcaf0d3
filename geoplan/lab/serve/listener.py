"""One port on loopback that can be opened and closed like a unit's: closed, it refuses, and stays ours."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from functools import partial
from typing import TYPE_CHECKING, Any

import h11
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from geoplan.lab.errors import LabError
from geoplan.lab.serve.certificates import LOOPBACK
from geoplan.lab.serve.limits import HEAD_SECONDS

if TYPE_CHECKING:
    import ssl

    from starlette.types import ASGIApp

logger = logging.getLogger("geoplan.lab.http")

KEEP_ALIVE_SECONDS = 75
HANDSHAKE_SECONDS = 10
MAX_HEAD_BYTES = 64 * 1024


class Connection(H11Protocol):
    """uvicorn's protocol; the application sees its transport under ``scope["state"]["transport"]``."""

    def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, Any]) -> None:
        super().__init__(config, server_state, app_state)
        self.logger = logger
        self._head_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's does
        """Begin a connection, or drop one whose handshake outlived the unit."""
        super().connection_made(transport)
        if self.app_state["listener"].is_open:
            self.app_state = {**self.app_state, "transport": transport}
            self._head_due = self.loop.call_later(HEAD_SECONDS, transport.abort)
        else:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take what a client sends; one that does not come to the end of a request's head is not waited for."""
        super().data_received(data)
        self._watch_head()

    def on_response_complete(self) -> None:
        """Go on to the next request, the head of which may be there in part."""
        super().on_response_complete()
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """End a connection."""
        self._expect_no_head()
        super().connection_lost(exc)

    def _watch_head(self) -> None:
        if self.conn.their_state is not h11.IDLE or not self.conn.trailing_data[0]:
            self._expect_no_head()
        elif self._head_due is None:
            self._head_due = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _expect_no_head(self) -> None:
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None


def server_config(app: ASGIApp) -> Config:
    """Return how uvicorn is to serve an application; one will do for many ports."""
    config = Config(
        app,
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
    )
    config.load()
    return config


class Listener:
    """A bound socket that listens while it is open. What is in ``state`` the application finds in its scope.

    Neither uvicorn's server nor its signal handlers take part: the lab opens, closes and stops by itself.
    """

    def __init__(self, port: int, config: Config, state: dict[str, Any], tls: ssl.SSLContext | None = None) -> None:
        self._config = config
        self._tls = tls
        self._state = {**state, "listener": self}
        self._connections = ServerState()
        self._server: asyncio.Server | None = None
        self._wanted = False
        self._openings = 0
        self._opening: asyncio.Task[None] | None = None
        self._socket = _bind(port)
        self.port: int = self._socket.getsockname()[1]

    @property
    def is_open(self) -> bool:
        """Whether it takes connections, or soon will."""
        return self._wanted

    @property
    def url(self) -> str:
        """Its URL, without a slash at the end."""
        return f"{'https' if self._tls else 'http'}://{LOOPBACK}:{self.port}"

    def set_open(self, *, wanted: bool) -> None:
        """Open or close the port; closing drops all its connections at once."""
        if wanted == self._wanted:
            return
        self._wanted = wanted
        if wanted:
            self._opening = asyncio.get_running_loop().create_task(self._open(self._opening))
        else:
            self._drop_connections()
            self._close_server()

    async def opened(self) -> None:
        """Wait until it takes connections, where it is to be open."""
        if self._opening:
            await self._opening

    async def stop(self) -> None:
        """Close the port for good, let it go and wait for its connections to end."""
        self.set_open(wanted=False)
        await self.opened()
        self._socket.close()
        while self._connections.tasks:
            await asyncio.wait(self._connections.tasks)

    async def _open(self, before: asyncio.Task[None] | None) -> None:
        if before:
            await before
        if not self._wanted or self._server:
            return
        loop = asyncio.get_running_loop()
        self._openings += 1
        self._server = await loop.create_server(
            partial(self._connection, self._openings),
            sock=self._socket,
            ssl=self._tls,
            ssl_handshake_timeout=HANDSHAKE_SECONDS if self._tls else None,
        )
        if not self._wanted:  # closed again while it was being opened
            self._close_server()

    def _connection(self, opening: int) -> Connection:
        """Return what serves a connection; raise for one that was accepted just before the port was closed.

        asyncio accepts in one turn of its loop and makes the transport in a later one. If its server is closed in
        between, that fails inside a cycle of references, and the client hangs until garbage is collected. Failing
        here leaves nothing that holds the socket, so that it is closed at once.
        """
        if not self._wanted or opening != self._openings:
            raise ConnectionAbortedError(f"port {self.port} was closed")
        return Connection(self._config, self._connections, self._state)

    def _close_server(self) -> None:
        if self._server:
            self._server.close()  # and with it the socket
            self._server = None
            self._socket = _bind(self.port)

    def _drop_connections(self) -> None:
        for connection in list(self._connections.connections):
            if isinstance(connection, Connection):
                connection.transport.abort()


def _bind(port: int) -> socket.socket:
    """Reserve a port of loopback, a free one for 0; a connection to it is refused until it listens."""
    # asyncio turns off the delay of small packets only where the protocol is given.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere the option would let others take the port
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((LOOPBACK, port))
    except (OSError, OverflowError) as error:
        bound.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise LabError(
            f"cannot take port {port} of {LOOPBACK}: {reason}", hint="choose another --port-base, or leave it out"
        ) from None
    return bound
