"""The Partner Shared Secret: where an operator gives it, what it may be made of, and the command that sets it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from geoplan.errors import CredentialsError, UnusableFileError
from geoplan.files import display_name, read_bounded
from geoplan.loadmaster.credentials import Secret, require_private
from geoplan.loadmaster.wire import Command
from geoplan.vendor import LONGEST_SECRET, NOT_IN_SECRETS, SHARED_SECRET, SHORTEST_SECRET

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from geoplan.loadmaster.session import Session

_CHARACTERS = frozenset(map(chr, range(0x21, 0x7F))) - frozenset(NOT_IN_SECRETS)
_FORM = (
    f"it has {SHORTEST_SECRET} to {LONGEST_SECRET} characters: letters A to Z and a to z, digits, and marks such as "
    "!#$%&()*+-./ but no blank and no apostrophe"
)


class PartnerSecretCommands:
    """What a client of one unit can do about its secret."""

    _session: Session

    async def set_partner_secret(self, secret: Secret) -> None:
        """Set the Partner Shared Secret of this unit alone, once: nothing reads it back, and twice does no harm."""
        await self._session.change(Command("setlmcommsecret", {"secret": secret}, changes=True), once=True)


def checked(text: str, where: str) -> Secret:
    """Return a secret that units can take. Raises :class:`CredentialsError`, which says nothing of what it is."""
    is_usable = SHORTEST_SECRET <= len(text) <= LONGEST_SECRET and _CHARACTERS.issuperset(text)
    if not is_usable:
        raise CredentialsError(f"no unit takes the {SHARED_SECRET} {where}", hint=_FORM)
    return Secret(text)


@dataclass(frozen=True)
class SecretSource:
    """Where one secret comes from: a file where one is given, else the environment, else a prompt."""

    name: str
    """What it is called where it is asked for."""
    variable: str
    environment: Mapping[str, str] = field(repr=False)
    path: str | Path | None = None
    prompt: Callable[[str], str] | None = None
    """Asks a person; None where nobody can be asked."""

    def find(self, *, may_ask: bool = True) -> Secret | None:
        """Return it, or None where there is none. Raises :class:`CredentialsError` where no unit takes it."""
        if self.path is not None:
            return checked(_in_file(self.path), f"in {display_name(self.path)}")
        given = self.environment.get(self.variable)
        if given == "":
            hint = "unset it, or let it hold the secret: nothing else is taken in its place"
            raise CredentialsError(f"{self.variable} is empty", hint=hint)
        if given is not None:
            return checked(given, f"in {self.variable}")
        if self.prompt is None or not may_ask:
            return None
        asked = self.prompt(self.name)
        return checked(asked, "that was typed") if asked else None


def _in_file(path: str | Path) -> str:
    """Return what a file of its owner's alone holds, without the end of its line."""
    name = f"the file {display_name(path)}"
    try:
        content = read_bounded(
            path, MAX_BYTES, name=name, check=partial(require_private, name), is_stdin_allowed=True
        ).decode("ascii", "replace")
    except UnusableFileError as error:
        raise CredentialsError(str(error), hint=error.hint) from None
    return content.removesuffix("\n").removesuffix("\r")


MAX_BYTES = 1024
