"""Who geoplan is to a unit. Secrets are held in a type that never shows them."""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, TypeAlias
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterator

MASK = "********"
DEFAULT_USER = "bal"  # the administrator that every LoadMaster is delivered with


class Secret:
    """A password or key; only :meth:`reveal` gives it away, and nothing prints, copies to disk or pickles it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._text

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, specification: str) -> str:
        return format(MASK, specification)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_bytes(self._text), _bytes(other.reveal()))

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key that stands for a user."""

    key: Secret


@dataclass(frozen=True, slots=True)
class UserPassword:
    """A user with a password."""

    user: str
    password: Secret


Credentials: TypeAlias = ApiKey | UserPassword


def masked(credentials: Credentials) -> Credentials:
    """Return credentials that can be shown in place of others."""
    match credentials:
        case ApiKey():
            return ApiKey(Secret(MASK))
        case UserPassword(user=user):
            return UserPassword(user, Secret(MASK))


def basic_authorization(credentials: UserPassword) -> str:
    """Return what HTTP Basic sends of a user and a password."""
    return "Basic " + base64.b64encode(_bytes(f"{credentials.user}:{credentials.password.reveal()}")).decode()


def hide_secrets(text: str, credentials: Credentials) -> str:
    """Return a text without the secret, however it may have got there: a unit can echo what it was sent."""
    for form in sorted(_forms(credentials), key=len, reverse=True):
        text = text.replace(form, MASK)
    return text


def _forms(credentials: Credentials) -> Iterator[str]:
    """Yield every spelling in which a secret goes over the wire."""
    secret = credentials.key if isinstance(credentials, ApiKey) else credentials.password
    plain = secret.reveal()
    if not plain:
        return
    yield from {plain, quote(plain, safe="", errors="replace"), quote_plus(plain, errors="replace")}
    if isinstance(credentials, UserPassword):
        yield basic_authorization(credentials).removeprefix("Basic ")


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
