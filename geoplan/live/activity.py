"""Who is active: the health check says so, and beside it the unit's API. Nothing else decides it.

The health check is what the load balancer goes by (section 4), and needs no login. It may be open to the load balancer
alone, though: then the API is what tells. Where both tell and do not agree, nobody knows.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from geoplan.errors import UnitError
from geoplan.loadmaster.model import HaStatus, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from geoplan.live.unit import Unit

_BY_API = {HaStatus.ACTIVE: State.ACTIVE, HaStatus.STANDBY: State.STANDBY}
_ROLES = frozenset({State.ACTIVE, State.STANDBY})
AT_WORK = [State.ACTIVE, State.STANDBY]
"""The states of a pair that works, sorted."""


class Way(StrEnum):
    """What told who a unit is."""

    BOTH = "health check and API"
    HEALTH_CHECK = "health check"
    API = "API"
    NONE = "nothing"


@dataclass(frozen=True, slots=True)
class Look:
    """One look at one unit of a pair."""

    health: State
    """By its health check alone."""
    told: HaStatus | None = None
    """By its API alone; None where that does not tell."""

    @property
    def by_api(self) -> State | None:
        """Who it is by its API alone: *Passive* and *HA not configured* are neither active nor standby."""
        return _BY_API.get(self.told) if self.told else None

    @property
    def state(self) -> State:
        """Who it is by both. A unit that answers as in a pair, and says that it is in none, is contradictory, too."""
        if self.health not in _ROLES:
            return self.by_api or self.health
        if self.told is None or self.by_api is self.health:
            return self.health
        return State.CONTRADICTORY

    @property
    def is_silent(self) -> bool:
        """Whether nothing of it has answered."""
        return self.told is None and self.health is State.DOWN

    @property
    def way(self) -> Way:
        """What told that."""
        by_health = self.health in _ROLES
        if by_health and self.told:
            return Way.BOTH
        return Way.HEALTH_CHECK if by_health else Way.API if self.by_api else Way.NONE

    def __str__(self) -> str:
        if self.state is State.CONTRADICTORY:
            return f"{self.state} ({self.health} by its health check, '{self.told}' by its API)"
        return f"{self.state} by its API" if self.way is Way.API else str(self.state)


async def look_at(unit: Unit, *, seconds: float | None = None) -> Look:
    """Ask a unit both ways at once who it is; what takes longer than so many seconds is not told.

    The API is asked once: the health check alone tells where that comes to nothing.
    """
    health, told = await asyncio.gather(_health(unit, seconds), _told(unit, seconds))
    return Look(health, told)


async def _health(unit: Unit, seconds: float | None) -> State:
    try:
        async with asyncio.timeout(seconds):
            return await unit.state()
    except TimeoutError:
        return State.DOWN


async def _told(unit: Unit, seconds: float | None) -> HaStatus | None:
    try:
        async with asyncio.timeout(seconds):
            return await unit.ha_status(once=True)
    except (UnitError, TimeoutError):
        return None


def states_of(looks: Mapping[str, Look]) -> dict[str, State]:
    """Return who units are, by their addresses."""
    return {address: look.state for address, look in looks.items()}


def may_be_at_work(looks: Iterable[Look]) -> bool:
    """Return whether two units work as a pair by any of the two ways, or by both together.

    A pair at work is left alone, so one witness is enough.
    """
    seen = tuple(looks)
    views = (
        [look.state for look in seen],
        [look.health for look in seen],
        [look.by_api or look.health for look in seen],
    )
    contradict = any(look.by_api and look.state is State.CONTRADICTORY for look in seen)
    return contradict or any(sorted(view) == AT_WORK for view in views)


def said(looks: Mapping[str, Look]) -> str:
    """Say in words who units are."""
    return ", ".join(f"{address} is {look}" for address, look in looks.items())


def way_of(looks: Iterable[Look]) -> str:
    """Say in words by which of the two ways it is known who units are; nothing where both tell of each."""
    ways = {look.way for look in looks}
    return f"by {' and '.join(sorted(ways))} alone" if ways != {Way.BOTH} else ""
