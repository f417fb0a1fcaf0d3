"""What a failure costs, and what all that were tried came to: frozen data, which every format shows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geoplan.twin.failures import Failure
    from geoplan.twin.world import Link, Start


class Until(StrEnum):
    """What ends a loss, the least first."""

    NOTHING_LOST = "nothing lost"
    TAKEOVER = "takeover"
    """By itself: the standby takes over."""
    REPAIR = "repair"
    """By itself, once what failed is repaired."""
    PERSON = "person"
    """Not by itself: somebody has to do something, also once what failed is repaired."""


class TaskKind(StrEnum):
    """What a person has to do."""

    BRING_BACK = "bring back"
    MEND_NETWORK = "mend network"
    MEND_REPLICATION = "mend replication"
    SUBMIT = "submit"
    GRANT_ACCESS = "grant access"
    SET_SECRET = "set secret"  # noqa: S105 - a kind of task
    COMPARE = "compare"
    MAKE_ACTIVE = "make active"


@dataclass(frozen=True, slots=True)
class Task:
    """One thing that a person has to do."""

    kind: TaskKind
    sites: tuple[str, ...]
    units: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    """What stands on the other side: sites of a network, units of a link."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a failure costs; all of it is beside what was so before."""

    down: tuple[str, ...]
    """Sites without a unit that is up."""
    cut_off: tuple[str, ...]
    """Sites that have a unit, and drop out of GEO nevertheless: the silent fault of section 5."""
    isolated: tuple[str, ...]
    """Sites that have a unit, and that only the cut network keeps out."""
    red: tuple[Link, ...]
    """Sites that lose the link between them nevertheless, both still in GEO."""
    parted: tuple[Link, ...]
    """Sites that only the cut network keeps apart."""
    briefly: tuple[str, ...]
    """Sites that are gone only until their standby takes over."""
    older: tuple[str, ...]
    """Sites that answer with an older configuration."""
    behind: tuple[str, ...]
    """Standbys that hold an older configuration: their sites would answer with it after a failover."""
    until: Until
    lost_after: tuple[str, ...]
    """Sites that are still lost once what failed is repaired."""
    red_after: tuple[Link, ...]
    """Links that are still red then."""
    tasks: tuple[Task, ...]
    at_failover: bool
    """Whether all of this shows only once the pair fails over."""

    @property
    def is_silent(self) -> bool:
        """Whether a site that has a unit loses links that nothing visible explains."""
        return bool(self.cut_off or self.red)

    @property
    def lost(self) -> tuple[str, ...]:
        """The sites that are not in GEO while the failure lasts."""
        return (*self.down, *self.cut_off, *self.isolated)


@dataclass(frozen=True, slots=True)
class Row:
    """One failure, or two, with the starting states from which they cost the same."""

    failures: tuple[Failure, ...]
    outcome: Outcome
    starts: tuple[Start, ...]

    @property
    def is_fault(self) -> bool:
        """Whether a single failure cuts off a site that has a unit left."""
        return len(self.failures) == 1 and self.outcome.is_silent and not self.outcome.at_failover


@dataclass(frozen=True, slots=True)
class Doubt:
    """Links of which live units did not tell whether they are there."""

    site: str
    unit: str
    partners: tuple[str, ...]
    """The units at their other end."""
    rows: tuple[Row, ...]
    """The single failures that cut off a site with a unit left if they are not there, and do not if they are."""
    is_off: bool = False
    """Whether that unit is off, so that nobody can tell: it was tried as if it were back."""
    at_once: tuple[str, ...] = ()
    """The sites that are cut off as soon as that unit is up again if they are not there."""

    @property
    def is_fault(self) -> bool:
        """Whether a site with a unit left is cut off if they are not there: by a single failure, or by none."""
        return bool(self.rows or self.at_once)


@dataclass(frozen=True, slots=True)
class Report:
    """What was tried, and what each failure costs, the worst first."""

    topology: str
    groups: tuple[tuple[str, tuple[str, ...]], ...]
    starts: tuple[Start, ...]
    now: Outcome
    """What is wrong before anything fails."""
    off: tuple[str, ...]
    """The units that are off before anything fails."""
    rows: tuple[Row, ...]
    cases: int
    """How many were tried."""
    possible: int
    """How many there are; as many as were tried, unless they were drawn."""
    seed: int | None = None
    """By which they were drawn, where not all were tried."""
    is_live: bool = False
    """Whether it begins with live units as they are, and not as planned."""
    doubts: tuple[Doubt, ...] = ()
    """What live units did not tell, each tried as the worse of both ways."""
    notes: tuple[str, ...] = ()
    """What was taken as planned because live units did not tell it."""
    assumed: tuple[str, ...] = ()
    """The facts of the ledger, none confirmed, on which it rests that something comes back by itself."""

    @property
    def faults(self) -> tuple[Row, ...]:
        """The single failures that cut off a site that has a unit left."""
        return tuple(row for row in self.rows if row.is_fault)

    @property
    def worst(self) -> tuple[Row, ...]:
        """Of each failure, or pair of them, the row that costs most, the worst first."""
        return worst_of(self.rows)

    @property
    def is_well(self) -> bool:
        """Whether no site with a unit left is cut off, neither now nor by a single failure, as far as units told."""
        return not (self.faults or self.now.is_silent or any(doubt.is_fault for doubt in self.doubts))


def worst_of(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Return of each failure the first row: from other starting states it costs less, or shows the same."""
    found: dict[tuple[Failure, ...], Row] = {}
    for row in rows:
        found.setdefault(row.failures, row)
    return tuple(found.values())
