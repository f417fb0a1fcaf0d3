"""Who geoplan is to a unit, and where that comes from. Secrets are held in a type that never shows them."""

from __future__ import annotations

import base64
import hmac
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, Self, TypeAlias
from weakref import WeakValueDictionary

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError, model_validator
from pydantic_core import core_schema

from geoplan.addresses import canonical, is_address
from geoplan.errors import CredentialsError, UnusableFileError
from geoplan.files import display_name, read_bounded
from geoplan.loadmaster.plain_secrets import silent_losses
from geoplan.topology.names import nearest
from geoplan.wording import join_words, shell_command
from geoplan.yaml12 import read_document

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pydantic_core import ErrorDetails


MASK = "********"
DEFAULT_USER = "bal"  # the administrator that every LoadMaster is delivered with


_IN_USE: WeakValueDictionary[int, Secret] = WeakValueDictionary()
"""All that this process holds, so that a report of a fault can leave them out, whoever made them."""


class Secret:
    """A password or key; only :meth:`reveal` gives it away, and nothing prints, copies to disk or pickles it.

    pydantic's own ``SecretStr`` would be weaker: it can be pickled, and its comparison takes the longer the more is
    alike.
    """

    __slots__ = ("__weakref__", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        _IN_USE[id(self)] = self

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

    @classmethod
    def __get_pydantic_core_schema__(cls, *_: object) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema(min_length=1))


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
    hidden = Secret(MASK)
    return ApiKey(hidden) if isinstance(credentials, ApiKey) else UserPassword(credentials.user, hidden)


def basic_authorization(credentials: UserPassword) -> str:
    """Return what HTTP Basic sends of a user and a password."""
    return "Basic " + base64.b64encode(_bytes(f"{credentials.user}:{credentials.password.reveal()}")).decode()


def secrets_in_use() -> set[str]:
    """Return every secret that this process holds, so that a report of a fault can leave them out."""
    return {secret.reveal() for secret in list(_IN_USE.values())}


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


MAX_BYTES = 1024 * 1024
OTHERS = stat.S_IRWXG | stat.S_IRWXO
_FORM = "write default: {user: NAME, password: …} or {apikey: …}, and the same for each ADDRESS under units:"


def _unit(address: str) -> str:
    if not is_address(address):
        raise ValueError("not an address")
    return canonical(address)


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class _Entry(_Model):
    """What the file says of a unit: a key, or a password with its user."""

    user: Annotated[str, StringConstraints(min_length=1)] = DEFAULT_USER
    password: Secret | None = None
    apikey: Secret | None = None

    @model_validator(mode="after")
    def _has_one_secret(self) -> Self:
        if len(self.model_fields_set - {"user"}) != 1 or self.password is self.apikey:
            raise ValueError("one of password and apikey is needed")
        return self

    @property
    def credentials(self) -> Credentials:
        return ApiKey(self.apikey) if self.apikey else UserPassword(self.user, self.password or Secret(""))


class CredentialsFile(_Model):
    """The credentials of units by their addresses, and those of all others."""

    default: _Entry | None = None
    units: Mapping[Annotated[str, AfterValidator(_unit)], _Entry] | None = None

    def credentials_of(self, address: str) -> Credentials | None:
        """Return the credentials of a unit, or None if the file has none for it."""
        entry = (self.units or {}).get(canonical(address), self.default)
        return entry.credentials if entry else None


def load_credentials(path: str | Path) -> CredentialsFile:
    """Read a credentials file; see :func:`read_credentials`."""
    return read_credentials(path)[0]


def read_credentials(path: str | Path) -> tuple[CredentialsFile, tuple[str, ...]]:
    """Read a credentials file, and say what of it YAML takes for no part of a secret; ``-`` is standard input.

    Raises :class:`CredentialsError` where others can read it, or it is wrong. It says in which line, and never what
    stands there.
    """
    name = display_name(path)
    check = partial(require_private, f"the credentials file {name}")
    try:
        content = read_bounded(path, MAX_BYTES, name=f"the credentials file {name}", check=check, is_stdin_allowed=True)
        text = content.decode("utf-8-sig")
    except UnusableFileError as error:
        raise CredentialsError(str(error), hint=error.hint) from None
    except UnicodeDecodeError:
        text = ""
    if len(content) > MAX_BYTES or (content and not text):
        raise CredentialsError(f"{name} is not a usable credentials file: it is no short UTF-8 text", hint=_FORM)
    document = read_document(text)
    if document.faults:
        what = f"there is an error at or below line {document.faults[0].place.line + 1}"
    else:
        try:
            file = CredentialsFile.model_validate(document.value)
            return file, tuple(f"{name}:{line}: {loss}" for line, loss in dict.fromkeys(silent_losses(document, text)))
        except ValidationError as error:
            (fault, *_) = error.errors(include_url=False, include_input=False, include_context=False)
            line = document.place_of(tuple(part for part in fault["loc"] if part != "[key]")).line
            what = f"line {line + 1}: {_described(fault)}"
    raise CredentialsError(  # outside of the handler: what it handled holds the secrets
        f"{name} is not a usable credentials file: {what}", hint=_FORM
    )


MISTYPED = 0.75  # of 1; above it a word is a slip of the key, and no secret in its place
_MARKS_OF_ADDRESS = re.compile(r"[0-9A-Fa-f]*[.:][0-9A-Fa-f.:/]*")
_OTHER_WORDS = {  # what people write for these keys, and what no secret is
    "username": "user",
    "login": "user",
    "name": "user",
    "pass": "password",
    "pwd": "password",
    "passwd": "password",
    "passphrase": "password",
    "key": "apikey",
    "token": "apikey",
    "api_key": "apikey",
    "api-key": "apikey",
}


def _described(fault: ErrorDetails) -> str:
    """Say what is wrong, and where: with its keys, but never with what could be a secret at a key's place."""
    path = [str(part) for part in fault["loc"] if part != "[key]"]
    *around, last = path or [""]
    where = ": ".join(map(_shown_key, path)) or "the file"
    match fault["type"]:
        case "extra_forbidden" if not around and is_address(last):
            return f"{last} stands at the top: it belongs under units:"
        case "extra_forbidden":
            known = list((_Entry if around else CredentialsFile).model_fields)
            place = ": ".join(map(_shown_key, around)) or "the file"
            meant = _meant_key(last, known)
            told = f"unknown key '{last}' (did you mean '{meant}'?)" if meant else "an unknown key, which is not shown"
            return f"{place}: {told}; its keys are {join_words(known)}"
        case "value_error" if around == ["units"]:
            return f"units: {_shown_key(last)} is not an address"
        case "value_error":
            return f"{where}: give one of password and apikey"
        case "string_too_short":
            return f"{where} is empty"
        case "string_type":
            return f"{where} is not a text"
    return f"{where} is not a mapping of keys and values"


def _meant_key(written: str, known: list[str]) -> str | None:
    """Return the key that was meant: only what is so near to one is shown, and is no secret."""
    meant = _OTHER_WORDS.get(written.lower(), "")
    if meant in known:
        return meant
    return nearest(written, known, likeness=MISTYPED) if re.fullmatch("[A-Za-z_-]+", written) else None


def _shown_key(key: str) -> str:
    """Return a key where it is one of the format's own or an address: any other may be a secret in the wrong place."""
    own = {*CredentialsFile.model_fields, *_Entry.model_fields}
    return key if key in own or _MARKS_OF_ADDRESS.fullmatch(key) else "a key"


def require_private(what: str, status: os.stat_result) -> None:
    """Check that a file with secrets is for its owner's eyes alone. Raises :class:`CredentialsError`."""
    if os.name != "posix":
        return
    if status.st_uid != os.geteuid():
        raise CredentialsError(f"{what} belongs to somebody else", hint="use a file of your own, with mode 0600")
    if status.st_mode & OTHERS:
        path = what.rpartition(" ")[2]
        raise CredentialsError(
            f"others than its owner have access to {what} (mode {status.st_mode & 0o777:04o})",
            hint=f"change its secrets if others may have read them, and {shell_command('chmod', '600', str(path))}",
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
