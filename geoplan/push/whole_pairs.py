"""A pair after a push was at its units: one is active, the other stands by, and holds what the active one holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.addresses import same_addresses
from geoplan.errors import UnitError, UnitRefusedError
from geoplan.live.activity import AT_WORK, said, states_of
from geoplan.live.findings import NoteKind
from geoplan.live.fleet import are_healthy, only_active
from geoplan.push.context import StepError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from geoplan.live.unit import Unit
    from geoplan.plan.model import Step
    from geoplan.push.context import Context

LOOK = "look at both units, and see that they synchronise; then go on"


async def nothing_else() -> list[str]:
    """Return no further fault: of a pair that has only to be whole."""
    return []


async def until_whole(
    context: Context,
    step: Step,
    after: str,
    *,
    more: Callable[[], Awaitable[list[str]]] = nothing_else,
    hint: str = LOOK,
) -> str:
    """Wait until a pair is whole; return what was seen of it.

    ``more`` finds what else is wrong with a pair that is at work. Raises :class:`StepError` where it is not whole in
    time: nothing goes on then.
    """
    site = context.plan.site(step.site)
    faults: list[str] = []

    async def look() -> str | None:
        looks = await context.fleet.look(site)
        active = only_active(states_of(looks))
        faults[:] = [] if sorted(states_of(looks).values()) == AT_WORK else [said(looks)]
        if not faults and active is not None:
            faults.extend(await more() or await _out_of_sync(context, step, active))
        return None if faults else said(looks)

    telling = context.reporter.waiting(step, "waiting until the pair is whole")
    within = max(context.timings.return_deadline, context.timings.replication_deadline)
    told = await context.until(look, within=within, on_wait=telling)
    if told is None:
        raise StepError(step, f"it is not whole after {after}: {'; '.join(faults)}", hint=hint)
    return told


async def until_at_work(context: Context, step: Step, waiting: str) -> None:
    """Wait until one unit is active and the other its standby: the master, if it takes over at once.

    ``waiting`` says what is waited for. Raises :class:`StepError` where the pair is not at work in time; that the slave
    stays active is only noted.
    """
    site = context.plan.site(step.site)

    async def look() -> bool | None:
        return True if are_healthy(site, states_of(await context.fleet.look(site))) else None

    telling = context.reporter.waiting(step, waiting, site.units[0].address)
    if await context.until(look, within=context.timings.failover_deadline, on_wait=telling):
        return
    looks = await context.fleet.look(site)
    if sorted(states_of(looks).values()) != AT_WORK:
        hint = "look at both units; once one is active and the other its standby, go on"
        raise StepError(step, f"one unit has to be active and the other its standby, but {said(looks)}", hint=hint)
    message = f"'{site.name}': {said(looks)}; the master takes over at its next boot, or by a switch-over by hand"
    context.note(NoteKind.TOOK_OVER, message, site=site.name, step=step)


async def _out_of_sync(context: Context, step: Step, active: str) -> list[str]:
    """Return which list a standby does not hold as its active unit does; one that refuses to tell is noted."""
    units: list[Unit] = [context.fleet.unit(unit.address) for unit in context.plan.site(step.site).units]
    leading = next(unit for unit in units if unit.address == active)
    standby = next(unit for unit in units if unit.address != active)
    try:
        wanted = (await leading.remote_geo_access(), await leading.geo_partners())
    except UnitError as error:
        return [f"{active} does not tell its lists: {error.reason}"]
    try:
        held = (await standby.remote_geo_access(), await standby.geo_partners())
    except UnitRefusedError as error:
        message = f"{standby.address}: the standby refuses reads ({error.reason}), so its lists were not compared"
        context.note(NoteKind.STANDBY_REFUSES, message, site=step.site, unit=standby.address, step=step)
        return []
    except UnitError as error:
        return [f"{standby.address} does not tell its lists: {error.reason}"]
    same = all(same_addresses(one, other) for one, other in zip(held, wanted, strict=True))
    return [] if same else [f"{standby.address} does not hold the lists of {active}"]
