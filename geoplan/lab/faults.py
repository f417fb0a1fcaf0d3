"""Faults: what goes wrong, on which unit, at which command, at which occurrence."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from itertools import count
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from geoplan.lab.device.parameters import canonical
from geoplan.lab.errors import LabError, NotInLabError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HEALTH = "health"  # the health check, in place of a command's name
REBOOT = "reboot"


class FaultKind(StrEnum):
    """What can go wrong. The first eight hit a request, the last four a unit."""

    REFUSE = "refuse"
    RESET = "reset"
    TIMEOUT = "timeout"
    SLOW = "slow"
    ERROR = "error"
    HTML = "html"
    TRUNCATE = "truncate"
    IGNORE = "ignore"
    NO_RETURN = "no-return"
    EARLY_RETURN = "early-return"
    LOSE_CONFIGURATION = "lose-configuration"
    FLAP = "flap"

    @property
    def hits_unit(self) -> bool:
        """Whether it changes what the unit does, and not only what becomes of one request."""
        return self in (self.NO_RETURN, self.EARLY_RETURN, self.LOSE_CONFIGURATION, self.FLAP)


DESCRIPTIONS: Mapping[FaultKind, str] = MappingProxyType(
    {
        FaultKind.REFUSE: "drops the connection and refuses others, for S seconds or until lifted",
        FaultKind.RESET: "resets the connection without an answer",
        FaultKind.TIMEOUT: "never answers, and keeps the connection",
        FaultKind.SLOW: "answers S seconds (2) late",
        FaultKind.ERROR: "answers HTTP 500",
        FaultKind.HTML: "answers an HTML page with status 200",
        FaultKind.TRUNCATE: "cuts the answer in half and ends the connection",
        FaultKind.IGNORE: "answers 200 and changes nothing",
        FaultKind.NO_RETURN: "does not come back from a reboot until lifted",
        FaultKind.EARLY_RETURN: "is back just before the partners are resubmitted on its partner",
        FaultKind.LOSE_CONFIGURATION: "comes back without its configuration",
        FaultKind.FLAP: "goes down twice more, each time S seconds (1) after it is up",
    }
)
DEFAULT_SECONDS: Mapping[FaultKind, float] = MappingProxyType({FaultKind.SLOW: 2.0, FaultKind.FLAP: 1.0})

# What is lost on the way back was done; what never got through was not.
_APPLIED_BY_DEFAULT = frozenset({FaultKind.SLOW, FaultKind.TRUNCATE})


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
        given = {name: value for name, value in written.items() if value is not None}
        return cls(
            kind=_kind(given.get("kind")),
            unit=_text(given.get("unit")),
            command=_text(given.get("command")),
            occurrence=_count(given.get("occurrence")),
            seconds=_seconds(given.get("seconds")),
            applied=_flag(given.get("applied")),
        )

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
    def is_applied(self) -> bool:
        """Whether a command is carried out although it fails."""
        return self.kind in _APPLIED_BY_DEFAULT if self.applied is None else self.applied

    @property
    def delay_seconds(self) -> float:
        """Its seconds, or what stands for them where none are given."""
        return DEFAULT_SECONDS.get(self.kind, 0.0) if self.seconds is None else self.seconds

    def concerns(self, address: str) -> bool:
        """Tell whether it is about that unit."""
        return self.unit is None or canonical(self.unit) == canonical(address)

    def waits_for(self, command: str, parameter: str | None) -> bool:
        """Tell whether it is about that command, with that ``param``."""
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


def _text(written: object) -> str | None:
    return None if written is None else str(written)


def _count(written: object) -> int | None:
    try:
        return None if written is None else int(str(written))
    except ValueError:
        raise LabError(f"'{written}' is no occurrence", hint="write a whole number from 1") from None


def _seconds(written: object) -> float | None:
    try:
        return None if written is None else float(str(written))
    except ValueError:
        raise LabError(f"'{written}' is no number of seconds", hint="write 0 or more") from None


def _flag(written: object) -> bool | None:
    if written is None:
        return None
    words = {"yes": True, "true": True, "no": False, "false": False}
    word = str(written).lower()
    if word not in words:
        raise LabError(f"'{written}' is neither yes nor no", hint="write applied=yes or applied=no")
    return words[word]


def _spell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
