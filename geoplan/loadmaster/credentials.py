"""Who geoplan is to a unit, and where that comes from. Secrets are held in a type that never shows them."""

from __future__ import annotations

import base64
import hmac
import os
import stat
from dataclasses import dataclass, field
from importlib import import_module
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias
from urllib.parse import quote, quote_plus

from geoplan.addresses import canonical, is_address
from geoplan.errors import CredentialsError
from geoplan.yaml12 import read_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from geoplan.yaml12 import Document, Loc


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


MAX_BYTES = 1024 * 1024
OTHERS = stat.S_IRWXG | stat.S_IRWXO
_FORM = "write default: {user: NAME, password: …} or {apikey: …}, and the same for each ADDRESS under units:"


@dataclass(frozen=True)
class CredentialsFile:
    """The credentials of units by their addresses, and those of all others."""

    units: Mapping[str, Credentials] = field(default_factory=dict)
    default: Credentials | None = None

    def credentials_of(self, address: str) -> Credentials | None:
        """Return the credentials of a unit, or nothing where the file has none for it."""
        return self.units.get(canonical(address), self.default)


def load_credentials(path: str | Path) -> CredentialsFile:
    """Read a credentials file. Raises :class:`CredentialsError` where others can read it, or it is wrong."""
    try:
        with Path(path).open("rb") as file:
            _check_owner(path, os.fstat(file.fileno()))  # of the very file that is read, whatever the path says later
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CredentialsError(
            f"cannot read the credentials file {path}: {reason}", hint="check the path and its permissions"
        ) from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = ""
    if len(content) > MAX_BYTES or (content and not text):
        raise CredentialsError(f"{path} is not a usable credentials file: it is no short UTF-8 text", hint=_FORM)
    return _Reader(path, read_document(text)).read()


def _check_owner(path: str | Path, status: os.stat_result) -> None:
    if os.name != "posix":
        return
    if status.st_uid != os.geteuid():
        raise CredentialsError(
            f"the credentials file {path} belongs to somebody else", hint="use a file of your own, with mode 0600"
        )
    if status.st_mode & OTHERS:
        raise CredentialsError(
            f"others than its owner have access to the credentials file {path} (mode {status.st_mode & 0o777:04o})",
            hint=f"chmod 600 {path}, and change the secrets in it if others may have read them",
        )


class _Reader:
    """Turns the document into credentials; says where something is wrong, and never what stands there."""

    def __init__(self, path: str | Path, document: Document) -> None:
        self._path = path
        self._document = document

    def read(self) -> CredentialsFile:
        """Return the credentials."""
        if self._document.faults:
            raise self._wrong(self._document.faults[0].place.line)
        top = self._mapping((), self._document.value, ("default", "units"))
        units = {} if top.get("units") is None else self._mapping(("units",), top["units"], None)
        if not all(is_address(address) for address in units):
            raise self._wrong(self._document.place_of(("units",)).line)
        by_address = {canonical(unit): self._credentials(("units", unit), given) for unit, given in units.items()}
        default = top.get("default")
        return CredentialsFile(by_address, None if default is None else self._credentials(("default",), default))

    def _credentials(self, loc: Loc, written: object) -> Credentials:
        given = self._mapping(loc, written, ("user", "password", "apikey"))
        texts = {name: str(value) for name, value in given.items() if isinstance(value, str) and value}
        if len(texts) < len(given) or ("password" in texts) == ("apikey" in texts):
            raise self._wrong(self._document.place_of(loc).line)
        if "apikey" in texts:
            return ApiKey(Secret(texts["apikey"]))
        return UserPassword(texts.get("user", DEFAULT_USER), Secret(texts["password"]))

    def _mapping(self, loc: Loc, written: object, known: tuple[str, ...] | None) -> Mapping[str, object]:
        if not isinstance(written, dict) or (known is not None and not set(written) <= set(known)):
            raise self._wrong(self._document.place_of(loc).line)
        return written

    def _wrong(self, line: int) -> CredentialsError:
        return CredentialsError(
            f"{self._path} is not a usable credentials file: line {line + 1}, or what stands below it, is wrong",
            hint=_FORM,
        )


KEYRING_SERVICE = "geoplan"


@dataclass(frozen=True)
class CredentialSources:
    """Finds the credentials of a unit; ``credentials_of`` is what ``unit_connections`` takes.

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
