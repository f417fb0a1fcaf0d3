"""Why a unit is believed to be the one it says it is: pins, certificates, and their fingerprints."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import hmac
import re
import ssl
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from geoplan.errors import GeoplanError, TooManyOpenFilesError, UnitUnreachableError, UnusableFileError
from geoplan.topology.api import PortSource, ReachedApi

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "sha256:"


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
        reason = f"no TLS handshake with {where}: {describe_os_error(error)}"
    else:
        if certificate:
            return fingerprint_of(certificate)
        reason = f"{where} presents no certificate"
    raise UnitUnreachableError(
        unit,
        reason,
        request_sent=False,
        hint=f"check that the unit is up and that its API is at this URL; {api.changed_by}",
    )


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

    @cached_property
    def context(self) -> ssl.SSLContext:
        """The context, made once for all units that share this."""
        return _lenient(ssl.create_default_context())


@dataclass(frozen=True)
class CaFile:
    """Certificates in a PEM file, and no others: chain and name have to be right."""

    path: str

    @cached_property
    def context(self) -> ssl.SSLContext:
        """The context, made once. Raises :class:`UnusableFileError` where the file holds no certificates."""
        try:
            return _lenient(ssl.create_default_context(cafile=self.path))
        except ssl.SSLError:
            reason = "it holds no certificate in PEM"
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
        raise UnusableFileError(
            f"cannot read the CA file {self.path}: {reason}", hint="give a file of certificates in PEM"
        )


@dataclass(frozen=True)
class Pinned:
    """One certificate by its fingerprint; neither its name nor its chain matter."""

    fingerprint: str

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

        context = _unverified()
        context.sslobject_class = PinnedObject
        return context


@dataclass(frozen=True)
class Insecure:
    """No check at all: whoever answers is believed. Whoever chooses this has to be told so, loudly."""

    @cached_property
    def context(self) -> ssl.SSLContext:
        """The context."""
        return _unverified()


Trust: TypeAlias = SystemTrust | CaFile | Pinned | Insecure


def _lenient(context: ssl.SSLContext) -> ssl.SSLContext:
    """Clear the strict X.509 checks of newer Pythons, which appliances' certificates fail."""
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
