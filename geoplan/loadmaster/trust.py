"""Why a unit is believed to be the one it says it is: four ways, each an SSL context."""

from __future__ import annotations

import hmac
import ssl
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from geoplan.errors import UnusableFileError
from geoplan.loadmaster.fingerprints import fingerprint_of


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
