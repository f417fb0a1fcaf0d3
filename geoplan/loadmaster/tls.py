"""Why a unit is believed to be the one it says it is: pins, certificates, and their fingerprints."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import hmac
import re
import ssl
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from geoplan.errors import GeoplanError, NoTlsError, TooManyOpenFilesError, UnitUnreachableError, UnusableFileError
from geoplan.files import display_name, read_bounded
from geoplan.loadmaster.client_certificate import ClientCertificate, with_certificate
from geoplan.topology.api import PortSource, ReachedApi
from geoplan.vendor import API_PORT

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "sha256:"
REFUSAL_SECONDS = 1.0  # a refusal comes at once, after one way there and back
MAX_PEM_BYTES = 4 * 2**20  # the store of a whole system has a quarter of a MiB


def fingerprint_of(certificate: bytes) -> str:
    """Return the fingerprint of a certificate in DER: ``sha256:`` and 64 hexadecimal digits."""
    return PREFIX + hashlib.sha256(certificate).hexdigest()


def parse_fingerprint(text: str) -> str:
    """Read a fingerprint as tools print it: with or without ``sha256:``, colons and capitals."""
    digits = re.sub(r"^sha-?256[:=]", "", text.strip().lower().removeprefix("sha256 fingerprint=")).replace(":", "")
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise GeoplanError(
            "that is not a SHA-256 fingerprint", hint="write sha256: and 64 hexadecimal digits, as geoplan trust does"
        )
    return PREFIX + digits


async def fetch_fingerprint(
    unit: str, api_url: str, *, timeout_seconds: float = 10.0, port_source: PortSource = PortSource.DEFAULT
) -> str:
    """Return the fingerprint that a unit's API presents now. Only the handshake takes place; no request is sent.

    Raises :class:`geoplan.errors.UnitUnreachableError` where there is no handshake in time, and
    :class:`geoplan.errors.TooManyOpenFilesError` where this machine allows no further connection.
    """
    api = ReachedApi(api_url, port_source)
    where = f"{api.url} ({api.said_by})"
    hint = f"check that the unit is up and that its API is at this URL; {api.changed_by}"
    try:
        async with asyncio.timeout(timeout_seconds):
            _, writer = await asyncio.open_connection(urlsplit(api.url).hostname, api.port, ssl=_unverified())
            certificate = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            writer.transport.abort()
    except TimeoutError:
        reason = f"no TLS handshake with {where} within {timeout_seconds:g} s"
    except OSError as error:
        if own_failure := too_many_open_files(error):
            raise own_failure from None
        found = no_tls(unit, error)
        reason = f"no TLS handshake with {where}: {found.reason if found else describe_os_error(error)}"
        hint = (found.hint if found else None) or hint
    else:
        if certificate:
            return fingerprint_of(certificate)
        reason = f"{where} presents no certificate"
    raise UnitUnreachableError(unit, reason, request_sent=False, hint=hint)


def describe_os_error(error: OSError) -> str:
    """Say in a few words why a connection failed."""
    if isinstance(error, ssl.SSLEOFError):
        return "the connection was closed"
    if isinstance(error, ssl.SSLError):
        return (error.reason or "TLS error").replace("_", " ").lower()
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, ConnectionError):
        return "the connection was closed"
    return error.strerror or str(error) or type(error).__name__


def is_before_connection(error: OSError | None) -> bool:
    """Return whether a failure is that of the first connection, and of nothing that was agreed over one."""
    is_within = isinstance(error, ssl.SSLError | ConnectionResetError | BrokenPipeError)
    return error is not None and not is_within


# What OpenSSL calls it when nothing fits: reasons of its own, and alerts that the other side sends.
_NO_VERSION = ("UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "NO_PROTOCOLS_AVAILABLE")
_NO_CIPHER = (
    "NO_SHARED_CIPHER",
    "SSLV3_ALERT_HANDSHAKE_FAILURE",
    "TLSV1_ALERT_INSUFFICIENT_SECURITY",
    "DH_KEY_TOO_SMALL",
)
_NO_CERTIFICATE = ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "PEER_DID_NOT_RETURN_A_CERTIFICATE")
_BAD_CERTIFICATE = (
    *("SSLV3_ALERT_BAD_CERTIFICATE", "SSLV3_ALERT_CERTIFICATE_UNKNOWN", "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE"),
    *("SSLV3_ALERT_CERTIFICATE_EXPIRED", "SSLV3_ALERT_CERTIFICATE_REVOKED", "TLSV1_ALERT_UNKNOWN_CA"),
    *("TLSV1_ALERT_ACCESS_DENIED", "TLSV1_ALERT_DECRYPT_ERROR"),
)
_CLIENT_CERT = "give a certificate that it takes with --client-cert, and its key with --client-key"
_CANNOT: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        _NO_VERSION,
        "it is up, and offers no version of TLS that is known here to be safe",
        "allow TLS 1.2 or 1.3 in the unit's settings for administration (Admin WUI Access); older versions are refused",
    ),
    (
        _NO_CIPHER,
        "it is up, and takes no TLS as it is offered: no cipher in common, or it wants a client certificate",
        "look at the unit's cipher set for administration (Admin WUI Access), or at its login method; " + _CLIENT_CERT,
    ),
    (_NO_CERTIFICATE, "it is up, and wants a client certificate", _CLIENT_CERT),
    (_BAD_CERTIFICATE, "it is up, and does not take the client certificate", _CLIENT_CERT),
)


def no_tls(unit: str, error: BaseException) -> NoTlsError | None:
    """Return the failure of a unit that is up and agrees on no TLS, or None where an error is due to something else."""
    for cause in causes_of(error):
        if isinstance(cause, ssl.SSLError):
            for reasons, message, hint in _CANNOT:
                if cause.reason in reasons:
                    return NoTlsError(unit, f"{message} ({cause.reason.replace('_', ' ').lower()})", hint=hint)
    return None


async def tls_refusal(unit: str, api_url: str, context: ssl.SSLContext, connect_seconds: float) -> NoTlsError | None:
    """Connect, say nothing, and return why the unit ends that, or None where it does not, or for another reason.

    Under TLS 1.3 a unit refuses a client only once that believes to be connected, and the request that follows at once
    can make the refusal itself be lost.
    """
    url = urlsplit(api_url)
    if url.scheme != "https":
        return None
    try:
        async with asyncio.timeout(connect_seconds + REFUSAL_SECONDS):
            reader, writer = await asyncio.open_connection(url.hostname, url.port or API_PORT, ssl=context)
            with suppress(TimeoutError):
                async with asyncio.timeout(REFUSAL_SECONDS):
                    await reader.read(1)
            writer.transport.abort()
    except (OSError, TimeoutError) as error:
        return no_tls(unit, error)
    return None


def causes_of(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what led to it, the last first."""
    waiting, seen = [error], set[int]()
    while waiting:
        cause = waiting.pop()
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        if isinstance(cause, BaseExceptionGroup):  # a name with several addresses fails for each of them
            waiting += reversed(cause.exceptions)
        waiting.append(cause.__cause__ or cause.__context__)


def too_many_open_files(error: BaseException) -> TooManyOpenFilesError | None:
    """Return the failure of this machine, and of no unit, where an error is due to its limit of open files."""
    for cause in causes_of(error):
        if isinstance(cause, OSError) and cause.errno in (errno.EMFILE, errno.ENFILE):
            return TooManyOpenFilesError()
    return None


class PinMismatchError(ssl.SSLCertVerificationError):
    """The peer's certificate is not the pinned one; ``presented`` is its fingerprint."""

    def __init__(self, presented: str | None) -> None:
        super().__init__(1, "certificate does not match the pinned fingerprint")
        self.presented = presented


@dataclass(frozen=True)
class SystemTrust:
    """The system's store: the certificate's chain and name have to be right."""

    certificate: ClientCertificate | None = None
    """What geoplan shows a unit that wants one."""

    @cached_property
    def context(self) -> ssl.SSLContext:
        """The context, made once for all units that share this."""
        context = _verified(self.certificate)
        context.load_default_certs()
        return context


@dataclass(frozen=True)
class CaFile:
    """Certificates in a PEM file, and no others: chain and name have to be right. ``-`` is standard input."""

    path: str
    certificate: ClientCertificate | None = None

    @cached_property
    def context(self) -> ssl.SSLContext:
        """The context, made once. Raises :class:`UnusableFileError` where the file holds no certificates."""
        context, name = _verified(self.certificate), f"the CA file {display_name(self.path)}"
        content = read_bounded(self.path, MAX_PEM_BYTES, name=name, is_stdin_allowed=True)
        reason = "it holds no certificate in PEM"
        if len(content) > MAX_PEM_BYTES:
            reason = f"it is larger than {MAX_PEM_BYTES // 2**20} MiB"
        else:
            with suppress(ssl.SSLError, ValueError):
                context.load_verify_locations(cadata=_ascii(content))
                return context
        raise UnusableFileError(f"cannot read {name}: {reason}", hint="give a file of certificates in PEM")


@dataclass(frozen=True)
class Pinned:
    """One certificate by its fingerprint; neither its name nor its chain matter."""

    fingerprint: str
    certificate: ClientCertificate | None = None

    @cached_property
    def context(self) -> ssl.SSLContext:
        """The context; the handshake itself fails for any other certificate, so nothing is ever sent to it."""
        expected = self.fingerprint

        class PinnedObject(ssl.SSLObject):
            def do_handshake(self) -> None:
                super().do_handshake()  # raises while it waits for the peer
                certificate = self.getpeercert(binary_form=True)
                presented = fingerprint_of(certificate) if certificate else None
                if presented is None or not hmac.compare_digest(presented, expected):
                    raise PinMismatchError(presented)

        context = _unverified(self.certificate)
        context.sslobject_class = PinnedObject
        return context


@dataclass(frozen=True)
class Insecure:
    """No check at all: whoever answers is believed. Whoever chooses this has to be told so, loudly."""

    certificate: ClientCertificate | None = None

    @cached_property
    def context(self) -> ssl.SSLContext:
        """The context."""
        return _unverified(self.certificate)


Trust: TypeAlias = SystemTrust | CaFile | Pinned | Insecure


def _verified(certificate: ClientCertificate | None) -> ssl.SSLContext:
    """Return a context that checks chain and name; it trusts nobody yet.

    The strict X.509 checks of newer Pythons, which appliances' certificates fail, are left out; so are the variables
    of the environment that would have the keys of sessions written to a file.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return with_certificate(context, certificate)


def _unverified(certificate: ClientCertificate | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return with_certificate(context, certificate)


def _ascii(content: bytes) -> str:
    """Return what PEM is written in; what else stands in such a file is for people."""
    return content.decode("ascii", errors="replace").replace("\N{REPLACEMENT CHARACTER}", "?")
