"""Trust: the system's store, a CA file, a pin in the handshake, or none; and no proxy unless asked for."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self

import pytest

from geoplan.errors import GeoplanError, NoTlsError, UnitUnreachableError, UntrustedUnitError, UnusableFileError
from geoplan.lab.serve.certificates import Certificate, make_certificate
from geoplan.loadmaster import (
    CaFile,
    Insecure,
    LoadMaster,
    Pinned,
    State,
    SystemTrust,
    Trust,
    fetch_fingerprint,
    health_answer,
)
from geoplan.loadmaster.client_certificate import load_client_certificate
from geoplan.loadmaster.tls import parse_fingerprint
from tests.loadmaster.support import UNIT, FakeClock, access, run, self_signed

ANSWER = b'{"code": 200, "version": "7.2.59.4.1.RELEASE"}'
OTHER_PIN = "sha256:" + "0" * 64


class Server:
    """A TLS server that keeps every byte of what clients say to it."""

    def __init__(self, certificate: Certificate) -> None:
        self.certificate = certificate
        self.heard = b""
        self.handshakes = 0
        self.url = ""

    @property
    def named_url(self) -> str:
        return self.url.replace("127.0.0.1", "localhost")

    def exchange_certificate(self) -> None:
        """Show another certificate to whoever names the server."""
        other = make_certificate(UNIT).context

        def exchange(connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
            connection.context = other

        self.certificate.context.sni_callback = exchange

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.handshakes += 1
        while not self.heard.endswith(b"}") and (part := await reader.read(65536)):
            self.heard += part
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        if self.heard:
            writer.write(head % len(ANSWER) + ANSWER)
        writer.close()


@asynccontextmanager
async def serving(address: str = UNIT) -> AsyncIterator[Server]:
    server = Server(make_certificate(address))
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=server.certificate.context)
    async with listening:
        server.url = f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        yield server


async def ask(server: Server, trust: Trust, **changes: Any) -> str:
    async with LoadMaster(access(api_url=server.url, trust=trust, **changes), clock=FakeClock()) as unit:
        return await unit.firmware()


def test_the_pinned_certificate_is_enough() -> None:
    async def act() -> None:
        async with serving("192.0.2.77") as server:  # neither its name nor its chain is right
            assert await ask(server, Pinned(server.certificate.fingerprint)) == "7.2.59.4.1.RELEASE"
            assert server.heard

    run(act())


def test_a_certificate_other_than_the_pinned_one_never_hears_a_byte() -> None:
    async def act() -> None:
        async with serving() as server:
            with pytest.raises(UntrustedUnitError, match="its certificate is not the pinned one") as caught:
                await ask(server, Pinned(OTHER_PIN))
            assert caught.value.presented == server.certificate.fingerprint
            assert caught.value.hint
            assert "geoplan trust" in caught.value.hint
            await asyncio.sleep(0)
            assert server.heard == b""

    run(act())


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_a_pin_is_held_against_under_every_version_of_tls(version: ssl.TLSVersion) -> None:
    async def act() -> None:
        async with serving() as server:
            server.certificate.context.minimum_version = server.certificate.context.maximum_version = version
            assert await ask(server, Pinned(server.certificate.fingerprint))
            server.heard = b""
            with pytest.raises(UntrustedUnitError):
                await ask(server, Pinned(OTHER_PIN))
            assert server.heard == b""

    run(act())


def test_every_new_connection_is_held_against_the_pin() -> None:
    """A unit whose certificate is exchanged between two requests hears nothing of the second."""

    async def act() -> None:
        async with serving() as server:
            trust = Pinned(server.certificate.fingerprint)
            async with LoadMaster(access(api_url=server.named_url, trust=trust), clock=FakeClock()) as unit:
                await unit.firmware()
                server.heard = b""
                server.exchange_certificate()
                with pytest.raises(UntrustedUnitError):
                    await unit.firmware()
                assert server.heard == b""

    run(act())


def test_the_certificate_behind_an_answer_is_known_however_it_is_trusted() -> None:
    async def act() -> None:
        async with serving() as server:
            for trust in (Pinned(server.certificate.fingerprint), Insecure()):
                async with LoadMaster(access(api_url=server.named_url, trust=trust), clock=FakeClock()) as unit:
                    assert unit.certificate is None
                    await unit.firmware()
                    assert unit.certificate == server.certificate.fingerprint

    run(act())


def test_the_systems_store_does_not_know_a_self_signed_certificate() -> None:
    async def act() -> None:
        async with serving() as server:
            with pytest.raises(UntrustedUnitError, match=r"its certificate is not trusted: self.signed"):
                await ask(server, SystemTrust())
            assert server.heard == b""

    run(act())


def test_a_ca_file_stands_for_its_certificates(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"

    async def act() -> None:
        async with serving() as server:
            file.write_text(server.certificate.pem)
            assert await ask(server, CaFile(str(file))) == "7.2.59.4.1.RELEASE"
        async with serving() as other:
            with pytest.raises(UntrustedUnitError):
                await ask(other, CaFile(str(file)))
            assert other.heard == b""

    run(act())


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_ca_file_without_certificates_is_named(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(UnusableFileError, match=r"ca\.pem") as caught:
        _ = CaFile(str(file)).context
    assert caught.value.hint


def test_strict_checks_of_newer_pythons_are_cleared(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text(make_certificate(UNIT).pem)
    for trust in (SystemTrust(), CaFile(str(file))):
        assert not trust.context.verify_flags & ssl.VERIFY_X509_STRICT
        assert trust.context.verify_mode is ssl.CERT_REQUIRED
        assert trust.context.check_hostname


def test_insecure_believes_anybody() -> None:
    async def act() -> None:
        async with serving("192.0.2.77") as server:
            assert await ask(server, Insecure())

    run(act())


@pytest.fixture
def dead_proxies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    reserved = socket.socket()
    reserved.bind(("127.0.0.1", 0))  # nobody listens, and nobody else gets it
    proxy = f"http://127.0.0.1:{reserved.getsockname()[1]}"
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy)
        monkeypatch.setenv(name.lower(), proxy)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    yield
    reserved.close()


@pytest.mark.usefixtures("dead_proxies")
def test_proxies_and_netrc_are_ignored_unless_asked_for() -> None:
    async def act() -> None:
        async with serving() as server:
            assert await ask(server, Insecure())
            assert b"somebody" not in server.heard
            assert b"uthorization" not in server.heard
            before = server.handshakes
            with pytest.raises(UnitUnreachableError, match="connection refused") as caught:
                await ask(server, Insecure(), use_proxies=True)
            assert "cannot connect to the proxy http://127.0.0.1:" in caught.value.reason
            assert "(https_proxy)" in caught.value.reason
            assert server.handshakes == before

    run(act())


@pytest.mark.usefixtures("dead_proxies")
def test_the_health_check_goes_past_proxies() -> None:
    async def standby(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(b"HTTP/1.1 503 no\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def act() -> None:
        server = await asyncio.start_server(standby, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            assert (await health_answer(f"http://127.0.0.1:{port}")).state is State.STANDBY

    run(act())


def test_a_fingerprint_is_fetched_without_a_request() -> None:
    async def act() -> None:
        async with serving() as server:
            assert await fetch_fingerprint(UNIT, server.url) == server.certificate.fingerprint
            assert server.heard == b""

    run(act())


def test_no_handshake_is_no_fingerprint() -> None:
    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH\r\n")
        writer.close()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def act(answer: Callable[..., Any], reason: str) -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            with pytest.raises(UnitUnreachableError, match=rf"{UNIT}: no TLS handshake with {url}.*{reason}"):
                await fetch_fingerprint(UNIT, url, timeout_seconds=0.1 if answer is silent else 5)

    run(act(plain, "wrong version number|closed"))
    run(act(silent, "within 0.1 s"))


@pytest.mark.parametrize(
    "written",
    ["sha256:" + "ab" * 32, "AB:" * 31 + "AB", "SHA256 Fingerprint=" + ":".join(["AB"] * 32), "  " + "ab" * 32 + "\n"],
)
def test_fingerprints_are_read_as_tools_print_them(written: str) -> None:
    assert parse_fingerprint(written) == "sha256:" + "ab" * 32


@pytest.mark.parametrize("written", ["", "sha256:", "ab" * 31, "ab" * 33, "sha1:" + "ab" * 20, "zz" * 32])
def test_anything_else_is_no_fingerprint(written: str) -> None:
    with pytest.raises(GeoplanError, match="not a SHA-256 fingerprint"):
        parse_fingerprint(written)


# -- no TLS in common, and client certificates -------------------------------------------------------------------------


class OpenSslServer:
    """A unit that ends handshakes as OpenSSL's own servers do, with an alert: asyncio's closes without a word."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listening.getsockname()[1]}"
        self.heard = b""
        self.shown: list[object] = []
        """The names in the certificates that clients showed."""

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                accepted, _ = self._listening.accept()
                with suppress(OSError), self._context.wrap_socket(accepted, server_side=True) as connection:
                    self.shown.append((connection.getpeercert() or {}).get("subject"))
                    while not self.heard.endswith(b"}"):
                        self.heard += connection.recv(65536)
                    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(ANSWER)
                    connection.sendall(head + ANSWER)
                    self.heard = b""


def firmware_of(server: OpenSslServer, trust: Trust) -> str:
    async def act() -> str:
        async with LoadMaster(access(api_url=server.url, trust=trust), clock=FakeClock()) as unit:
            return await unit.firmware()

    return asyncio.run(act())


VERSIONS = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])


@VERSIONS
def test_unit_that_wants_a_client_certificate_is_not_called_down(version: ssl.TLSVersion) -> None:
    context = make_certificate(UNIT).context
    context.minimum_version = context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED
    with OpenSslServer(context) as server:
        with pytest.raises(NoTlsError, match=r"it is up, and .*wants a client certificate") as caught:
            firmware_of(server, Insecure())
        assert "--client-cert" in (caught.value.hint or "")
        assert server.heard == b""


def test_unit_that_offers_no_version_in_common_is_not_called_down() -> None:
    context = make_certificate(UNIT).context
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    trust = Insecure()
    trust.context.minimum_version = ssl.TLSVersion.TLSv1_3
    with OpenSslServer(context) as server:
        with pytest.raises(NoTlsError, match="it is up, and offers no version of TLS") as caught:
            firmware_of(server, trust)
        assert "TLS 1.2" in (caught.value.hint or "")


def test_unit_that_is_asked_for_its_fingerprint_says_that_it_takes_no_tls() -> None:
    context = make_certificate(UNIT).context
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    with OpenSslServer(context) as server, pytest.raises(UnitUnreachableError, match="wants a client") as caught:
        asyncio.run(fetch_fingerprint(UNIT, server.url))
    assert "--client-cert" in str(caught.value.hint)
    assert "is up and" not in str(caught.value.hint)


def test_unit_that_is_asked_for_its_fingerprint_says_that_no_version_is_in_common() -> None:
    context = make_certificate(UNIT).context
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with OpenSslServer(context) as server, pytest.raises(UnitUnreachableError, match="no version of TLS") as caught:
        asyncio.run(fetch_fingerprint(UNIT, server.url))
    assert "allow TLS 1.2 or 1.3" in str(caught.value.hint)
    assert "is up and" not in str(caught.value.hint)


@VERSIONS
@pytest.mark.parametrize("is_pinned", [False, True])
def test_certificate_is_shown_to_a_unit_that_wants_one(
    tmp_path: Path, version: ssl.TLSVersion, is_pinned: bool
) -> None:
    whole = self_signed(tmp_path / "client.pem", "an operator")
    certificate = load_client_certificate(str(whole), None, {})
    own = make_certificate(UNIT)
    own.context.minimum_version = own.context.maximum_version = version
    own.context.verify_mode = ssl.CERT_REQUIRED
    own.context.load_verify_locations(cafile=str(whole))
    trust = Pinned(own.fingerprint, certificate) if is_pinned else Insecure(certificate)
    with OpenSslServer(own.context) as server:
        assert firmware_of(server, trust) == "7.2.59.4.1.RELEASE"
        assert server.shown[0] == ((("commonName", "an operator"),),)
