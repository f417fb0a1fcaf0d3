"""What both wire formats have in common: a command goes in, an answer of plain values comes out."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Protocol, Self, TypeAlias, Union

from geoplan.errors import UnusableAnswerError
from geoplan.loadmaster.backup_file import backup_fault
from geoplan.loadmaster.credentials import MASK, Secret
from geoplan.wording import http_status, shown_in_line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from geoplan.loadmaster.credentials import Credentials

Node: TypeAlias = Union[bool, int, float, str, "list[Node]", "dict[str, Node]", None]
"""What an answer holds. Keys are in lower case: units are free in theirs."""

Parameter: TypeAlias = str | bool | int | tuple[str, ...] | Secret
Parameters: TypeAlias = Mapping[str, Parameter]

MAX_DEPTH = 32
MAX_TEXT = 500
MAX_VALUES = 500_000
"""Values in one answer: read, each takes many times the memory of its two or three bytes."""
MAX_ENTRIES = 10_000
"""Entries of one list: addresses, partners, clusters, FQDNs. No LoadMaster has nearly so many."""
SHOWN, MAX_SHOWN = 10, 64
"""Entries of a longer list that are named, and characters of each."""

SHOWN_FILE = b"(a file)"
UNAUTHORIZED = 401
TOO_MANY_REQUESTS = 429
SERVER_ERROR = 500
NOT_IMPLEMENTED = 501


@dataclass(frozen=True, slots=True)
class Command:
    """A command with its parameters, before it has a wire format."""

    name: str
    parameters: Parameters = field(default_factory=dict)
    changes: bool = False
    """Whether it changes the unit."""
    file: bool = False
    """Whether a success carries a file."""
    upload: bytes | None = field(default=None, repr=False)
    """A file that goes with it."""
    image: Upload | None = field(default=None, repr=False)
    """A file that is far too large to be held, and goes with it as it is read."""

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """The secrets among its parameters."""
        return tuple(value for value in self.parameters.values() if isinstance(value, Secret))

    def shown(self) -> Command:
        """Return it as people may see it: without files, which may hold secrets, and with its secrets masked."""
        parameters = {
            name: Secret(MASK) if isinstance(value, Secret) else value for name, value in self.parameters.items()
        }
        upload = SHOWN_FILE if self.upload is not None or self.image is not None else None
        return replace(self, parameters=parameters, upload=upload, image=None)


class Upload(Protocol):
    """A large file on its way to a unit, read once as it is sent."""

    name: str
    size: int
    """In bytes."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield all of it, part by part."""


class UnusableError(Exception):
    """An answer that is not the API's, or says nothing that can be understood."""

    def __init__(
        self, reason: str, *, is_page: bool = False, transient: bool = False, status: int | None = None
    ) -> None:
        super().__init__(reason)
        self.is_page = is_page
        self.transient = transient
        self.status = status

    @classmethod
    def of_command(cls, command: str, status: int, reason: str) -> Self:
        """Return that a unit answered a command with an error of its own."""
        return cls(f"it answers '{command}' with {status}: {reason}", transient=True, status=status)

    def of_unit(self, unit: str, hint: str) -> UnusableAnswerError:
        """Return it as the error of one unit."""
        return UnusableAnswerError(
            unit, str(self), transient=self.transient, is_page=self.is_page, status=self.status, hint=hint
        )


@dataclass(frozen=True, slots=True)
class WireRequest:
    """One HTTP request, ready to be sent; it holds a secret unless it was made of masked credentials."""

    method: str
    target: str
    """The path and the query, to be put behind the unit's URL."""
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    image: Upload | None = field(default=None, repr=False)
    """What is sent in place of a body."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP response, read to its end."""

    status: int
    body: bytes = field(repr=False)
    challenge: str = ""
    """What a 401 asks for in place of these credentials: ``WWW-Authenticate``."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a unit answered: success is code 200."""

    code: int
    message: str = ""
    """As the unit wrote it: whoever shows it masks secrets first, and cleans it then."""
    content: dict[str, Node] = field(default_factory=dict, repr=False)
    file: bytes | None = field(default=None, repr=False)

    @property
    def is_success(self) -> bool:
        """Whether the unit did what it was asked for."""
        return 200 <= self.code < 300  # noqa: PLR2004 - HTTP's range


class WireFormat(Protocol):
    """One of the two ways to say a command over HTTP."""

    name: str
    sends_basic: bool
    """Whether user and password go as HTTP Basic."""

    def request(self, command: Command, credentials: Credentials) -> WireRequest:
        """Write a command."""

    def read(self, reply: Reply, *, file: bool) -> Answer:
        """Read an answer, successful or not; ``file`` says that a success carries a file.

        Raises :class:`UnusableError` for whatever is not the API's, and nothing else.
        """


_AROUND = b"\x00 \t\r\n\x0b\x0c"


def trimmed(body: bytes) -> bytes:
    """Return a document without what units may send around it: blank lines, NUL characters, a byte order mark."""
    return body.strip(_AROUND).removeprefix(codecs.BOM_UTF8).lstrip(_AROUND)


def decoded(body: bytes) -> str:
    """Return a document as text: as UTF-8, and what is no UTF-8 as ISO-8859-1, whatever it declares.

    Units declare ISO-8859-1, and the vendor's own client reads UTF-8; a name can come in either.
    """
    if body.isascii():
        return body.decode()  # one copy, however large it is
    return body.decode(errors="surrogateescape").translate(_LATIN_1)


_LATIN_1 = {0xDC00 + byte: chr(byte) for byte in range(0x80, 0x100)}  # what an escaped byte is in ISO-8859-1


def not_the_api(reply: Reply) -> UnusableError:
    """Return what is wrong with a reply that could not be read as the API's."""
    head = trimmed(reply.body[:1024]).lower()
    status = reply.status
    if status == TOO_MANY_REQUESTS or (status >= SERVER_ERROR and status != NOT_IMPLEMENTED):
        return UnusableError(f"it answers HTTP {http_status(status)}", transient=True, status=status)
    if status >= 300:  # noqa: PLR2004 - redirects lead to the login page, 404 says that there is no such API
        return UnusableError(f"it answers HTTP {http_status(status)}", is_page=True)
    if head.startswith(b"<!doctype html") or b"<html" in head:
        return UnusableError("it answers a web page in place of the API", is_page=True)
    return UnusableError("its answer cannot be read", transient=True)


def with_file(content: bytes, code: int, message: str = "") -> Answer:
    """Return an answer with a backup. Raises :class:`UnusableError` for what cannot be one."""
    if fault := backup_fault(content):
        raise UnusableError(f"its backup {fault}", transient=True)
    return Answer(code, message, file=content)


_OF_SESSIONS = re.compile(r"session\s+management|basic\s+authentication", re.IGNORECASE)
_BASIC = re.compile(r"\bbasic\b", re.IGNORECASE)
MAX_READ = 4096  # bytes of a page that are looked at


def is_about_sessions(message: str) -> bool:
    """Return whether a unit refuses APIv2 because of how people log in: Session Management, or Basic alone."""
    return bool(_OF_SESSIONS.search(message))


def asks_for_basic(reply: Reply) -> bool:
    """Return whether a 401 asks for HTTP Basic, or says that Session Management is off."""
    return bool(_BASIC.search(reply.challenge)) or is_about_sessions(decoded(reply.body[:MAX_READ]))


def require_few_values(reply: Reply, marks: Sequence[bytes]) -> None:
    """Check that an answer is small enough to be read; ``marks`` stand at its values."""
    if sum(map(reply.body.count, marks)) > MAX_VALUES:
        raise UnusableError(f"its answer holds more than {MAX_VALUES:,} values")


def require_few_entries(value: object) -> None:
    """Check that a list that was read is one that a unit may have; name its first entries, and how many more."""
    if not isinstance(value, tuple | dict) or len(value) <= MAX_ENTRIES:
        return
    first = ", ".join(clean(str(getattr(entry, "address", entry)))[:MAX_SHOWN] for entry in islice(value, SHOWN))
    more = f"{len(value) - SHOWN:,} more"  # at least: not every reader counts to the end
    raise UnusableError(f"it lists more than {MAX_ENTRIES:,} entries: {first} and at least {more}")


def clean(text: str) -> str:
    """Return a text from a unit that can be shown: short, and nothing in it steers a terminal."""
    return shown_in_line(text)[:MAX_TEXT]
