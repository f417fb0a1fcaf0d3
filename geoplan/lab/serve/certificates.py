"""A certificate for each unit: self-signed, as a LoadMaster's own is."""

from __future__ import annotations

import datetime
import os
import ssl
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

VALID_DAYS = 365
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a unit shows in the handshake."""

    context: ssl.SSLContext
    """For the server's side."""
    pem: str
    """The certificate alone, for clients that want to trust it."""
    fingerprint: str
    """``sha256:`` and 64 hexadecimal digits, over the certificate's DER."""


def make_certificate(address: str) -> Certificate:
    """Make a key and a certificate for a unit; it holds for the unit's address and for loopback."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(known)) for known in (address, LOOPBACK)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=VALID_DAYS))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    fingerprint = certificate.fingerprint(hashes.SHA256()).hex()
    return Certificate(_server_context(pem + private), pem.decode(), f"sha256:{fingerprint}")


def _server_context(chain: bytes) -> ssl.SSLContext:
    """Build a context; ``ssl`` reads keys from files alone, so there is one for a moment that only its owner reads."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    handle, name = tempfile.mkstemp(prefix="geoplan-lab-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(chain)
        context.load_cert_chain(name)
    finally:
        with suppress(OSError):
            Path(name).unlink()
    return context
