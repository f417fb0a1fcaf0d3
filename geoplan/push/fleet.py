"""The units of a plan: who is active now, never by assumption."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from geoplan.errors import UnitError
from geoplan.push.facts import State
from geoplan.push.guard import Guard
from geoplan.push.waits import until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from geoplan.plan.model import Plan, SiteSettings
    from geoplan.push.clock import Clock
    from geoplan.push.journal import Journal
    from geoplan.push.unit import Unit
    from geoplan.push.waits import Timings


class NoActiveUnitError(Exception):
    """A site in which not exactly one unit is active, after all waiting."""

    def __init__(self, site: str, states: Mapping[str, State]) -> None:
        shown = ", ".join(f"{address} is {state}" for address, state in states.items())
        super().__init__(f"'{site}' has not exactly one active unit: {shown}")


class Fleet:
    """All units of a plan, by their own addresses."""

    def __init__(self, plan: Plan, units: Mapping[str, Unit], clock: Clock, timings: Timings) -> None:
        self.plan = plan
        self.clock = clock
        self.timings = timings
        self._units = units

    def guarded(self, journal: Journal) -> Fleet:
        """Return the same units for a push with this journal: none of them takes a change that a push never makes."""
        guard = Guard(self.plan, journal, self.clock, self.timings)
        return Fleet(self.plan, {a: guard.unit(unit) for a, unit in self._units.items()}, self.clock, self.timings)

    def unit(self, address: str) -> Unit:
        """Return the unit of an address."""
        return self._units[address]

    async def states(self, site: SiteSettings) -> dict[str, State]:
        """Return what the health checks of a site's units say now, all asked at once; slow ones count as down."""
        return await self._ask(site, self._state_at_a_look)

    async def is_active_now(self, site: SiteSettings, address: str) -> bool:
        """Look at all units of a site: whether this one, and no other, takes settings at this moment."""
        return site.kind == "standalone" or only_active(await self.states(site)) == address

    async def patient_states(self, site: SiteSettings) -> dict[str, State]:
        """Return the same with all the patience that a unit's health check has: who is slow is not down."""
        return await self._ask(site, lambda address: self._units[address].state())

    async def _ask(self, site: SiteSettings, state_of: Callable[[str], Awaitable[State]]) -> dict[str, State]:
        addresses = [unit.address for unit in site.units]
        return dict(zip(addresses, await asyncio.gather(*map(state_of, addresses)), strict=True))

    async def _state_at_a_look(self, address: str) -> State:
        try:
            async with asyncio.timeout(self.timings.look_seconds):
                return await self._units[address].state()
        except TimeoutError:
            return State.DOWN

    async def active(self, site: SiteSettings, *, on_wait: Callable[[float], None] | None = None) -> Unit:
        """Return the unit of a site that takes settings now; a failover under way is waited for.

        ``on_wait`` is called once where there is none yet. Raises :class:`NoActiveUnitError` where that is not exactly
        one unit in the end.
        """
        if site.kind == "standalone":
            return self._units[site.units[0].address]
        seen: dict[str, State] = {}

        async def look() -> str | None:
            seen.update(await self.states(site))
            return only_active(seen)

        found = await until(
            self.clock, look, within=self.timings.settle_deadline, every=self.timings.poll_seconds, on_wait=on_wait
        )
        if found is None:
            raise NoActiveUnitError(site.name, seen)
        return self._units[found]


async def units_down(fleet: Fleet, site: SiteSettings) -> tuple[str, ...]:
    """Return the units of the other sites of a site's group that are not up now."""
    others = [other for other in fleet.plan.sites if other.group == site.group and other.name != site.name]
    found = await asyncio.gather(*(_down_in(fleet, other) for other in others))
    return tuple(address for addresses in found for address in addresses)


async def _down_in(fleet: Fleet, site: SiteSettings) -> list[str]:
    if site.kind == "ha_pair":
        states = await fleet.patient_states(site)
        return [address for address, state in states.items() if state not in (State.ACTIVE, State.STANDBY)]
    try:  # a standalone need not serve the health check
        await fleet.unit(site.units[0].address).geo_partners()
    except UnitError:
        return [site.units[0].address]
    return []


def only_active(states: Mapping[str, State]) -> str | None:
    """Return the one address that is active, or nothing where that is not exactly one."""
    active = [address for address, state in states.items() if state is State.ACTIVE]
    return active[0] if len(active) == 1 else None


def are_healthy(site: SiteSettings, states: Mapping[str, State]) -> bool:
    """Tell whether a pair is where it stays: one unit active, the other its standby.

    Under *Prefer Master* that is the master, which takes over again once it is up (section 6.2).
    """
    active = only_active(states)
    if active is None or sorted(states.values()) != [State.ACTIVE, State.STANDBY]:
        return False
    return site.preferred_host == "none" or active == site.units[0].address
