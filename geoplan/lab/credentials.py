"""Who may use the simulated units' API."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_USER = "bal"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user with a password, generated unless given, and an API key where one is given; the same on every unit."""

    user: str = DEFAULT_USER
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)
    api_key: str | None = field(default=None, repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Credentials:
        """Take ``GEOPLAN_USER``, ``GEOPLAN_PASSWORD`` and ``GEOPLAN_APIKEY``; generate a password where none is set."""
        user = environment.get("GEOPLAN_USER") or DEFAULT_USER
        api_key = environment.get("GEOPLAN_APIKEY") or None
        password = environment.get("GEOPLAN_PASSWORD")
        return cls(user, password, api_key) if password else cls(user, api_key=api_key)

    def accept_user(self, user: str, password: str) -> bool:
        """Tell whether this user has this password."""
        same_user, same_password = _same(user, self.user), _same(password, self.password)
        return same_user and same_password

    def accept_key(self, api_key: str) -> bool:
        """Tell whether this is the API key."""
        return self.api_key is not None and _same(api_key, self.api_key)


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(errors="surrogatepass"), expected.encode(errors="surrogatepass"))
