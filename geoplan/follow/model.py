"""How far the work by hand is: the state of each step, what is remembered from look to look, and what is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geoplan.live.model import Observation, Observations


class StepState(StrEnum):
    """How one step stands."""

    OPEN = "open"
    ASKS = "asks"
    """It is due, and nothing that units tell would show it: the person has to tick it."""
    DONE = "done"
    WRONG = "wrong"
    """Something was done, and it is not what the step enters."""
    TOO_LATE = "too late"
    """The window of a submission is closed, and the submission was not seen: the reboot has to be done again."""


@dataclass(frozen=True, slots=True)
class StepStatus:
    """The state of one step, and what was seen that shows it."""

    state: StepState = StepState.OPEN
    said: str = ""
    not_before: tuple[int, ...] = ()
    """The numbers of the steps that should have been done before it, and were not when it was."""
    by_hand: bool = False
    """Whether the person ticked it."""

    @property
    def is_done(self) -> bool:
        """Whether nothing of it is left to do."""
        return self.state is StepState.DONE


@dataclass(frozen=True, slots=True)
class Look:
    """All units at one moment, in seconds of a clock that only goes on."""

    facts: Observations
    at: float


@dataclass(frozen=True, slots=True)
class Window:
    """The time after the reboot of a pair's master in which its slave takes the submission."""

    opened: float
    closes: float | None
    """About when the master takes over again; None where it does not (No Preferred Host)."""
    why_not: str = ""
    """Why the reboot does not count, if it does not."""
    not_before: tuple[int, ...] = ()
    was_green: frozenset[str] = frozenset()
    """The partners that had a link with the slave before: what these show now proves nothing."""
    owed: frozenset[str] = frozenset()
    """The partners that were seen without a link with the slave: one of these that turns green proves a submission."""
    changed: frozenset[str] = frozenset()
    """The partners that were changed themselves meanwhile: their own submission may be what turned them green."""
    is_closing: bool = False
    is_closed: bool = False

    @property
    def counts(self) -> bool:
        """Whether everything that has to come before the reboot was in place."""
        return not self.why_not


@dataclass(frozen=True, slots=True)
class PairSeen:
    """What is remembered of a pair."""

    was_ready: bool = False
    """Whether all that its reboot needs was in place when it was first looked at: the reboot may be older than that."""
    master_was_active: bool = False
    boot_time: str | None = None
    """When the master was booted last, in its own words, as far as it was told."""
    green: frozenset[str] = frozenset()
    """The partners that the slave was ever seen to have a link with; canonical."""
    red: frozenset[str] = frozenset()
    """Those that it was seen to have none with, while both answered."""
    window: Window | None = None


@dataclass(frozen=True)
class Progress:
    """All that is known after some looks. Steps by their ids, pairs by their sites, units by their addresses."""

    steps: Mapping[str, StepStatus] = field(default_factory=dict)
    pairs: Mapping[str, PairSeen] = field(default_factory=dict)
    first: Mapping[str, Observation] = field(default_factory=dict)
    """What each site's active unit held when it was first read, by the site."""
    last: Mapping[str, Observation] = field(default_factory=dict)
    """Each unit as it was last read."""
    denied: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The partners that deny, by a red link, that a reboot or a submission has come to its end; by the step's id."""
    looks: int = 0

    def status(self, step_id: str) -> StepStatus:
        """Return how a step stands; one that was never looked at is open."""
        return self.steps.get(step_id, StepStatus())


class EventKind(StrEnum):
    """What is told."""

    DONE = "done"
    WRONG = "wrong"
    UNDONE = "undone"
    OUT_OF_ORDER = "out_of_order"
    ASKS = "asks"
    WINDOW_OPEN = "window_open"
    WINDOW_CLOSING = "window_closing"
    TOO_LATE = "too_late"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that is told of one step."""

    kind: EventKind
    number: int
    step: str
    """Its id."""
    message: str
