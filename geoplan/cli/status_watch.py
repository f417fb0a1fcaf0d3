"""Looks at live units: one, or one after the other until somebody has seen enough."""

from __future__ import annotations

import asyncio
import math
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from geoplan.cli.connection import TypedCommands, paces
from geoplan.cli.files import write
from geoplan.cli.leavers import back_findings
from geoplan.cli.output import show_laid_out, terminal
from geoplan.cli.push_units import known_past, left_findings, push_store, say_unfinished, typed_after
from geoplan.cli.signals import on_signals
from geoplan.cli.status_glimpses import Glimpses
from geoplan.cli.status_telling import telling
from geoplan.errors import GeoplanError, PushRefusedError, UnusableFileError
from geoplan.live.findings.collect import examine
from geoplan.live.findings.kinds import Severity
from geoplan.live.fleet import Fleet
from geoplan.live.polling import SystemClock, Timings
from geoplan.live.survey import observe_for_preflight, observe_for_status
from geoplan.loadmaster.clients import connected
from geoplan.loadmaster.connection import Timeouts
from geoplan.plan.model import Phase
from geoplan.plan.planner import make_plan
from geoplan.status.assess import assess
from geoplan.status.json import as_json
from geoplan.status.links import site_links
from geoplan.status.model import Drift, Seen
from geoplan.status.notification import beyond
from geoplan.status.prometheus import Exporter
from geoplan.status.state_changes import Sightings
from geoplan.status.table import as_text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from geoplan.cli.connection import ConnectionOptions
    from geoplan.cli.options import Part
    from geoplan.cli.status_page import StatusPage
    from geoplan.cli.status_telling import Telling, WatchOptions
    from geoplan.live.findings.kinds import Finding
    from geoplan.live.model import Observations
    from geoplan.live.unit import Unit
    from geoplan.plan.model import Plan
    from geoplan.push.store import Past
    from geoplan.status.model import Status
    from geoplan.topology.model import Topology

    Drifting = Callable[[Seen], Awaitable[Drift | None]]

# A glance has less patience than a push: a unit that is slow to answer is told as that.
TIMEOUTS = Timeouts(connect=4.0, answer=10.0, health=3.0)


class _Look(NamedTuple):
    """What was read of units and journals at one time."""

    facts: Observations
    back: tuple[Finding, ...]
    past: Past
    typed: TypedCommands
    is_pushed: bool | None


class UnitWatch:
    """The units of a topology, ready to be looked at."""

    def __init__(  # noqa: PLR0913 - options
        self,
        topology: Topology,
        part: Part,
        path: str,
        reach: ConnectionOptions,
        jobs: int,
        *,
        only_problems: bool = False,
        is_for_page: bool = False,
    ) -> None:
        self._plan = make_plan(topology, [Phase.GEO])
        self._accesses = {
            address: replace(access, timeouts=TIMEOUTS)
            for address, access in reach.accesses(topology, part.only).items()
        }
        self._only, self._only_problems, self._is_for_page = part.only, only_problems, is_for_page
        self._topology, self._typed = topology, TypedCommands(reach, path, part=part)
        self._known_past = partial(known_past, topology, reach)
        self._timings = Timings.of(self._plan.estimates, is_lab=reach.lab_file() is not None)
        self._max_clusters = topology.limits.max_clusters
        self._jobs = jobs
        self._clock = SystemClock()
        self._sightings = Sightings()
        self._drift: Drift | None = None

    async def look_once(self) -> Seen:
        """Return how everything stands now."""
        async with self._units() as units:
            return self._assessed(await self._observed(self._fleet(units, self._plan)))

    def say_unfinished(self) -> None:
        """Say on standard error that a push is to be resumed, if one is."""
        say_unfinished(typed_after(self._known_past(), self._topology, self._typed))

    async def watch(self, options: WatchOptions) -> None:
        """Show one look after the other until Ctrl-C, SIGTERM or the end of the session.

        It ends as well once nobody reads the output any more.
        """
        task = asyncio.current_task()

        def end(_number: int) -> None:
            if task:
                task.cancel()

        with on_signals(end), suppress(asyncio.CancelledError):
            async with telling(options, self._plan) as told, self._units() as units:
                if told.page:
                    await self._watch_for_page(units, options, told, told.page)
                else:
                    await self._watch(units, options, told)

    async def _watch(self, units: Mapping[str, Unit], options: WatchOptions, told: Telling) -> None:
        fleet, drifting = self._fleet(units, self._plan), self._drifting(units, options.diff_seconds)
        while True:
            await self._show(self._assessed(await self._observed(fleet)), told, drifting)
            await self._clock.sleep(options.seconds)

    async def _watch_for_page(
        self, units: Mapping[str, Unit], options: WatchOptions, told: Telling, page: StatusPage
    ) -> None:
        """Watch, and go on where a look fails; the page shows a failover before everything has been asked."""
        fleet, drifting = self._fleet(units, self._plan), self._drifting(units, options.diff_seconds)
        look: _Look | None = None

        async def take(facts: Observations) -> None:
            if look:
                await page(replace(self._assessed(look._replace(facts=facts)), drift=self._drift))

        glimpses, is_again = Glimpses(self._fleet(units, self._plan), take), False
        async with glimpses.running():
            while True:
                glimpses.begin_look()
                try:
                    found = await self._observed(fleet)
                    is_again = glimpses.has_missed() and not is_again
                    if is_again:  # who is active may have been read before that changed
                        continue
                    look = found
                    glimpses.end_look(look.facts)
                    await self._show(self._assessed(look), told, drifting)
                except GeoplanError as error:
                    page.fail(error)
                await glimpses.pause(options.seconds)

    async def _show(self, seen: Seen, told: Telling, drifting: Drifting | None) -> None:
        """Show and tell a look, and compare with the plan if that is due."""
        seen = replace(seen, drift=self._drift)
        told.show(seen.status)
        await told.tell(seen)
        if drifting and (found := await drifting(seen)):
            self._drift = found
            await told.tell(replace(seen, drift=found))

    @asynccontextmanager
    async def _units(self) -> AsyncIterator[Mapping[str, Unit]]:
        """Have a client for every unit; they stay, so that refused credentials are never sent twice."""
        own = paces(self._timings.call_window_seconds)
        async with connected(self._accesses, self._clock, paces=own) as units:
            yield units

    def _fleet(self, units: Mapping[str, Unit], plan: Plan) -> Fleet:
        return Fleet(plan, units, self._clock, self._timings, jobs=self._jobs, only=self._only)

    async def _observed(self, fleet: Fleet) -> _Look:
        was_pushed, past = self._is_pushed(), self._known_past()
        typed = typed_after(past, self._topology, self._typed)
        facts, back = await asyncio.gather(
            observe_for_status(fleet), back_findings(self._topology, self._typed.reach, typed)
        )
        is_pushed = was_pushed or self._is_pushed()  # one that has begun or ended during the look counts
        return _Look(facts, tuple(back), past, typed, is_pushed)

    def _assessed(self, look: _Look) -> Seen:
        at, known = self._clock.wall(), look.past.ledger.known_links()
        status = assess(
            self._plan,
            look.facts,
            at,
            since=self._sightings.look(look.facts, at),
            command=look.typed,
            known=known,
            max_clusters=self._max_clusters,
        )
        status = replace(status, findings=(*status.findings, *look.back))
        seen = Seen(status.problems if self._only_problems else status, is_pushed=look.is_pushed)
        return self._for_page(seen, status, look) if self._is_for_page else seen

    def _for_page(self, seen: Seen, status: Status, look: _Look) -> Seen:
        from geoplan.cli.status_page import running_push

        return replace(
            seen,
            push=running_push(push_store(self._topology, self._typed.reach, None)),
            links=tuple(site_links(self._plan, look.facts, look.past.ledger.known_links())),
            states={unit.address: unit.state for site in status.sites for unit in site.units},
        )

    def _drifting(self, units: Mapping[str, Unit], seconds: float | None) -> Drifting | None:
        """Return what compares all units with the plan once that is due, but not while a push has them in between."""
        if seconds is None:
            return None
        fleet = self._fleet(units, make_plan(self._topology))
        due_at = -math.inf

        async def compare_if_due(seen: Seen) -> Drift | None:
            nonlocal due_at
            if seen.is_pushed or self._clock.now() < due_at:
                return None
            drift = await self._compare(fleet, seen.status)
            if self._is_pushed():
                return None
            due_at = self._clock.now() + seconds
            return drift

        return compare_if_due

    async def _compare(self, fleet: Fleet, status: Status) -> Drift:
        """Compare all units with the plan, as ``geoplan diff`` does; they are asked no faster for it."""
        past = self._known_past()
        typed = typed_after(past, self._topology, self._typed)
        facts, known = await observe_for_preflight(fleet), past.ledger.known_links()
        report, found = examine(fleet.plan, facts, known, max_clusters=self._max_clusters, command=typed)
        found = (*found, *left_findings(self._topology, self._typed.reach, typed))
        if self._only_problems:
            found = tuple(finding for finding in found if finding.severity is not Severity.KNOWING)
        return Drift(report, found, self._clock.wall(), tuple(beyond(found, status.findings)))

    def _is_pushed(self) -> bool | None:
        """Return whether a push of these units runs on this machine; None where that is not known."""
        try:
            return push_store(self._topology, self._typed.reach, None).holder() is not None
        except (UnusableFileError, PushRefusedError):  # whoever looks has been warned of it
            return None


def show_once(watch: UnitWatch, output_format: str, output: str | None) -> int:
    """Look once and write what there is to see; return the exit code."""
    seen = asyncio.run(watch.look_once())
    status = seen.status
    if output_format == "json":
        write(as_json(status), output)
    elif output_format == "prometheus":
        write(Exporter().text(seen), output)
    elif output in (None, "-"):
        width, color = terminal()
        show_laid_out(as_text(status, width=width, color=color), color=color)
    else:
        write(as_text(status), output)
    watch.say_unfinished()
    return 0 if status.is_well else 1


def show_always(watch: UnitWatch, options: WatchOptions) -> int:
    """Look again and again until Ctrl-C or SIGTERM, which is no failure."""
    asyncio.run(watch.watch(options))
    return 0
