"""Where credentials come from: a file, the environment, the system keyring, a prompt; the first that has some."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from geoplan.errors import CredentialsError
from geoplan.loadmaster.credentials import DEFAULT_USER, ApiKey, Credentials, Secret, UserPassword

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from geoplan.loadmaster.credentials_file import CredentialsFile

KEYRING_SERVICE = "geoplan"


@dataclass(frozen=True)
class CredentialSources:
    """Finds the credentials of a unit; ``credentials_of`` is what ``unit_accesses`` takes.

    In this order: the file, where one is given; the environment; the keyring, where it is asked for; the prompt,
    which gets the unit's address and the user, and whose answer holds for all units of that user. In each, what is
    given for one unit goes before what is given for all, and an API key before a password.
    """

    environment: Mapping[str, str] = field(repr=False)
    file: CredentialsFile | None = None
    use_keyring: bool = False
    prompt: Callable[[str, str], str] | None = None
    _prompted: dict[str, Secret] = field(default_factory=dict, init=False, repr=False)

    def credentials_of(self, address: str) -> Credentials:
        """Return the credentials of a unit. Raises :class:`CredentialsError` where no source has any."""
        found = self.file.credentials_of(address) if self.file else None
        if found is None:
            found = self._from_environment("_" + variable_suffix(address)) or self._from_environment("")
        return found or self._with_password(address, self._user(address))

    def _user(self, address: str) -> str:
        own = self.environment.get(f"GEOPLAN_USER_{variable_suffix(address)}")
        return own or self.environment.get("GEOPLAN_USER") or DEFAULT_USER

    def _from_environment(self, suffix: str) -> Credentials | None:
        if key := self.environment.get(f"GEOPLAN_APIKEY{suffix}"):
            return ApiKey(Secret(key))
        if password := self.environment.get(f"GEOPLAN_PASSWORD{suffix}"):
            general = self.environment.get("GEOPLAN_USER") or DEFAULT_USER
            return UserPassword(self.environment.get(f"GEOPLAN_USER{suffix}") or general, Secret(password))
        return None

    def _with_password(self, address: str, user: str) -> Credentials:
        if self.use_keyring and (password := _keyring_password(address, user)) is not None:
            return UserPassword(user, password)
        if self.prompt is None:
            raise CredentialsError(
                f"there are no credentials for {address}",
                hint="set GEOPLAN_APIKEY, or GEOPLAN_USER and GEOPLAN_PASSWORD, or give a credentials file",
            )
        if user not in self._prompted:
            self._prompted[user] = Secret(self.prompt(address, user))
        return UserPassword(user, self._prompted[user])


def variable_suffix(address: str) -> str:
    """Return what a unit's own variables end with: ``172_24_1_5`` or ``2001_DB8__5``."""
    return str(ip_address(address)).replace(".", "_").replace(":", "_").upper()


def _keyring_password(address: str, user: str) -> Secret | None:
    """Look a password up, under ``USER@ADDRESS`` and then under ``USER``."""
    try:
        keyring: Any = import_module("keyring")
        errors: Any = import_module("keyring.errors")
    except ImportError:
        raise CredentialsError(
            "the system keyring needs a package that is not installed", hint="pip install 'geoplan[keyring]'"
        ) from None
    try:
        for name in (f"{user}@{address}", user):
            if password := keyring.get_password(KEYRING_SERVICE, name):
                return Secret(password)
    except errors.KeyringError as error:
        raise CredentialsError(
            f"the system keyring cannot be read: {type(error).__name__}",
            hint="unlock it, or give the password otherwise",
        ) from None
    return None
