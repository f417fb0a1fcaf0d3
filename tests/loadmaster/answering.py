"""A unit on a real socket with TLS that answers byte by byte what a test has for each request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from geoplan.lab.serve.certificates import make_certificate
from geoplan.loadmaster import Insecure, LoadMaster, UnitConnection
from tests.loadmaster.support import UNIT, FakeClock, access


@dataclass(frozen=True)
class Heard:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_v2(self) -> bool:
        return self.target.startswith("/accessv2")

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def fields(self) -> dict[str, Any]:
        """The parameters, whatever they were sent as."""
        if self.is_v2:
            return dict(json.loads(self.body))
        return self.query | dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def command(self) -> str:
        return str(self.fields["cmd"]) if self.is_v2 else urlsplit(self.target).path.removeprefix("/access/")


@dataclass(frozen=True)
class Said:
    """What is answered: a status, a body, and headers beside its length."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def xml(data: str | bytes, *, declared: str = "ISO-8859-1") -> Said:
    inner = data.encode() if isinstance(data, str) else data
    head = f'<?xml version="1.0" encoding="{declared}"?>\n<Response stat="200" code="ok"><Success>'.encode()
    return Said(head + b"<Data>" + inner + b"</Data></Success></Response>\n")


def xml_refusal(message: str, status: int = 422, **headers: str) -> Said:
    body = f'<?xml version="1.0"?><Response stat="{status}" code="fail"><Error>{message}</Error></Response>'
    return Said(body.encode(), status, {name.replace("_", "-"): value for name, value in headers.items()})


def js(**content: Any) -> Said:
    return Said(json.dumps({"code": 200, "status": "ok", **content}).encode())


def js_refusal(message: str, code: int = 422, *, status: int | None = None, **headers: str) -> Said:
    body = json.dumps({"code": code, "message": message, "status": "fail"}).encode()
    return Said(body, status or code, {name.replace("_", "-"): value for name, value in headers.items()})


Answer = Callable[[Heard], Said]


class Answering:
    """The unit: it keeps what it heard."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.heard: list[Heard] = []
        self.url = ""

    def client(self, **changes: Any) -> LoadMaster:
        """Return a client of it; its pauses take no time."""
        options = {name: changes.pop(name) for name in ("observer", "changes_once", "dry_run") if name in changes}
        connection: UnitConnection = access(api_url=self.url, trust=Insecure(), **changes)
        return LoadMaster(connection, clock=FakeClock(), **options)

    def commands(self, *names: str) -> list[Heard]:
        return [heard for heard in self.heard if heard.command in names]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                method, target, _ = head.split(" ")
                self.heard.append(Heard(method, target, headers, body))
                said = self._answer(self.heard[-1])
                more = "".join(f"{name}: {value}\r\n" for name, value in said.headers.items())
                length = f"Content-Length: {len(said.body)}\r\n"
                writer.write(f"HTTP/1.1 {said.status} Said\r\n{more}{length}\r\n".encode() + said.body)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[Answering]:
    unit = Answering(answer)
    listening = await asyncio.start_server(unit.serve, "127.0.0.1", 0, ssl=make_certificate(UNIT).context)
    async with listening:
        unit.url = f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        yield unit
