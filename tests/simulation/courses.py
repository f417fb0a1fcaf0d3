"""Simulated pushes on units themselves: what a seed has in store, and processes that are killed and resumed to the end.

What is pushed, and what has to hold, is each world's own.
"""

from __future__ import annotations

import asyncio
import random
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from geoplan.errors import GeoplanError, PushRefusedError, PushStoppedError
from geoplan.lab.clock import Timings as LabTimings
from geoplan.lab.faults import FaultKind
from geoplan.lab.variants import Variant
from geoplan.live.fleet import Fleet
from geoplan.live.polling import Timings
from geoplan.plan.model import Plan
from geoplan.push.options import Options
from geoplan.push.store import Store
from geoplan.push.units_run import UnitsResult
from geoplan.topology.model import Topology
from geoplan.twin.placing import place_as_planned
from geoplan.twin.stage import Stage, UnitsAtStart
from tests.push.support import real_store
from tests.simulation.world import BOOT, SYNC

KINDS = (
    FaultKind.RESET,
    FaultKind.TIMEOUT,
    FaultKind.TRUNCATE,
    FaultKind.ERROR,
    FaultKind.IGNORE,
    FaultKind.SLOW,
    FaultKind.REFUSE,
)
MAY_BE_APPLIED = (FaultKind.RESET, FaultKind.TIMEOUT, FaultKind.TRUNCATE, FaultKind.SLOW, FaultKind.ERROR)
READS = ("get", "getall", "getawshaparams", "listclusters", "health", "backup")
READ_WORDS = ("get", "list", "show", "is", "backup", "stats")
BETWEEN_RUNS = 90.0


@dataclass
class Course:
    """What a seed has in store for a push on units."""

    topology: Topology
    faults: list[str] = field(default_factory=list)
    longest_delay: float = 0.0
    variants: tuple[Variant, ...] = ()


def topology_of(kinds: str, chance: random.Random) -> Topology:
    """Return a topology of pairs (p) and standalones (s)."""
    sites: list[dict[str, Any]] = []
    for number, kind in enumerate(kinds, start=1):
        pair = {"master": f"10.0.{number}.1", "slave": f"10.0.{number}.2"}
        pair["preferred_host"] = chance.choice(["master", "none"])
        sites.append({"name": f"S{number}", **({"ha_pair": pair} if kind == "p" else {"standalone": pair["master"]})})
    return Topology.model_validate({"sites": sites, "timing": {"boot_seconds": BOOT, "sync_seconds": SYNC}})


def fault(kind: FaultKind, unit: str, command: str, chance: random.Random) -> list[str]:
    """Return the beginning of a fault as it is written: of which request, and how long it refuses."""
    parts = [f"{kind},unit={unit},command={command},occurrence={chance.choice([1, 1, 2, 3])}"]
    return [*parts, *([f"seconds={chance.choice([1, 10, 40])}"] if kind is FaultKind.REFUSE else [])]


class CourseWorld(Stage):
    """Units at work as planned, on which a push is carried out by processes that are killed and resumed."""

    max_runs: int
    lifted_after: int
    """From which end on nothing goes wrong any more."""

    def __init__(  # noqa: PLR0913 - what a world is made of
        self, course: Course, plan: Plan, firmware: str, *, options: Options, seed: int, folder: Path
    ) -> None:
        start = UnitsAtStart(
            course.topology,
            LabTimings(boot_seconds=BOOT, failover_seconds=3.0, sync_seconds=SYNC),
            firmware,
            longest_delay=course.longest_delay,
            variants=course.variants,
        )
        timings = Timings(BOOT, SYNC, grace_seconds=30.0)
        super().__init__(start, plan, folder / "state", options=options, timings=timings, seed=seed)
        place_as_planned(self.network, course.topology)
        self.faults = course.faults
        self.ended: UnitsResult | GeoplanError | None = None
        self.story: list[str] = []

    @property
    def store(self) -> Store:
        return real_store(self.folder, self.plan)

    async def ending(self, push: Callable[[Fleet], Awaitable[UnitsResult]]) -> None:
        """Push as a process of its own would; keep how that ended."""
        async with self.connected_fleet() as fleet:
            try:
                self.ended = await push(fleet)
            except (PushRefusedError, PushStoppedError) as error:
                self.ended = error

    async def run(self) -> list[str]:
        """Push, resume after every end but the last, and return what was wrong."""
        for each in self.faults:
            self.simulation.inject(each)
        for number in range(self.max_runs):
            await self.one_run(resume=self.is_unfinished)
            self.story.append(f"{number}: {self.ended!r:.300} {getattr(self.ended, 'problems', '')}")
            self.check_state()
            if isinstance(self.ended, UnitsResult):
                if any(set(row.changed) - {row.serves} for row in self.ended.compared):
                    self.watch.say(f"the end is not complete: {self.ended}")
                self.check_end()
                self.check_pairs()
                if red := self.red_in_any_state():
                    self.watch.say(f"red after a failover: {sorted(red)}")
                return self.broken
            if number >= self.lifted_after:
                self.lift()
            await asyncio.sleep(BETWEEN_RUNS)
        self.watch.say("it never comes to its end: " + " | ".join(self.story))
        return self.broken

    @abstractmethod
    async def one_run(self, *, resume: bool) -> None:
        """Push in one process, which may be killed."""

    def lift(self) -> None:
        """Let nothing go wrong any more."""
        self.simulation.lift_all()
        self.make_masters_active(preferred_alone=True)

    def check_state(self) -> None:
        """Check what holds after every end."""

    @abstractmethod
    def check_end(self) -> None:
        """Check what holds once it says that it is done."""
