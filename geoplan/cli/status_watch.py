"""Looks at live units: one, or one after the other until somebody has seen enough."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from geoplan.cli.files import terminal, write
from geoplan.cli.push_units import known_links, push_store
from geoplan.cli.signals import on_signals
from geoplan.cli.status_views import view_of
from geoplan.live.polling import SystemClock
from geoplan.loadmaster import Retries, Timeouts
from geoplan.plan.model import Phase
from geoplan.plan.planner import make_plan
from geoplan.push.api import connected
from geoplan.status.assess import assess
from geoplan.status.json import as_json
from geoplan.status.observe import observe
from geoplan.status.state_changes import Sightings
from geoplan.status.table import as_text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from geoplan.cli.connection import ConnectionOptions
    from geoplan.status.model import Status
    from geoplan.status.wording import Command
    from geoplan.topology.model import Topology

# A glance has less patience than a push: a unit that is slow to answer is told as that.
TIMEOUTS = Timeouts(connect=4.0, answer=10.0, health=3.0)
RETRIES = Retries(attempts=3, patience=5.0)


class StatusSession:
    """The units of a topology, ready to be looked at."""

    def __init__(self, topology: Topology, path: str, reach: ConnectionOptions, output_format: str, jobs: int) -> None:
        self._plan = make_plan(topology, [Phase.GEO])
        self._accesses = {
            address: replace(access, timeouts=TIMEOUTS) for address, access in reach.accesses(topology).items()
        }
        self._command: Command = lambda name, *words: reach.command(name, path, *words)
        self._store = push_store(topology, reach, None)
        self._format = output_format
        self._jobs = jobs
        self._clock = SystemClock()

    def show_once(self, output: str | None) -> int:
        """Look once and write what there is to see; return the exit code."""
        status = asyncio.run(self._look_once())
        if self._format == "json":
            write(as_json(status), output)
        elif output in (None, "-"):
            width, color = terminal()
            click.echo(as_text(status, width=width, color=color), nl=False, color=color)
        else:
            write(as_text(status), output)
        return 0 if status.is_well else 1

    def watch(self, seconds: float) -> int:
        """Look again and again until Ctrl-C or SIGTERM, which is no failure."""
        return asyncio.run(self._watch(seconds))

    async def _look_once(self) -> Status:
        async with self._looking() as look:
            return await look()

    async def _watch(self, seconds: float) -> int:
        with _ending_on_signals(), suppress(asyncio.CancelledError), view_of(self._format) as view:
            async with self._looking() as look:
                while True:
                    view.show(await look())
                    await self._clock.sleep(seconds)
        return 0

    @asynccontextmanager
    async def _looking(self) -> AsyncIterator[Callable[[], Awaitable[Status]]]:
        """Have a client for every unit; they stay, so that refused credentials are never sent twice."""
        sightings = Sightings()
        async with connected(self._accesses, self._clock, retries=RETRIES) as units:

            async def look() -> Status:
                facts = await observe(self._plan, units, jobs=self._jobs)
                at = self._clock.wall()
                since, sights = sightings.look(facts, at), known_links(self._store).all_sights()
                return assess(self._plan, facts, at, since=since, command=self._command, sights=sights)

            yield look


@contextmanager
def _ending_on_signals() -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and a lost session cancel what the present task does."""
    task = asyncio.current_task()

    def end(_number: int) -> None:
        if task:
            task.cancel()

    with on_signals(end):
        yield
