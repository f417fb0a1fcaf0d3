"""What the parts of a running push share: units, journal, time, the operator's wishes, and whom to tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from geoplan.addresses import canonical
from geoplan.concurrency import DEFAULT_JOBS
from geoplan.live.model import SUBJECTS
from geoplan.push.events import Event, EventKind, Outcome, StepState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from geoplan.live.findings import NoteKind
    from geoplan.live.fleet import Fleet
    from geoplan.live.model import HaFacts, Observations
    from geoplan.live.polling import Clock, Timings
    from geoplan.plan.model import Plan, SiteSettings, Step
    from geoplan.push.events import Reporter
    from geoplan.push.journal import Journal
    from geoplan.push.ledger import Ledger
    from geoplan.push.records import RecordedOptions


class RebootMode(StrEnum):
    """Which pairs to reboot."""

    CHANGED = "changed"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Options:
    """What the operator asked for."""

    jobs: int = DEFAULT_JOBS
    reboot: RebootMode = RebootMode.CHANGED
    reboot_sites: tuple[str, ...] = ()
    """Pairs to reboot whether or not their partners changed."""
    parallel_groups: bool = False
    remove_unknown: bool = False
    accept_geo_merge: bool = False

    def as_plain(self) -> dict[str, Any]:
        """Return what a resumed push takes over."""
        return {
            "reboot": self.reboot.value,
            "reboot_sites": list(self.reboot_sites),
            "parallel_groups": self.parallel_groups,
            "remove_unknown": self.remove_unknown,
            "accept_geo_merge": self.accept_geo_merge,
        }

    def resumed_with(self, recorded: RecordedOptions) -> Options:
        """Return these options with what the operator had already said when the push began."""
        sites = (*recorded.reboot_sites, *self.reboot_sites)
        mode = recorded.reboot if self.reboot is RebootMode.CHANGED else self.reboot
        return Options(
            jobs=self.jobs,
            reboot=mode,
            reboot_sites=tuple(dict.fromkeys(sites)),
            parallel_groups=self.parallel_groups or recorded.parallel_groups,
            remove_unknown=self.remove_unknown or recorded.remove_unknown,
            accept_geo_merge=self.accept_geo_merge or recorded.accept_geo_merge,
        )


@dataclass(slots=True)
class Stop:
    """Whether the operator wants the push to end after the steps that are under way."""

    requested: bool = False

    def request(self) -> None:
        """Begin no further step."""
        self.requested = True


@dataclass
class Seen:
    """What the push has seen of the units or done to them: whatever else it meets, somebody else has done."""

    lists: dict[tuple[str, str], set[frozenset[str]]] = field(default_factory=dict)
    """What each list of a site held, by the site's name and the subject; each as canonical addresses."""
    ha: dict[str, HaFacts] = field(default_factory=dict)
    """The HA parameters of each unit that this push has not changed yet, by its address."""
    boot_times: dict[str, str] = field(default_factory=dict)
    """When each unit was booted last, in its own words, by its address."""

    @classmethod
    def in_facts(cls, facts: Observations) -> Seen:
        """Take what the checks saw."""
        seen = cls()
        for unit in facts.units.values():
            for subject in SUBJECTS:
                held: tuple[str, ...] | None = getattr(unit, subject)
                if held is not None:
                    seen.note_list(unit.site, subject, held)
            if unit.ha is not None:
                seen.ha[unit.address] = unit.ha
            if unit.boot_time is not None:
                seen.boot_times[unit.address] = unit.boot_time
        return seen

    def note_list(self, site: str, subject: str, addresses: Iterable[str]) -> None:
        """Note what a list holds, or holds now since this push has written it."""
        self.lists.setdefault((site, subject), set()).add(frozenset(map(canonical, addresses)))

    def knows_list(self, site: str, subject: str, addresses: Iterable[str]) -> bool:
        """Return whether a list holds what it held at the checks, or what this push has written."""
        known = self.lists.get((site, subject))
        return known is None or frozenset(map(canonical, addresses)) in known


@dataclass(frozen=True)
class Context:
    """One push as its parts see it."""

    fleet: Fleet
    journal: Journal
    options: Options
    report: Reporter
    stop: Stop = field(default_factory=Stop)
    began: float = 0.0
    seen: Seen = field(default_factory=Seen)
    forms: frozenset[str] = frozenset()
    """The pairs that this push forms of two single units; HA parameters of others are never changed."""

    @property
    def plan(self) -> Plan:
        """The plan that is carried out."""
        return self.fleet.plan

    @property
    def ledger(self) -> Ledger:
        """What the units owe and have proven, by this push and those before it."""
        return self.journal.ledger

    @property
    def clock(self) -> Clock:
        """The time that counts."""
        return self.fleet.clock

    @property
    def timings(self) -> Timings:
        """How long to wait."""
        return self.fleet.timings

    def site(self, step: Step) -> SiteSettings:
        """Return the site that a step is done on."""
        return self.plan.site(step.on.site)

    def say(  # noqa: PLR0913 - what an event can have
        self,
        kind: EventKind,
        message: str,
        *,
        step: Step | None = None,
        unit: str | None = None,
        state: StepState | None = None,
        step_seconds: float | None = None,
        **details: object,
    ) -> None:
        """Tell whoever listens."""
        seconds = self.clock.now() - self.began
        self.report(Event(kind, seconds, message, step, unit, state, step_seconds, details))

    def note(
        self, kind: NoteKind, message: str, *, site: str, unit: str | None = None, step: Step | None = None
    ) -> None:
        """Write something worth knowing into the journal, and say it."""
        self.journal.write("note", kind=kind, message=message, site=site, unit=unit)
        seconds = self.clock.now() - self.began
        details = {"kind": kind.value, "site": site}
        self.report(Event(EventKind.NOTE, seconds, message, step, unit, details=details))

    def waiting(self, step: Step, message: str, unit: str | None = None) -> Callable[[float], None]:
        """Return what says what a step is waiting for, once it has to."""

        def tell(at_most: float) -> None:
            self.say(EventKind.STEP_WAITING, message, step=step, unit=unit, at_most_seconds=round(at_most, 3))

        return tell


class StepError(Exception):
    """A step that failed: what happened, on which unit, and what to do about it."""

    def __init__(self, step: Step, message: str, *, unit: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.step = step
        self.unit = unit
        self.hint = hint


class StoppedError(Exception):
    """The operator wanted an end before this step had changed anything."""


class StepReporter:
    """Tells that a step begins or has ended, and how long it took. A pair's steps may do so more than once."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._began: dict[str, float] = {}

    def begin(self, step: Step) -> None:
        """Say that a step begins now."""
        self._began[step.id] = self._context.clock.now()
        self._context.say(EventKind.STEP_STARTED, "", step=step)

    def end(self, step: Step, outcome: Outcome) -> None:
        """Say how a step ended."""
        now = self._context.clock.now()
        self._context.say(
            EventKind.STEP_ENDED,
            outcome.message,
            step=step,
            unit=outcome.unit,
            state=outcome.state,
            step_seconds=now - self._began.get(step.id, now),
        )
