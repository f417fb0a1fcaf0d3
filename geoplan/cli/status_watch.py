"""Looks at live units: one, or one after the other until somebody has seen enough."""

from __future__ import annotations

import asyncio
import math
import sys
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import click

from geoplan.cli.connection import TypedCommands, paces
from geoplan.cli.files import write
from geoplan.cli.leavers import back_findings
from geoplan.cli.output import end_if_unread, own_console, show_laid_out, terminal
from geoplan.cli.push_units import known_past, left_findings, push_store, say_unfinished, typed_after
from geoplan.cli.signals import on_signals
from geoplan.errors import PushRefusedError, UnusableFileError
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
from geoplan.status.json import as_json, as_json_line
from geoplan.status.model import Drift, Seen
from geoplan.status.notification import beyond
from geoplan.status.prometheus import Exporter
from geoplan.status.state_changes import Sightings
from geoplan.status.table import as_lines, as_text
from geoplan.wording import local_time

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping

    from geoplan.cli.connection import ConnectionOptions
    from geoplan.cli.options import Part
    from geoplan.live.unit import Unit
    from geoplan.plan.model import Plan
    from geoplan.status.model import Status
    from geoplan.topology.model import Topology

# A glance has less patience than a push: a unit that is slow to answer is told as that.
TIMEOUTS = Timeouts(connect=4.0, answer=10.0, health=3.0)


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """How a watch shows what it sees, and whom else it tells."""

    seconds: float
    """Between two looks."""
    output_format: str
    output: str | None = None
    """The file that metrics are written to at each look."""
    port: int | None = None
    """The port of loopback that serves metrics."""
    notify: tuple[str, ...] = ()
    """The program that is told of changes, with its arguments."""
    diff_seconds: float | None = None
    """Between two comparisons with the plan; None for none."""


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
    ) -> None:
        self._plan = make_plan(topology, [Phase.GEO])
        self._accesses = {
            address: replace(access, timeouts=TIMEOUTS)
            for address, access in reach.accesses(topology, part.only).items()
        }
        self._only, self._only_problems = part.only, only_problems
        self._topology, self._typed = topology, TypedCommands(reach, path, part=part)
        self._known_past = partial(known_past, topology, reach)
        self._timings = Timings.of(self._plan.estimates, is_lab=reach.lab_file() is not None)
        self._max_clusters = topology.limits.max_clusters
        self._jobs = jobs
        self._clock = SystemClock()
        self._sightings = Sightings()

    async def look_once(self) -> Seen:
        """Return how everything stands now."""
        async with self._units() as units:
            return await self._look(self._fleet(units, self._plan))

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
            async with telling(options) as (show, tell), self._units() as units:
                fleet = self._fleet(units, self._plan)
                drifting = self._drifting(units, options.diff_seconds) if options.diff_seconds else None
                drift: Drift | None = None
                while True:
                    seen = replace(await self._look(fleet), drift=drift)
                    show(seen.status)
                    await tell(seen)
                    if drifting and (found := await drifting(seen)):
                        drift = found
                        await tell(replace(seen, drift=drift))
                    await self._clock.sleep(options.seconds)

    @asynccontextmanager
    async def _units(self) -> AsyncIterator[Mapping[str, Unit]]:
        """Have a client for every unit; they stay, so that refused credentials are never sent twice."""
        own = paces(self._timings.call_window_seconds)
        async with connected(self._accesses, self._clock, paces=own) as units:
            yield units

    def _fleet(self, units: Mapping[str, Unit], plan: Plan) -> Fleet:
        return Fleet(plan, units, self._clock, self._timings, jobs=self._jobs, only=self._only)

    async def _look(self, fleet: Fleet) -> Seen:
        was_pushed, past = self._is_pushed(), self._known_past()
        typed = typed_after(past, self._topology, self._typed)
        facts, back = await asyncio.gather(
            observe_for_status(fleet), back_findings(self._topology, self._typed.reach, typed)
        )
        at = self._clock.wall()
        status = assess(
            self._plan,
            facts,
            at,
            since=self._sightings.look(facts, at),
            command=typed,
            known=past.ledger.known_links(),
            max_clusters=self._max_clusters,
        )
        status = replace(status, findings=(*status.findings, *back))
        is_pushed = was_pushed or self._is_pushed()  # one that has begun or ended during the look counts
        return Seen(status.problems if self._only_problems else status, is_pushed=is_pushed)

    def _drifting(self, units: Mapping[str, Unit], seconds: float) -> Callable[[Seen], Awaitable[Drift | None]]:
        """Return what compares all units with the plan once that is due, but not while a push has them in between."""
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


@asynccontextmanager
async def telling(
    options: WatchOptions,
) -> AsyncIterator[tuple[Callable[[Status], None], Callable[[Seen], Awaitable[None]]]]:
    """Yield what shows each status to people, and what tells all that was seen to programs."""
    from geoplan.cli.status_metrics import showing_metrics
    from geoplan.cli.status_notify import Notifier

    tellers: list[Callable[[Seen], Awaitable[None]]] = []

    async def tell(seen: Seen) -> None:
        for teller in tellers:
            await teller(seen)

    async with AsyncExitStack() as running:
        if options.output_format == "prometheus":
            tellers.append(await running.enter_async_context(showing_metrics(options.output, options.port)))
        if options.notify:
            tellers.append(Notifier(options.notify))
        yield running.enter_context(showing(options.output_format)), tell


@contextmanager
def showing(output_format: str) -> Iterator[Callable[[Status], None]]:
    """Yield what shows one status after the other: in place on a terminal, appended in a pipe, a line each as JSON.

    Metrics are not shown to people.
    """
    if output_format == "prometheus":
        yield lambda _status: None
    elif output_format == "json":
        yield _while_read(_append_json)
    elif sys.stdout.isatty():
        with _redrawing() as show:
            yield _while_read(show)
    else:
        yield _while_read(_appending_changes())


def _while_read(show: Callable[[Status], None]) -> Callable[[Status], None]:
    """Return what shows a status, and ends the command where nobody reads it."""

    def show_or_end(status: Status) -> None:
        show(status)
        end_if_unread()

    return show_or_end


def _append_json(status: Status) -> None:
    click.echo(as_json_line(status), nl=False)
    sys.stdout.flush()


def _appending_changes() -> Callable[[Status], None]:
    """Return what writes the whole text with its time, unless nothing has changed but the time."""
    before: Status | None = None

    def show(status: Status) -> None:
        nonlocal before
        if before is None or replace(status, at=before.at) != before:
            parting = "\n" if before else ""
            moment = local_time(status.at)
            click.echo(f"{parting}{moment}\n\n{as_text(status, width=terminal()[0])}", nl=False)
            sys.stdout.flush()
        before = status

    return show


@contextmanager
def _redrawing() -> Iterator[Callable[[Status], None]]:
    """Yield what draws the whole text in the place of the one before; the last one stays."""
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    console = own_console()
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:

        def show(status: Status) -> None:
            width, height = console.size
            moment = Text(f"{status.at.astimezone():%H:%M:%S}   Ctrl-C to stop", style="dim")
            lines = as_lines(status, width=width, height=height - 3)  # the moment, an empty line, one for the cursor
            live.update(Group(moment, Text(), *lines), refresh=True)

        yield show
