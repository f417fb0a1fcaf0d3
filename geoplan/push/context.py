"""What the parts of a running push share: units, journal, time, what is wanted, and whom to tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from geoplan.addresses import canonical
from geoplan.live.model import SUBJECTS
from geoplan.live.polling import until
from geoplan.push.events import EventKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from geoplan.live.findings import NoteKind
    from geoplan.live.fleet import Fleet
    from geoplan.live.model import HaFacts, Observations
    from geoplan.plan.model import Step
    from geoplan.push.journal import Journal
    from geoplan.push.listener import Reporter
    from geoplan.push.options import Options

FoundThing = TypeVar("FoundThing")


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


class Context:
    """One push as its parts see it."""

    def __init__(  # noqa: PLR0913 - what a push is made of
        self,
        fleet: Fleet,
        journal: Journal,
        options: Options,
        reporter: Reporter,
        *,
        stop: Stop | None = None,
        seen: Seen | None = None,
        forms: frozenset[str] = frozenset(),
    ) -> None:
        self.fleet = fleet
        self.plan, self.clock, self.timings = fleet.plan, fleet.clock, fleet.timings
        self.journal = journal
        self.history, self.ledger = journal.history, journal.ledger
        self.options = options
        self.reporter = reporter
        self.stop = stop or Stop()
        self.seen = seen or Seen()
        self.forms = forms
        """The pairs that this push forms of two single units; HA parameters of others are never changed."""
        self.left_alone: dict[str, str] = {}
        """The sites that leave and do not answer, each with the unit that did not; what they were not told is due."""

    def record(self, event: str, step: Step, unit: str, **fields: object) -> None:
        """Write into the journal what a step does on a unit; it is on disk when this returns."""
        self.journal.write(event, step=step.id, site=step.site, unit=unit, **fields)

    def note(
        self, kind: NoteKind, message: str, *, site: str, unit: str | None = None, step: Step | None = None
    ) -> None:
        """Write something worth knowing into the journal, and say it."""
        self.journal.write("note", kind=kind, message=message, site=site, unit=unit)
        self.reporter.say(EventKind.NOTE, message, step=step, unit=unit, kind=kind.value, site=site)

    async def until(
        self,
        look: Callable[[], Awaitable[FoundThing | None]],
        *,
        within: float,
        every: float | None = None,
        on_wait: Callable[[float], None] | None = None,
    ) -> FoundThing | None:
        """Look again and again until something is found; return None once so many seconds have passed."""
        return await until(self.clock, look, within=within, every=every or self.timings.poll_seconds, on_wait=on_wait)


class StepError(Exception):
    """A step that failed: what happened, on which unit, and what to do about it."""

    def __init__(self, step: Step, message: str, *, unit: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.step = step
        self.unit = unit
        self.hint = hint


class StoppedError(Exception):
    """The operator wanted an end before this step had changed anything."""
