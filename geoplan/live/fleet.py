"""The units of a plan: who is active now, never by assumption."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import TYPE_CHECKING, TypeVar

from geoplan.concurrency import DEFAULT_JOBS, ask_each
from geoplan.errors import UnitError
from geoplan.live.activity import AT_WORK, Look, look_at, said, states_of
from geoplan.live.model import State
from geoplan.live.polling import until
from geoplan.loadmaster.pace import at_once

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from geoplan.live.polling import Clock, Timings
    from geoplan.live.unit import Unit
    from geoplan.plan.model import Plan, PlannedUnit, SiteSettings

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class NoActiveUnitError(Exception):
    """A site in which not exactly one unit is active, after all waiting."""

    def __init__(self, site: str, looks: Mapping[str, Look]) -> None:
        super().__init__(f"'{site}' has not exactly one active unit: {said(looks)}")


class Fleet:
    """All units of a plan, by their own addresses, of which at most ``jobs`` are asked at once."""

    def __init__(  # noqa: PLR0913 - what a fleet is
        self,
        plan: Plan,
        units: Mapping[str, Unit],
        clock: Clock,
        timings: Timings,
        *,
        jobs: int = DEFAULT_JOBS,
        is_on_paper: bool = False,
    ) -> None:
        self.plan = plan
        self.clock = clock
        self.timings = timings
        self.jobs = jobs
        self.units = units
        self.is_on_paper = is_on_paper
        """Whether its changes are only noted, so that nobody does anything by hand either."""
        self._places = asyncio.Semaphore(jobs)

    def unit(self, address: str) -> Unit:
        """Return the unit of an address."""
        return self.units[address]

    async def ask_each(self, items: Iterable[Item], ask: Callable[[Item], Awaitable[Answer]]) -> list[Answer]:
        """Ask many units and return their answers in order. A look at one pair is no part of that: it cannot wait."""
        return await ask_each(items, ask, self._places)

    async def look(self, site: SiteSettings, *, is_last: bool = False) -> dict[str, Look]:
        """Look at a site's units, all at once and both ways; slow ones count as down, or as not telling.

        ``is_last`` is the look just before a request that relies on it: then the API is asked even where the unit was
        asked much just now.
        """
        addresses = [unit.address for unit in site.units]
        looks = (look_at(self.units[address], seconds=self.timings.health_timeout) for address in addresses)
        with at_once() if is_last else nullcontext():
            return dict(zip(addresses, await asyncio.gather(*looks), strict=True))

    async def is_active_now(self, site: SiteSettings, address: str) -> bool:
        """Look at all units of a site: whether this one, and no other, takes settings at this moment."""
        return site.kind == "standalone" or only_active(states_of(await self.look(site, is_last=True))) == address

    async def active(self, site: SiteSettings, *, on_wait: Callable[[float], None] | None = None) -> Unit:
        """Return the unit of a site that takes settings now; a failover under way is waited for.

        ``on_wait`` is called once where there is none yet. Raises :class:`NoActiveUnitError` where that is not exactly
        one unit in the end.
        """
        if site.kind == "standalone":
            return self.units[site.units[0].address]
        seen: dict[str, Look] = {}

        async def look() -> str | None:
            seen.update(await self.look(site))
            return only_active(states_of(seen))

        found = await until(
            self.clock, look, within=self.timings.settle_timeout, every=self.timings.poll_seconds, on_wait=on_wait
        )
        if found is None:
            raise NoActiveUnitError(site.name, seen)
        return self.units[found]


async def units_down(fleet: Fleet, site: SiteSettings) -> tuple[str, ...]:
    """Return the units of the other sites of a site's group that are not up now."""
    others = [other for other in fleet.plan.sites_of(site.group) if other.name != site.name]
    units = [(other, unit) for other in others for unit in other.units]

    async def is_down(asked: tuple[SiteSettings, PlannedUnit]) -> bool:
        other, unit = asked
        return await _is_down(fleet, unit.address, is_paired=other.kind == "ha_pair")

    answers = await fleet.ask_each(units, is_down)
    return tuple(unit.address for (_, unit), down in zip(units, answers, strict=True) if down)


async def _is_down(fleet: Fleet, address: str, *, is_paired: bool) -> bool:
    unit = fleet.unit(address)
    if not is_paired:  # a standalone need not serve the health check
        return not await answers(unit)
    state = await unit.state()  # with all the patience that its health check has: who is slow is not down
    if state is State.ACTIVE:
        return False
    try:  # something in between may answer 503 for a unit that is gone, or nothing for one that is up
        async with asyncio.timeout(fleet.timings.health_timeout):
            with at_once():
                return not await (answers(unit) if state is State.STANDBY else _tells(unit))
    except TimeoutError:
        return True


async def _tells(unit: Unit) -> bool:
    """Return whether a unit's API says who it is."""
    try:
        return await unit.ha_status(once=True) is not None
    except UnitError:
        return False


async def answers(unit: Unit) -> bool:
    """Return whether a unit answers by its API, be it with a refusal, as a standby may."""
    try:
        await unit.boot_time()
    except UnitError:
        return False
    return True


def only_active(states: Mapping[str, State]) -> str | None:
    """Return the one address that is active, or None where that is not exactly one, or another may be it."""
    if State.CONTRADICTORY in states.values():
        return None
    active = [address for address, state in states.items() if state is State.ACTIVE]
    return active[0] if len(active) == 1 else None


def are_healthy(site: SiteSettings, states: Mapping[str, State]) -> bool:
    """Return whether a pair is where it stays: one unit active, the other its standby.

    Under *Prefer Master* that is the master, which takes over again once it is up (section 6.2).
    """
    active = only_active(states)
    if active is None or sorted(states.values()) != AT_WORK:
        return False
    return site.preferred_host == "none" or active == site.units[0].address
