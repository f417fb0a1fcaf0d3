"""Faults: what goes wrong, on which unit, at which command, at which occurrence."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from geoplan.lab.api.server import HTML as HTML_TYPE
from geoplan.lab.api.server import LOGIN_PAGE
from geoplan.lab.device.parameters import canonical
from geoplan.lab.errors import LabError, NotInLabError
from geoplan.lab.http import Ending, Outcome, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from geoplan.lab.http import Responder

HEALTH = "health"  # the health check, in place of a command's name
REBOOT = "reboot"
FLAPS = 2  # how often a flapping unit goes down again; with its reboot that does not yet pacify it
SERVER_ERROR = Response(500, HTML_TYPE, b"<html><body>Internal Server Error</body></html>\n")


@dataclass(frozen=True, slots=True)
class RequestEffect:
    """What a fault makes of a request, and whether its command is carried out unless the fault says otherwise."""

    ending: Ending = Ending.ANSWERED
    page: Response | None = None
    """Sent in place of the unit's own answer."""
    is_applied: bool = False
    """What is lost on the way back was done; what never got through was not."""
    is_late: bool = False
    closes_port: bool = False


class FaultKind(StrEnum):
    """What can go wrong: a word for it, what it does, what it makes of a request, and its seconds unless given.

    One that makes nothing of a request hits a unit; :mod:`geoplan.lab.unit_faults` applies it.
    """

    description: str
    request: RequestEffect | None
    seconds: float

    def __new__(
        cls, word: str, description: str = "", request: RequestEffect | None = None, seconds: float = 0.0
    ) -> Self:
        """Make a member that is its word."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.description = description.format(seconds=seconds)
        member.request, member.seconds = request, seconds
        return member

    REFUSE = (
        "refuse",
        "drops the connection and refuses others, for S seconds or until lifted",
        RequestEffect(Ending.RESET, closes_port=True),
    )
    RESET = "reset", "resets the connection without an answer", RequestEffect(Ending.RESET)
    TIMEOUT = "timeout", "never answers, and keeps the connection", RequestEffect(Ending.SILENCE)
    SLOW = "slow", "answers S seconds ({seconds:g}) late", RequestEffect(is_applied=True, is_late=True), 2.0
    ERROR = "error", "answers HTTP 500", RequestEffect(page=SERVER_ERROR)
    HTML = "html", "answers an HTML page with status 200", RequestEffect(page=Response(200, HTML_TYPE, LOGIN_PAGE))
    TRUNCATE = (
        "truncate",
        "cuts the answer in half and ends the connection",
        RequestEffect(Ending.TRUNCATED, is_applied=True),
    )
    IGNORE = "ignore", "answers 200 and changes nothing", RequestEffect()
    NO_RETURN = "no-return", "does not come back from a reboot until lifted"
    EARLY_RETURN = "early-return", "is back just before the partners are resubmitted on its partner"
    LOSE_CONFIGURATION = "lose-configuration", "comes back without its configuration"
    FLAP = "flap", "goes down twice more, each time S seconds ({seconds:g}) after it is up", None, 1.0

    @property
    def hits_unit(self) -> bool:
        """Whether it changes what the unit does, and not only what becomes of one request."""
        return self.request is None


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault; what is left out matches everything.

    ``command`` is a command's name, ``set:PARAMETER`` for one parameter, or ``health``. Without it a fault of a unit
    hits its reboot, and a refusal begins at once. ``occurrence`` counts matching requests from 1; without it all of
    them fail until the fault is lifted. ``applied`` says whether the command was carried out although its answer was
    lost. Raises :class:`LabError` where a fault could never happen.
    """

    kind: FaultKind
    unit: str | None = None
    command: str | None = None
    occurrence: int | None = None
    seconds: float | None = None
    applied: bool | None = None

    def __post_init__(self) -> None:
        if self.occurrence is not None and self.occurrence < 1:
            raise LabError(f"the occurrence {self.occurrence} never comes", hint="occurrences count from 1")
        if self.seconds is not None and not 0 <= self.seconds < float("inf"):
            raise LabError(f"{self.seconds} is no number of seconds", hint="write 0 or more")
        if self.kind is FaultKind.EARLY_RETURN and self.trigger != REBOOT:
            raise LabError("an early-return hits a reboot alone", hint="leave the command out")
        if self.kind is FaultKind.IGNORE and self.applied:
            raise LabError("what is ignored is not applied", hint="leave applied=yes out")

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read ``KIND[,unit=ADDRESS][,command=NAME][,occurrence=N][,seconds=S][,applied=yes|no]``.

        Raises :class:`LabError` that says what is wrong.
        """
        kind, *settings = (part.strip() for part in text.split(","))
        written: dict[str, Any] = {"kind": kind}
        for setting in settings:
            name, equals, value = setting.partition("=")
            if not equals:
                raise LabError(f"'{setting}' in the fault '{text}' has no value", hint="write it as NAME=VALUE")
            written[name.strip()] = value.strip()
        return cls.from_mapping(written)

    @classmethod
    def from_mapping(cls, written: Mapping[str, Any]) -> Fault:
        """Build a fault from names and values, which may be texts. Raises :class:`LabError` where they make none."""
        names = [field.name for field in fields(cls)]
        unknown = [name for name in written if name not in names]
        if unknown:
            raise LabError(f"a fault has no '{unknown[0]}'", hint=f"it has {', '.join(names)}")
        settings = {name: read(str(written[name])) for name, read in _READERS.items() if written.get(name) is not None}
        return cls(_kind(written.get("kind")), **settings)

    def __str__(self) -> str:
        said = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "kind"}
        settings = [f"{name}={_spell(value)}" for name, value in said.items() if value is not None]
        return ",".join([self.kind, *settings])

    @property
    def trigger(self) -> str | None:
        """The command that it waits for."""
        if self.command:
            return self.command.lower()
        return REBOOT if self.kind.hits_unit else None

    @property
    def delay_seconds(self) -> float:
        """Its seconds, or what stands for them where none are given."""
        return self.kind.seconds if self.seconds is None else self.seconds

    @property
    def late_seconds(self) -> float:
        """How late it lets an answer be."""
        return self.delay_seconds if self.kind.request and self.kind.request.is_late else 0.0

    @property
    def closes_port(self) -> bool:
        """Whether it lets the port that it is met on refuse."""
        return self.kind.request is not None and self.kind.request.closes_port

    @property
    def begins_at_once(self) -> bool:
        """Whether it closes a port without waiting for a request."""
        return self.closes_port and self.occurrence is None and self.trigger in (None, HEALTH)

    def answer(self, respond: Responder) -> Outcome:
        """Answer a request as far as this fault lets it; one that hits a unit does."""
        effect = self.kind.request
        if effect is None:
            return Outcome(Ending.ANSWERED, respond(pretend=False))
        is_applied = effect.is_applied if self.applied is None else self.applied
        response = effect.page
        if response is None and effect.ending in (Ending.ANSWERED, Ending.TRUNCATED):
            response = respond(pretend=not is_applied)
        elif is_applied:
            respond(pretend=False)
        return Outcome(effect.ending, response, self.late_seconds)

    def concerns(self, address: str) -> bool:
        """Return whether it is about that unit."""
        return self.unit is None or canonical(self.unit) == canonical(address)

    def waits_for(self, command: str, parameter: str | None) -> bool:
        """Return whether it is about that command, with that ``param``."""
        return self.trigger in (None, command, f"{command}:{parameter}")


class Injected(NamedTuple):
    """A fault that is set, under the number by which it is lifted."""

    number: int
    fault: Fault


class Faults:
    """The faults that are set, and how often each has been met."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._faults: dict[int, Fault] = {}
        self._met: dict[int, int] = {}

    def __iter__(self) -> Iterator[Injected]:
        return (Injected(number, fault) for number, fault in self._faults.items())

    def __contains__(self, number: object) -> bool:
        return number in self._faults

    def inject(self, fault: Fault) -> int:
        """Set a fault; return its number."""
        number = next(self._numbers)
        self._faults[number] = fault
        self._met[number] = 0
        return number

    def lift(self, number: int) -> Fault:
        """Take a fault away. Raises :class:`NotInLabError` where there is none of that number."""
        if number not in self._faults:
            numbers = ", ".join(map(str, self._faults))
            hint = f"those that are set: {numbers}" if numbers else "no fault is set"
            raise NotInLabError(f"there is no fault {number}", hint=hint)
        del self._met[number]
        return self._faults.pop(number)

    def met(self, number: int) -> int:
        """Return how many requests a fault has met that are about it, those it let pass included."""
        return self._met[number]

    def met_by(self, address: str, command: str, parameter: str | None = None) -> list[Injected]:
        """Count a request against every fault that is about it, and return those whose occurrence it is."""
        happening = []
        for number, fault in self._faults.items():
            if fault.concerns(address) and fault.waits_for(command, parameter):
                self._met[number] += 1
                if fault.occurrence in (None, self._met[number]):
                    happening.append(Injected(number, fault))
        return happening


def _kind(written: object) -> FaultKind:
    try:
        return FaultKind(str(written))
    except ValueError:
        raise LabError(f"there is no fault '{written}'", hint=f"there are {', '.join(FaultKind)}") from None


def _count(written: str) -> int:
    try:
        return int(written)
    except ValueError:
        raise LabError(f"'{written}' is no occurrence", hint="write a whole number from 1") from None


def _seconds(written: str) -> float:
    try:
        return float(written)
    except ValueError:
        raise LabError(f"'{written}' is no number of seconds", hint="write 0 or more") from None


def _flag(written: str) -> bool:
    words = {"yes": True, "true": True, "no": False, "false": False}
    if written.lower() not in words:
        raise LabError(f"'{written}' is neither yes nor no", hint="write applied=yes or applied=no")
    return words[written.lower()]


_READERS: Mapping[str, Callable[[str], Any]] = {
    "unit": str,
    "command": str,
    "occurrence": _count,
    "seconds": _seconds,
    "applied": _flag,
}


def _spell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
