"""A hostile unit on a real socket with TLS, and a bystander that keeps whatever it gets."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from geoplan.lab.serve.certificates import Certificate, make_certificate

READS = ("get", "list", "show", "is", "backup")
UNIT = "10.0.0.1"


@dataclass
class Talk:
    """One connection of a client, once its request is read."""

    connection: socket.socket
    head: bytes
    body: bytes
    bystander: str
    """The URL of another host."""
    secret: str = ""
    """What the client was given to log in with."""

    def send(self, *parts: bytes) -> None:
        for part in parts:
            self.connection.sendall(part)

    def send_all_of(self, parts: Iterable[bytes]) -> None:
        """Send parts, perhaps without end: until the client has had enough."""
        for part in parts:
            self.connection.sendall(part)

    def send_below_tls(self, part: bytes) -> None:
        os.write(self.connection.fileno(), part)

    def drip(self, part: bytes) -> None:
        """Send a byte, and wait a little: for the client that is seconds."""
        for place in range(len(part)):
            self.connection.sendall(part[place : place + 1])
            if self.is_left(0.03):
                return

    def wait(self) -> None:
        """Say nothing until the client has gone."""
        self.is_left(None)

    def is_left(self, seconds: float | None) -> bool:
        """Return whether the client has gone, or does within so many seconds."""
        self.connection.settimeout(seconds)
        try:
            return not self.connection.recv(65536)
        except TimeoutError:
            return False
        except OSError:
            return True
        finally:
            self.connection.settimeout(None)

    @property
    def command(self) -> str:
        """The command of the API that is asked for."""
        with suppress(ValueError, AttributeError):
            return str(json.loads(self.body).get("cmd", ""))
        return urlsplit(self.head.split(b" ")[1].decode("latin-1")).path.rpartition("/")[2]

    @property
    def parameter(self) -> str:
        """The parameter that a ``get`` asks for."""
        with suppress(ValueError, AttributeError):
            return str(json.loads(self.body).get("param", ""))
        target = self.head.split(b" ")[1].decode("latin-1")
        return dict(parse_qsl(urlsplit(target).query)).get("param", "")


@dataclass(frozen=True)
class Answer:
    """One row of the table: what a hostile server does once it is asked, or before."""

    talk: Callable[[Talk], None]
    at_connect: bool = False
    """Whether it does that in place of the handshake."""
    changes_certificate: bool = False
    """Whether each connection after the first gets another certificate."""


@dataclass
class HostileUnit:
    """Answers each connection as a row of the table says."""

    answer: Answer
    bystander: str
    secret: str = ""
    lab_api: str | None = None
    """The unit of a lab that answers until the first change, if it is to be so late."""
    tls: bool = True
    certificate: Certificate = field(default_factory=lambda: make_certificate(UNIT))
    asked: int = 0
    _has_changed: bool = False
    _listening: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0), backlog=64))

    @property
    def port(self) -> int:
        return int(self._listening.getsockname()[1])

    @contextmanager
    def serving(self) -> Iterator[HostileUnit]:
        threading.Thread(target=self._accept, daemon=True).start()
        try:
            yield self
        finally:
            with suppress(OSError):
                self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self.asked += 1
                threading.Thread(target=self._serve, args=(connection, self.asked), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with suppress(OSError, ValueError, IndexError), connection:
            if self.answer.at_connect and self.lab_api is None:
                self.answer.talk(Talk(connection, b"", b"", self.bystander, self.secret))
                return
            if self.tls:
                is_other = self.answer.changes_certificate and number > 1
                context = (make_certificate(UNIT) if is_other else self.certificate).context
                connection = context.wrap_socket(connection, server_side=True)
            with connection:
                while self._answer(connection):
                    pass

    def _answer(self, connection: socket.socket) -> bool:
        """Answer one request; return whether the connection stays."""
        read = _read_request(connection)
        talk = Talk(connection, *read, self.bystander, self.secret)
        if self.lab_api:
            self._has_changed = self._has_changed or not talk.command.startswith(READS)
            if not self._has_changed:
                connection.sendall(_forwarded(talk, self.lab_api))
                return True
        self.answer.talk(talk)
        return False


def _read_request(connection: socket.socket) -> tuple[bytes, bytes]:
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65536)
        if not part:
            raise ConnectionError
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head, body


def _forwarded(talk: Talk, api: str) -> bytes:
    """Return what a unit of a lab answers to a request."""
    url, context = urlsplit(api), ssl._create_unverified_context()  # noqa: S323 - loopback
    line, *lines = talk.head.decode("latin-1").split("\r\n")
    method, target, _ = line.split(" ")
    headers = dict(each.split(": ", 1) for each in lines)
    client = http.client.HTTPSConnection("127.0.0.1", url.port, context=context, timeout=30)
    client.request(method, target, talk.body, headers)
    answer = client.getresponse()
    body = answer.read()
    client.close()
    kept = f"HTTP/1.1 {answer.status} x\r\nContent-Type: {answer.headers['Content-Type']}\r\n"
    return f"{kept}Content-Length: {len(body)}\r\n\r\n".encode() + body


@contextmanager
def bystander() -> Iterator[tuple[str, list[bytes]]]:
    """Serve another host that takes whatever comes, and keeps it."""
    received: list[bytes] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                connection.settimeout(5)
                with suppress(OSError), connection:
                    received.append(connection.recv(65536))
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", received
    finally:
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
