"""A pair looked at again between two looks at everything: who is active is asked, and no more than that."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from geoplan.live.activity import Look
from geoplan.live.model import Cause, Failure, Observation, State
from geoplan.loadmaster.health import TIMEOUT, HealthAnswer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geoplan.live.fleet import Fleet
    from geoplan.plan.model import SiteSettings

_ROLES = (State.ACTIVE, State.STANDBY)
_SILENT = Failure(Cause.UNREACHABLE, "neither its health check nor its API answers")


async def glimpse(fleet: Fleet, site: SiteSettings, pair: Sequence[Observation]) -> tuple[Observation, ...] | None:
    """Ask the health checks of a pair whether they say the same as before; None if they do.

    Else both units are returned, as they were read before but for who is active. Where two health checks do not tell
    that, the APIs are asked as well; an empty tuple says that only a look at everything can tell.
    """
    answers = await asyncio.gather(*(_health(fleet, unit) for unit in pair))
    if all(answer.state is unit.by_health for unit, answer in zip(pair, answers, strict=True)):
        return None
    looks = [Look(answer.state) for answer in answers]
    if not all(look.health in _ROLES for look in looks):
        looks = list((await fleet.look(site)).values())
    found = [_seen(unit, look, answer) for unit, look, answer in zip(pair, looks, answers, strict=True)]
    clear = tuple(unit for unit in found if unit is not None)
    return clear if len(clear) == len(found) else ()


async def _health(fleet: Fleet, unit: Observation) -> HealthAnswer:
    try:
        async with asyncio.timeout(fleet.timings.health_timeout):
            return await fleet.unit(unit.address).health() or HealthAnswer(State.UNKNOWN, "")
    except TimeoutError:
        return HealthAnswer(State.DOWN, TIMEOUT)


def _seen(unit: Observation, look: Look, answer: HealthAnswer) -> Observation | None:
    """Return a unit by a new look at it; None where that does not tell what it is."""
    if look.health is not answer.state:
        return None
    if look.health in _ROLES:
        if unit.failure is not None and unit.failure.cause is Cause.UNREACHABLE:
            return None  # it is back, and nothing else is known of it
        seen = unit
    elif look.state is State.DOWN and (unit.ha_status is not None or unit.failure is not None):
        seen = Observation(unit.address, unit.site, unit.role, failure=unit.failure or _SILENT)
    else:
        return None
    return replace(seen, state=look.state, health=answer.said, by_health=look.health, ha_status=look.told)
