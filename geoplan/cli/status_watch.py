"""Looks at live units: one, or one after the other until somebody has seen enough."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import click

from geoplan.cli.connection import TypedCommands, paces
from geoplan.cli.files import write
from geoplan.cli.leavers import back_findings
from geoplan.cli.output import end_if_unread, own_console, show_laid_out, terminal
from geoplan.cli.push_units import known_past, say_unfinished, typed_after
from geoplan.cli.signals import on_signals
from geoplan.live.fleet import Fleet
from geoplan.live.polling import SystemClock, Timings
from geoplan.live.survey import observe_for_status
from geoplan.loadmaster.clients import connected
from geoplan.loadmaster.connection import Timeouts
from geoplan.plan.model import Phase
from geoplan.plan.planner import make_plan
from geoplan.status.assess import assess
from geoplan.status.json import as_json, as_json_line
from geoplan.status.state_changes import Sightings
from geoplan.status.table import as_lines, as_text
from geoplan.wording import local_time

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from geoplan.cli.connection import ConnectionOptions
    from geoplan.cli.options import Part
    from geoplan.status.model import Status
    from geoplan.topology.model import Topology

# A glance has less patience than a push: a unit that is slow to answer is told as that.
TIMEOUTS = Timeouts(connect=4.0, answer=10.0, health=3.0)


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

    async def look_once(self) -> Status:
        """Return how everything stands now."""
        async with self._looking() as look:
            return await look()

    def say_unfinished(self) -> None:
        """Say on standard error that a push is to be resumed, if one is."""
        say_unfinished(typed_after(self._known_past(), self._topology, self._typed))

    async def watch(self, output_format: str, seconds: float) -> None:
        """Show one look after the other, so many seconds apart, until Ctrl-C, SIGTERM or the end of the session.

        It ends as well once nobody reads the output any more.
        """
        task = asyncio.current_task()

        def end(_number: int) -> None:
            if task:
                task.cancel()

        with on_signals(end), suppress(asyncio.CancelledError), showing(output_format) as show:
            async with self._looking() as look:
                while True:
                    show(await look())
                    end_if_unread()
                    await self._clock.sleep(seconds)

    @asynccontextmanager
    async def _looking(self) -> AsyncIterator[Callable[[], Awaitable[Status]]]:
        """Have a client for every unit; they stay, so that refused credentials are never sent twice."""
        sightings = Sightings()
        own = paces(self._timings.call_window_seconds)
        async with connected(self._accesses, self._clock, paces=own) as units:
            fleet = Fleet(self._plan, units, self._clock, self._timings, jobs=self._jobs, only=self._only)

            async def look() -> Status:
                past = self._known_past()
                typed = typed_after(past, self._topology, self._typed)
                facts, back = await asyncio.gather(
                    observe_for_status(fleet), back_findings(self._topology, self._typed.reach, typed)
                )
                at = self._clock.wall()
                status = assess(
                    self._plan,
                    facts,
                    at,
                    since=sightings.look(facts, at),
                    command=typed,
                    known=past.ledger.known_links(),
                    max_clusters=self._max_clusters,
                )
                status = replace(status, findings=(*status.findings, *back))
                return status.problems if self._only_problems else status

            yield look


def show_once(watch: UnitWatch, output_format: str, output: str | None) -> int:
    """Look once and write what there is to see; return the exit code."""
    status = asyncio.run(watch.look_once())
    if output_format == "json":
        write(as_json(status), output)
    elif output in (None, "-"):
        width, color = terminal()
        show_laid_out(as_text(status, width=width, color=color), color=color)
    else:
        write(as_text(status), output)
    watch.say_unfinished()
    return 0 if status.is_well else 1


def show_always(watch: UnitWatch, output_format: str, seconds: float) -> int:
    """Look again and again until Ctrl-C or SIGTERM, which is no failure."""
    asyncio.run(watch.watch(output_format, seconds))
    return 0


@contextmanager
def showing(output_format: str) -> Iterator[Callable[[Status], None]]:
    """Yield what shows one status after the other: in place on a terminal, appended in a pipe, a line each as JSON."""
    if output_format == "json":
        yield _append_json
    elif sys.stdout.isatty():
        with _redrawing() as show:
            yield show
    else:
        yield _appending_changes()


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
