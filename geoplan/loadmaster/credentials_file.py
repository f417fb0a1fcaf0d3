"""A file of credentials, refused unless only its owner can read it; no error ever shows what it holds."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from geoplan.errors import CredentialsError
from geoplan.loadmaster.addresses import canonical, is_address
from geoplan.loadmaster.credentials import DEFAULT_USER, ApiKey, Credentials, Secret, UserPassword
from geoplan.topology.document import read_document

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geoplan.topology.document import Document, Loc

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
