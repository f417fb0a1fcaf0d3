"""Cases of a rehearsal, one by one and many at once."""

from __future__ import annotations

import asyncio
import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from geoplan.lab.clock import Timings as LabTimings
from geoplan.live.polling import Timings
from geoplan.plan.model import Phase
from geoplan.push.events import EventKind
from geoplan.twin.branches import Branches
from geoplan.twin.incidents import AtChange, Case, Change
from geoplan.twin.loop import run_simulated
from geoplan.twin.rehearsal import Rehearsal, RunEnd
from geoplan.twin.script import Script
from geoplan.twin.timeline import Gap, Recorder, Timeline
from geoplan.twin.watch import is_read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from geoplan.lab.variants import Variant
    from geoplan.plan.model import Plan
    from geoplan.push.options import Options
    from geoplan.topology.model import Topology
    from geoplan.twin.transport import Sent

FAILOVER_SECONDS = 3.0
"""From the active unit's going until its partner takes traffic; the health check of a load balancer comes on top."""
LOOKS_A_BOOT = 4
IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
SETTLING_BOOTS = 2


class Way(StrEnum):
    """How a case came to its end."""

    AT_ONCE = "at_once"
    RESUMED = "resumed"
    """It stopped or was killed, and ``--resume`` completed it."""
    REFUSED = "refused"
    """It was refused before it changed anything; once the cause was gone, a new push completed it."""
    FINISHED = "finished"
    """It was done with findings, and what it named then completed it."""


@dataclass(frozen=True)
class Plays:
    """What is rehearsed."""

    plan: Plan
    topology: Topology
    """Of all units, with those that leave."""
    options: Options
    old: Plan | None = None
    """What the units were pushed to before; None for fresh ones."""
    replaced: tuple[str, ...] = ()
    """Units that are new boxes at the addresses of dead ones."""
    variants: tuple[Variant, ...] = ()

    @property
    def lab_timings(self) -> LabTimings:
        """How fast the units are: as the topology says."""
        estimates = self.plan.estimates
        boot = max(estimates.boot_seconds, FAILOVER_SECONDS + 1)
        return LabTimings(boot, FAILOVER_SECONDS, estimates.sync_seconds)


@dataclass(frozen=True, slots=True)
class SeldomLooks(Timings):
    """The times of a push that looks less often while it waits, since each look of thousands costs time of its own."""

    looks: int = LOOKS_A_BOOT
    """While a unit boots."""

    @property
    def poll_seconds(self) -> float:
        """Several looks while a unit boots: between two of them no failover fits."""
        return max(Timings(self.boot_seconds, self.sync_seconds).poll_seconds, self.boot_seconds / self.looks)


@dataclass(frozen=True)
class Result:
    """How a case went."""

    case: Case
    way: Way
    runs: int
    gap: Gap | None
    """The longest time in which a pair had no active unit."""
    broken: tuple[str, ...]
    """The promises that were broken, in words; empty as it should be."""
    story: tuple[str, ...] = ()
    """How each run of the push ended, in words."""


@dataclass(frozen=True)
class Planned:
    """How the push goes if nothing goes wrong."""

    result: Result
    timeline: Timeline
    changes: tuple[Change, ...]


NO_TIMELINE = Timeline(0.0, 0, (), ())
PLAIN = Case("planned", "nothing goes wrong")


def play_planned(plays: Plays, *, looks_a_boot: int | None = None) -> Planned:
    """Play the push as planned, with every look that a real one takes, or with so many while a unit boots."""
    with scratch_folder() as folder:
        return run_simulated(_planned(plays, folder, looks_a_boot))


def play(plays: Plays, case: Case) -> Result:
    """Play one case to its end."""
    return replay(plays, case, is_whole=False)[0]


def replay(plays: Plays, case: Case, *, is_whole: bool = True) -> tuple[Result, Timeline]:
    """Play one case to its end, and tell when what happened."""
    with scratch_folder() as folder:
        try:
            return run_simulated(_played(plays, case, folder, is_whole=is_whole))
        except Exception as error:  # a fault of geoplan's own is what a rehearsal is to find
            return _own_fault(case, error), NO_TIMELINE


def play_alike(
    plays: Plays, cases: Sequence[Case], change: int | None, goes_on: Callable[[], bool] = lambda: True
) -> list[Result]:
    """Play cases that begin alike, their beginning once: the push up to that change, or what comes before the push.

    ``goes_on`` is asked before each whether it is wanted.
    """
    with scratch_folder() as folder:
        branches: Branches[Case] = Branches(folder.parent, goes_on)
        found: Result | None = None
        try:
            found = run_simulated(_branched(plays, cases, folder, branches, change))
        except Exception as error:
            if branches.item is None:
                raise
            found = _own_fault(branches.item, error)
        finally:
            if branches.item is not None:
                branches.tell(found)
    results = [each for each in branches.told if isinstance(each, Result)]
    left = cases[len(results) :]  # where the push never came to that change
    return [*results, *(play(plays, case) for case in left if goes_on())]


async def _planned(plays: Plays, folder: Path, looks_a_boot: int | None = None) -> Planned:
    timings = SeldomLooks(*_times(plays), looks=looks_a_boot) if looks_a_boot else Timings(*_times(plays))
    made = _rehearsal(plays, PLAIN, folder, timings)
    await _begin_with_old(made, plays)
    began, changes = made.clock.now(), list[Change]()

    async def note(sent: Sent) -> None:
        if sent.call and not is_read(sent.call):
            changes.append(_change(made, sent, len(changes) + 1, began))

    made.ways.append(note)
    recorder = Recorder(made)
    await made.run()
    ended = max((event.seconds for event in made.heard.events if event.kind is EventKind.VERIFIED), default=0.0)
    return Planned(_result(made, PLAIN, recorder), recorder.timeline(ended or made.clock.now() - began), tuple(changes))


def _change(made: Rehearsal, sent: Sent, number: int, began: float) -> Change:
    """Return a request with the step that is under way at its site, the one that began last."""
    site = made.network.unit(sent.address).site
    open_steps = {}
    for event in made.heard.events:
        if event.step and event.kind is EventKind.STEP_STARTED:
            open_steps[event.step.id] = event.step
        elif event.step and event.kind is EventKind.STEP_ENDED:
            open_steps.pop(event.step.id, None)
    here = [step for step in open_steps.values() if site in (step.on.site, step.site)]
    step = here[-1] if here else None
    return Change(
        number,
        step.number if step else None,
        step.site if step else site,
        sent.address,
        sent.subject,
        sent.began - began,
    )


async def _played(plays: Plays, case: Case, folder: Path, *, is_whole: bool = False) -> tuple[Result, Timeline]:
    made = await _begun(plays, case, folder)
    return await _gone_on(made, case, is_whole=is_whole)


async def _branched(
    plays: Plays, cases: Sequence[Case], folder: Path, branches: Branches[Case], change: int | None
) -> Result | None:
    """Play what cases begin with, in a child each of them from there on: its result there, and nothing here.

    They begin with the push up to that change, or with all that comes before the push.
    """
    made = await _begun(plays, cases[0], folder)
    if change is None:
        for case in branches.each(cases):
            return (await _gone_on(made, case))[0]
        return None
    recorder, reached, seen = Recorder(made, is_whole=False), asyncio.Event(), 0

    async def way(sent: Sent) -> None:
        nonlocal seen
        seen += bool(sent.call and not is_read(sent.call))
        if seen == change and not reached.is_set():
            reached.set()
            for case in branches.each(cases):
                made.script.behaviours.extend(case.behaviours)
                for behaviour in case.behaviours:
                    if isinstance(behaviour, AtChange):
                        await behaviour.happen(made, sent)
                return
            await asyncio.Event().wait()  # this process is over, and the push with it

    made.ways.append(way)
    running = asyncio.ensure_future(made.run())
    await asyncio.wait({running, asyncio.ensure_future(reached.wait())}, return_when=asyncio.FIRST_COMPLETED)
    if branches.item is None:
        return None
    await running
    return _result(made, branches.item, recorder)


async def _begun(plays: Plays, case: Case, folder: Path) -> Rehearsal:
    """Return units as a case begins with them, with nothing that goes on yet."""
    made = _rehearsal(plays, case, folder, SeldomLooks(*_times(plays)))
    await _begin_with_old(made, plays)
    if case.is_pushed:
        await _push_before(made)
        made.reboots_before = made.count_reboots()
    return made


async def _gone_on(made: Rehearsal, case: Case, *, is_whole: bool = False) -> tuple[Result, Timeline]:
    """Push, with what a case has in store."""
    made.script.abandons = case.abandons
    made.script.behaviours.extend(case.behaviours)
    recorder = Recorder(made, is_whole=is_whole)
    for behaviour in case.behaviours:
        behaviour.begin(made)
    began = made.clock.now()
    await made.run()
    seconds = made.clock.now() - began
    return _result(made, case, recorder), recorder.timeline(seconds) if is_whole else NO_TIMELINE


def _times(plays: Plays) -> tuple[float, float]:
    return plays.plan.estimates.boot_seconds, plays.plan.estimates.sync_seconds


def _own_fault(case: Case, error: BaseException) -> Result:
    return Result(case, Way.RESUMED, 1, None, (f"a fault in geoplan itself: {type(error).__name__}: {error}",))


def _result(made: Rehearsal, case: Case, recorder: Recorder) -> Result:
    return Result(case, _way(made), made.runs, recorder.longest, tuple(made.broken), tuple(made.story))


def _rehearsal(plays: Plays, case: Case, folder: Path, timings: Timings) -> Rehearsal:
    lab = plays.lab_timings
    script = Script(
        plays.topology,
        None,
        plays.options,
        longest_delay=case.longest_delay,
        unpaired=Phase.HA in plays.plan.phases(),
        variants=plays.variants,
        lifted_after=1 if case.seed is None else 2,
        patience_seconds=SETTLING_BOOTS * lab.boot_seconds,
    )
    return Rehearsal(script, plays.old or plays.plan, folder, lab_timings=lab, timings=timings, seed=case.seed or 0)


async def _begin_with_old(made: Rehearsal, plays: Plays) -> None:
    """Have the units as OLD was pushed, with every master active, and go on to the plan."""
    if plays.old is None:
        return
    asked, made.options = made.options, replace(made.options, seed_by_api=False)
    await _push_before(made)
    for address in plays.replaced:
        made.simulation.lose_configuration(address)
    made.reboots_before = made.count_reboots()
    made.former.append(made.plan)
    made.plan, made.options = plays.plan, asked
    made.keep()


async def _push_before(made: Rehearsal) -> None:
    """Carry out what units have before, and let it settle with every master active."""
    await made.push_once(made.heard)
    await made.time.sleep(SETTLING_BOOTS * (made.sync_seconds + made.start.lab_timings.boot_seconds))
    made.make_masters_active()
    await made.time.sleep(SETTLING_BOOTS * made.sync_seconds)


def _way(made: Rehearsal) -> Way:
    if {RunEnd.STOPPED, RunEnd.KILLED} & {*made.course}:
        return Way.RESUMED
    if RunEnd.REFUSED in made.course:
        return Way.REFUSED
    return Way.AT_ONCE if len(made.course) == 1 else Way.FINISHED


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Have a folder for what pushes write, in memory where the system has such a place: nothing of it is kept."""
    place = IN_MEMORY if IN_MEMORY.is_dir() and os.access(IN_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="geoplan-", dir=place) as folder:
        yield Path(folder) / "state"
