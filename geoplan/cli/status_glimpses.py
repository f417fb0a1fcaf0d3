"""Glimpses at pairs while whole looks go on: a failover shows at once, not when everything has been asked."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from geoplan.errors import GeoplanError
from geoplan.live.glimpse import glimpse
from geoplan.live.model import Observations

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from geoplan.live.fleet import Fleet
    from geoplan.plan.model import SiteSettings

EVERY_SECONDS = 0.4
SECONDS_OF_A_PAIR = 0.02
"""Of many pairs each is looked at less often, so that all together do not keep this computer busy."""


class Glimpses:
    """Looks at each pair by itself, so that one that hangs hides no other; a pair under way is told by ``take``."""

    def __init__(self, fleet: Fleet, take: Callable[[Observations], Awaitable[None]]) -> None:
        self._fleet = fleet
        self._take = take
        self._facts: Observations | None = None
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def begin_look(self) -> None:
        """Note that a look at everything begins."""
        self._changed.clear()

    def has_missed(self) -> bool:
        """Return whether something has changed since the look began, so that it may have been read before that."""
        return self._changed.is_set()

    def end_look(self, facts: Observations) -> None:
        """Take what a look at everything has found: to this, glimpses are compared."""
        self._facts = facts

    async def pause(self, seconds: float) -> None:
        """Wait, until something has changed at the longest. A fault of a glimpse is raised."""
        for task in self._tasks:
            if task.done():
                task.result()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look while the block lasts."""
        pairs = [site for site in Observations(only=self._fleet.only).asked(self._fleet.plan) if site.kind == "ha_pair"]
        every = max(EVERY_SECONDS, len(pairs) * SECONDS_OF_A_PAIR)
        self._tasks = [asyncio.create_task(self._look_at(site, every)) for site in pairs]
        try:
            yield
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _look_at(self, site: SiteSettings, every: float) -> None:
        while True:
            await self._fleet.clock.sleep(every)
            if self._facts is not None:
                await self._compare(site, self._facts)

    async def _compare(self, site: SiteSettings, facts: Observations) -> None:
        pair = facts.of_site(site.name)
        if any(unit.by_health is None for unit in pair):
            return
        try:
            found = await glimpse(self._fleet, site, pair)
        except GeoplanError:  # which a look at everything tells
            found = ()
        now = self._facts
        if found is None or now is None or now.of_site(site.name) != pair:
            return
        self._changed.set()
        if found:
            self._facts = Observations({**now.units, **{unit.address: unit for unit in found}}, now.only)
            await self._take(self._facts)
