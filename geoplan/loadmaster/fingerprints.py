"""SHA-256 fingerprints of certificates: their spelling, and how to ask a unit for its own."""

from __future__ import annotations

import asyncio
import hashlib
import re
import ssl
from urllib.parse import urlsplit

from geoplan.errors import GeoplanError, UnitUnreachableError
from geoplan.loadmaster.causes import too_many_open_files

PREFIX = "sha256:"
HTTPS_PORT = 443


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


async def fetch_fingerprint(unit: str, api_url: str, *, timeout_seconds: float = 10.0) -> str:
    """Return the fingerprint that a unit's API presents now. Only the handshake takes place; no request is sent.

    Raises :class:`geoplan.errors.UnitUnreachableError` where there is no handshake in time, and
    :class:`geoplan.errors.TooManyOpenFilesError` where this machine allows no further connection.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    url = urlsplit(api_url)
    try:
        async with asyncio.timeout(timeout_seconds):
            _, writer = await asyncio.open_connection(url.hostname, url.port or HTTPS_PORT, ssl=context)
            certificate = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            writer.transport.abort()
    except TimeoutError:
        reason = f"no TLS handshake with {api_url} within {timeout_seconds:g} s"
    except OSError as error:
        if own_failure := too_many_open_files(error):
            raise own_failure from None
        reason = f"no TLS handshake with {api_url}: {describe_os_error(error)}"
    else:
        if certificate:
            return fingerprint_of(certificate)
        reason = f"{api_url} presents no certificate"
    raise UnitUnreachableError(
        unit, reason, request_sent=False, hint="check that the unit is up and that its API is at this URL"
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
