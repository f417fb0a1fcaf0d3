"""What the client's tests share: a clock that never waits, units that follow a script, and the lab's units."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from geoplan.lab import Credentials as LabCredentials
from geoplan.lab import Lab
from geoplan.loadmaster import (
    CredentialSources,
    Endpoints,
    Insecure,
    LoadMaster,
    Secret,
    UnitConnection,
    UserPassword,
    unit_connections,
)
from geoplan.loadmaster.endpoints import read_endpoints
from geoplan.topology.loader import load_topology
from geoplan.topology.model import Topology

TOPOLOGIES = Path(__file__).parents[2] / "topologies"
UNIT = "172.24.1.5"
PASSWORD = "correct-horse-battery"  # noqa: S105 - the lab's
KEY = "key-that-nobody-may-see"
V1, V2 = "7.2.48.0", "7.2.59.4"  # firmware with APIv1 alone, and with both

Result = TypeVar("Result")


def run(action: Awaitable[Result]) -> Result:
    async def act() -> Result:
        return await action

    return asyncio.run(act())


class FakeClock:
    """A clock on which sleeping takes no time; it remembers the pauses."""

    def __init__(self) -> None:
        self.time = 0.0
        self.pauses: list[float] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)  # others get their turn


def access(**changes: Any) -> UnitConnection:
    settings: dict[str, Any] = {
        "address": UNIT,
        "api_url": "https://unit.test",
        "credentials": UserPassword("bal", Secret(PASSWORD)),
        "trust": Insecure(),
        "api_version": 2,
    }
    return UnitConnection(**{**settings, **changes})


def ok(**content: Any) -> httpx.Response:
    return httpx.Response(200, json={"code": 200, "status": "ok", **content})


def refused(message: str, code: int = 422) -> httpx.Response:
    return httpx.Response(code, json={"code": code, "status": "fail", "message": message})


Reaction = httpx.Response | Exception | Callable[[], httpx.Response | Exception]


class ScriptedUnit:
    """A unit of APIv2 that reacts to its n-th request of a command as scripted, and in between as it is."""

    def __init__(self) -> None:
        self.parameters: dict[str, Any] = {"version": "7.2.59.4.1.RELEASE", "geopartners": "", "geoclients": ""}
        self.clusters: dict[str, dict[str, Any]] = {}
        self.script: dict[str, list[Reaction | None]] = {}
        self.requests: list[str] = []
        self.clock = FakeClock()

    def plan(self, command: str, *reactions: Reaction | None) -> None:
        """React in that order; nothing stands for a proper answer."""
        self.script.setdefault(command, []).extend(reactions)

    def after(self, failure: Exception | httpx.Response, request: Mapping[str, Any]) -> Callable[[], Any]:
        """Carry out a request and lose its answer."""

        def react() -> Exception | httpx.Response:
            self.carry_out(dict(request))
            return failure

        return react

    def client(self, **options: Any) -> LoadMaster:
        options.setdefault("clock", self.clock)
        return LoadMaster(access(), transport=httpx.MockTransport(self._answer), jitter=lambda: 1.0, **options)

    def use(self, action: Callable[[LoadMaster], Awaitable[Result]], **options: Any) -> Result:
        async def act() -> Result:
            async with self.client(**options) as unit:
                return await action(unit)

        return asyncio.run(act())

    def sent(self, *commands: str) -> int:
        return sum(command in commands for command in self.requests)

    def _answer(self, http: httpx.Request) -> httpx.Response:
        request = json.loads(http.content)
        command = request["cmd"]
        name = f"set:{request['param']}" if command == "set" else command
        if name == "get":
            name = f"get:{request['param']}"
        self.requests.append(name)
        scripted = self.script.get(name)
        reaction = scripted.pop(0) if scripted else None
        if callable(reaction) and not isinstance(reaction, Exception):
            reaction = reaction()
        if isinstance(reaction, Exception):
            raise reaction
        return reaction or self.carry_out(request)

    def carry_out(self, request: dict[str, Any]) -> httpx.Response:
        match request["cmd"]:
            case "get":
                return ok(**{request["param"]: self.parameters[request["param"]]})
            case "set":
                self.parameters[request["param"]] = request["value"]
            case "listclusters":
                if not self.clusters:
                    return refused("No geo data found", 404)
                return ok(cluster=list(self.clusters.values()))
            case "addcluster":
                if request["ip"] in self.clusters:
                    return refused("Cluster already exists")
                self.clusters[request["ip"]] = {
                    "IPAddress": request["ip"], "Name": request["name"], "Type": "default",
                    "LocationLatitude": 0, "LocationLongitude": 0,
                }  # fmt: skip
            case "modcluster":
                self.clusters[request["ip"]]["Type"] = request["type"]
            case "clustchangeloc":
                self.clusters[request["ip"]]["LocationLatitude"] = f"{request['latsecs'] / 3600:.8f}"
                self.clusters[request["ip"]]["LocationLongitude"] = f"{request['longsecs'] / 3600:.8f}"
        return ok()


def example() -> Topology:
    return load_topology(TOPOLOGIES / "section-5.4.yaml")


def lab(**options: Any) -> Lab:
    options.setdefault("credentials", LabCredentials("bal", PASSWORD, KEY))
    options.setdefault("boot_seconds", 0.3)
    options.setdefault("failover_seconds", 0.05)
    options.setdefault("sync_seconds", 0.05)
    return Lab(example(), **options)


def endpoints_of(running: Lab) -> Endpoints:
    return read_endpoints(running.endpoints.to_yaml().encode(), "lab.yaml")


def accesses(running: Lab, environment: Mapping[str, str] | None = None, **options: Any) -> dict[str, UnitConnection]:
    sources = CredentialSources(environment or {"GEOPLAN_USER": "bal", "GEOPLAN_PASSWORD": PASSWORD})
    options.setdefault("endpoints", endpoints_of(running))
    return unit_connections(example(), sources.credentials_of, **options)


def form_of(request: httpx.Request) -> dict[str, str]:
    return dict(parse_qsl(request.content.decode(), keep_blank_values=True))


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def self_signed(path: Path, name: str, *, password: bytes | None = None, key_path: Path | None = None) -> Path:
    """Write a certificate of a client, and its key beside it or into a file of its own, for its owner's eyes alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    sealing = BestAvailableEncryption(password) if password else NoEncryption()
    key_text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealing)
    path.write_bytes(certificate.public_bytes(Encoding.PEM) + (b"" if key_path else key_text))
    path.chmod(0o644 if key_path else 0o600)
    if key_path:
        key_path.write_bytes(key_text)
        key_path.chmod(0o600)
    return path
