"""A command of the API: how it is declared, asked for in either format, and answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from geoplan.lab.device.parameters import canonical, split_addresses
from geoplan.lab.variants import Variant

if TYPE_CHECKING:
    from geoplan.lab.device.network import Network
    from geoplan.lab.device.parameters import Parameter, Value
    from geoplan.lab.device.unit import Firmware, Unit


DONE = "Command completed ok"
NO_GEO_DATA = "No geo data found"
UNKNOWN_COMMAND = "Unknown command"
BAD_REQUEST = 400  # a mandatory parameter is missing (the vendor's SDKs)
UNAUTHORIZED = 401
FORBIDDEN = 403
NOT_FOUND = 404
NOT_ALLOWED = 405
UNPROCESSABLE = 422


@dataclass(frozen=True, slots=True)
class Letter:
    """A yes or no that APIv1 writes as Y or N."""

    value: bool


@dataclass(frozen=True, slots=True)
class Degrees:
    """An angle in degrees, with 8 decimals in APIv1."""

    value: float


Leaf: TypeAlias = "bool | int | str | tuple[str, ...] | Letter | Degrees"
Node: TypeAlias = "Leaf | Mapping[str, Node] | Sequence[Mapping[str, Node]]"


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: words, data, a sentence in place of data, or a file."""

    message: str = DONE
    data: Mapping[str, Node] | None = None
    sentence: str | None = None
    file: bytes | None = None
    repeats: bool = False
    """Whether APIv1 repeats an element for each of several values, and prints no list."""


class ApiError(Exception):
    """A failure, with the code that both formats give it.

    ``wants_basic`` says that only HTTP Basic would do, which APIv2 does not have.
    """

    def __init__(self, code: int, message: str, *, wants_basic: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.wants_basic = wants_basic


TRUE_WORDS = frozenset({"yes", "y", "1", "true", "on"})
FALSE_WORDS = frozenset({"no", "n", "0", "false", "off"})
VALUES = ("value", "val")
MAX_PORT = 65535
Written = str | bool | int | float | None | Sequence[object] | Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a request says it is."""

    user: str | None = None
    password: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)
    has_key_in_form: bool = False
    """Whether the API key came in the form of an APIv1 request, and not in its query."""


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A command, in lower case, and its parameters by names in lower case.

    The methods read one parameter; each raises :class:`ApiError` where it is missing or not what it should be.
    """

    command: str
    identity: Identity
    parameters: Mapping[str, Written] = field(default_factory=dict, repr=False)
    version: Literal[1, 2] = 2
    """Of the API that it came over."""
    file: bytes = field(default=b"", repr=False)
    """The body of an APIv1 request that is no form."""
    file_name: str = ""
    """What the client calls the body."""
    file_bytes: int = 0
    """Its size, be it kept or not."""

    @property
    def param(self) -> str | None:
        """The parameter that a ``get`` or ``set`` is about, in lower case."""
        param = self.parameters.get("param")
        return param.lower() if isinstance(param, str) else None

    def has(self, name: str) -> bool:
        """Return whether a parameter was given."""
        return name in self.parameters

    def text(self, name: str) -> str:
        """Return a text without characters that an answer could not carry."""
        written = self._written(name)
        if isinstance(written, bool):
            return "yes" if written else "no"
        if not isinstance(written, str | int | float):
            raise _bad(name)
        text = str(written)
        if not text.isprintable():
            raise _bad(name)
        return text

    def address(self, name: str) -> str:
        """Return one address as it was written."""
        text = self.text(name).strip()
        try:
            canonical(text)
        except ValueError:
            raise _bad(name) from None
        return text

    def addresses(self, name: str) -> tuple[str, ...]:
        """Return a list of addresses, separated by commas or spaces, or a JSON array."""
        written = self._written(name)
        parts = list(written) if isinstance(written, Sequence) and not isinstance(written, str) else [written]
        try:
            return split_addresses(" ".join(part if isinstance(part, str) else "?" for part in parts))
        except ValueError:
            raise _bad(name) from None

    def number(self, name: str, lowest: int, highest: int) -> int:
        """Return a whole number between two others."""
        try:
            number = int(self.text(name))
        except ValueError:
            raise _bad(name) from None
        if not lowest <= number <= highest:
            raise _bad(name)
        return number

    def flag(self, name: str) -> bool:
        """Return a yes or no in any of its spellings."""
        word = self.text(name).lower()
        if word not in TRUE_WORDS | FALSE_WORDS:
            raise _bad(name)
        return word in TRUE_WORDS

    def one_of(self, name: str, choices: Sequence[str]) -> str:
        """Return one of some words, whatever its case."""
        word = self.text(name).lower()
        found = next((choice for choice in choices if choice.lower() == word), None)
        if found is None:
            raise _bad(name)
        return found

    def value_of(self, parameter: Parameter) -> Value:
        """Return what is given for a parameter as ``value``, or as ``val``, which the vendor writes in APIv2.

        A bad one is refused under the parameter's name.
        """
        given = next((name for name in VALUES if self.has(name)), VALUES[0])
        self._written(given)
        try:
            match parameter.kind:
                case "addresses":
                    return self.addresses(given)
                case "flag":
                    return self.flag(given)
                case "yes":
                    return self.one_of(given, ("no", "yes")) == "yes"
                case "port":
                    return self.number(given, 1, MAX_PORT)
                case "number":
                    return self.number(given, 0, MAX_PORT)
                case "text":
                    return self.text(given)
        except ApiError:
            raise _bad(parameter.name) from None

    def _written(self, name: str) -> Written:
        if name not in self.parameters:
            raise missing(name)
        return self.parameters[name]


def missing(name: str) -> ApiError:
    """Return the failure of a command that lacks a parameter which it needs."""
    return ApiError(BAD_REQUEST, f"{name}: String Value missing")


def _bad(name: str) -> ApiError:
    return ApiError(UNPROCESSABLE, f"Invalid value for {name}")


Cloud = Literal["AwsHA", "AzureHA"]
"""A cloud, by the element in which its units tell their HA parameters."""


@dataclass(frozen=True, slots=True)
class Context:
    """Where a command is carried out: a unit among the others."""

    network: Network
    unit: Unit
    reboot: Callable[[], None]
    """Reboot this unit once it has answered."""
    variants: frozenset[Variant] = frozenset()
    """In what the units of this lab are otherwise."""

    @property
    def cloud(self) -> Cloud:
        """Where all units of this lab run."""
        return "AzureHA" if Variant.AZURE in self.variants else "AwsHA"


Handler = Callable[[Context, ApiRequest], Answer]


@dataclass(frozen=True, slots=True)
class Command:
    """A command: what it does, whether it changes anything, and which firmware has it."""

    name: str
    run: Handler
    logged: tuple[str, ...] = ()
    """Its parameters whose values are harmless in the log; every other one is masked there."""
    changes: bool = False
    exists: Callable[[Firmware], bool] = lambda _firmware: True
    pretend: Handler = lambda _context, _call: Answer()
    """Answer as though it had been done."""
