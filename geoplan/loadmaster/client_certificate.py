"""The certificate by which a unit that wants one knows geoplan.

It proves who asks without giving a secret away: the key signs the handshake and stays here. Its file is checked as that
of credentials is, since whoever has the key can log in.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from geoplan.errors import CredentialsError, UnusableFileError
from geoplan.files import display_name, read_bounded
from geoplan.loadmaster.credentials import Secret, require_private

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PASSWORD_VARIABLE = "GEOPLAN_CLIENT_KEY_PASSWORD"  # noqa: S105 - its name
MAX_BYTES = 1024 * 1024
_PRIVATE_KEY = b"PRIVATE KEY-----"
_ENCRYPTED = (b"ENCRYPTED PRIVATE KEY-----", b"Proc-Type: 4,ENCRYPTED")
_FORM = "give a certificate in PEM with --client-cert, and its key in the same file or with --client-key"


@dataclass(frozen=True)
class ClientCertificate:
    """A certificate with its chain and its private key, in PEM."""

    certificate: Secret
    """As text; with the key, where that has no file of its own."""
    key: Secret | None = None
    password: Secret | None = None
    """What opens the key."""


def load_client_certificate(path: str, key_path: str | None, environment: Mapping[str, str]) -> ClientCertificate:
    """Read a certificate and its key; ``-`` is standard input. A password of the key comes from the environment.

    Raises :class:`UnusableFileError` where they cannot be read or do not fit, and :class:`CredentialsError` where
    others can read the key, or its password is missing or wrong.
    """
    certificate = _read(path, "the client certificate")
    key = None if key_path is None else _read(key_path, "the client key")
    holder, content = (path, certificate) if key is None else (key_path or "", key)
    if _PRIVATE_KEY not in content:
        raise UnusableFileError(f"there is no private key in {display_name(holder)}", hint=_FORM)
    password = environment.get(PASSWORD_VARIABLE)
    if password is None and any(mark in content for mark in _ENCRYPTED):
        raise CredentialsError(
            f"the key in {display_name(holder)} is protected by a password",
            hint=f"set {PASSWORD_VARIABLE} to it",
        )
    loaded = ClientCertificate(
        _secret(certificate), None if key is None else _secret(key), None if password is None else Secret(password)
    )
    try:
        with_certificate(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), loaded)
    except ssl.SSLError as error:
        reason, is_sealed = error.reason or "", password is not None and any(mark in content for mark in _ENCRYPTED)
    else:
        return loaded
    if "MISMATCH" in reason:
        raise UnusableFileError(f"the key in {display_name(holder)} is not that of {display_name(path)}", hint=_FORM)
    if is_sealed:
        raise CredentialsError(
            f"the password of the key in {display_name(holder)} is wrong, or the key is damaged",
            hint=f"{PASSWORD_VARIABLE} has to be the key's password",
        )
    raise UnusableFileError(f"{display_name(path)} holds no usable certificate with its key", hint=_FORM)


def with_certificate(context: ssl.SSLContext, certificate: ClientCertificate | None) -> ssl.SSLContext:
    """Have a context show a certificate to whoever wants one; raises :class:`ssl.SSLError` where it cannot."""
    if certificate is not None:
        password = certificate.password.reveal() if certificate.password else ""
        key = certificate.key or certificate.certificate
        with _as_file(certificate.certificate) as at, _as_file(key) as key_at:
            context.load_cert_chain(at, key_at, password=lambda: password)  # without one, OpenSSL would ask for it
    return context


def _read(path: str, what: str) -> bytes:
    """Read a file, which has to be private where a key is in it."""
    name, found = f"{what} {display_name(path)}", list[os.stat_result]()
    content = read_bounded(path, MAX_BYTES, name=name, check=found.append, is_stdin_allowed=True)
    if len(content) > MAX_BYTES:
        raise UnusableFileError(f"cannot read {name}: it is larger than {MAX_BYTES // 2**20} MiB", hint=_FORM)
    if _PRIVATE_KEY in content:
        for status in found:
            require_private(name, status)
    return content


def _secret(content: bytes) -> Secret:
    return Secret(content.decode("latin-1"))


@contextmanager
def _as_file(content: Secret) -> Iterator[str]:
    """Have a text in a file while the block lasts: OpenSSL reads keys from nowhere else. Where it can be, in memory."""
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("geoplan")
        name = f"/proc/self/fd/{handle}"
    else:
        handle, name = tempfile.mkstemp(prefix="geoplan-")
    try:
        with os.fdopen(handle, "wb", closefd=False) as file:
            file.write(content.reveal().encode("latin-1"))
        yield name
    finally:
        os.close(handle)
        if not name.startswith("/proc"):
            Path(name).unlink()
