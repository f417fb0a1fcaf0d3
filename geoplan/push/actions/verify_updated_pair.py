"""``verify_updated_pair``: both units run the new version, one is active, and the standby holds what it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.addresses import same_addresses
from geoplan.errors import UnitError, UnitRefusedError
from geoplan.live.activity import AT_WORK, said, states_of
from geoplan.live.findings import NoteKind
from geoplan.live.fleet import only_active
from geoplan.push.between_sites import wait_between_sites
from geoplan.push.context import StepError
from geoplan.push.firmware_progress import is_version
from geoplan.push.outcome import Outcome, StepState

if TYPE_CHECKING:
    from geoplan.live.unit import Unit
    from geoplan.plan.model import Step
    from geoplan.push.context import Context


async def verify_updated_pair(context: Context, step: Step) -> Outcome:
    """See that a pair is whole after its update. Raises :class:`StepError` where it is not: nothing goes on then."""
    site = context.plan.site(step.site)
    to = context.plan.firmware.to if context.plan.firmware else ""
    faults: list[str] = []

    async def look() -> str | None:
        looks = await context.fleet.look(site)
        active = only_active(states_of(looks))
        faults[:] = [] if sorted(states_of(looks).values()) == AT_WORK else [said(looks)]
        if not faults and active is not None:
            faults.extend(await _faults(context, step, active, to))
        return None if faults else said(looks)

    telling = context.reporter.waiting(step, "waiting until the pair is whole")
    within = max(context.timings.return_deadline, context.timings.replication_deadline)
    told = await context.until(look, within=within, on_wait=telling)
    if told is None:
        message = f"it is not whole after its update: {'; '.join(faults)}"
        raise StepError(step, message, hint="look at both units, and see that they synchronise; then go on")
    await wait_between_sites(context, step)
    return Outcome(StepState.DONE, None, f"both run {to}; {told}")


async def _faults(context: Context, step: Step, active: str, to: str) -> list[str]:
    """Return what is wrong with a pair at work: a version, or lists that the standby does not hold."""
    site = context.plan.site(step.site)
    units = [context.fleet.unit(unit.address) for unit in site.units]
    found = []
    for unit in units:
        try:
            version = await unit.firmware()
        except UnitError as error:
            found.append(f"{unit.address} does not tell its version: {error.reason}")
        else:
            found += [] if is_version(version, to) else [f"{unit.address} runs {version}"]
    return found or await _out_of_sync(context, step, active, units)


async def _out_of_sync(context: Context, step: Step, active: str, units: list[Unit]) -> list[str]:
    """Return which list a standby does not hold as its active unit does; one that refuses to tell is noted."""
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
