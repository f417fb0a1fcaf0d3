"""``set_preferred_host_aside`` and ``restore_preferred_host``: *No Preferred Host* for the time of an update.

Only what this push has set aside is set again, on the units that said before that the master is preferred.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.errors import UnitError
from geoplan.live.activity import AT_WORK, said, states_of
from geoplan.plan.model import Action
from geoplan.push.actions.change import Again, not_applied, read_back, try_change, until_done
from geoplan.push.between_sites import wait_between_sites
from geoplan.push.context import StepError
from geoplan.push.firmware_progress import set_aside_on
from geoplan.push.outcome import Outcome, StepState
from geoplan.push.whole_pairs import until_at_work
from geoplan.vendor import NO_PREFERRED_HOST, PREFER_MASTER, PREFERRED_SERVER

if TYPE_CHECKING:
    from geoplan.live.unit import Unit
    from geoplan.plan.model import Step
    from geoplan.push.context import Context

AGAIN = f"see that its API answers and tells {PREFERRED_SERVER}, then go on"


async def set_preferred_host(context: Context, step: Step) -> Outcome:
    """Set the preferred host of both units of a pair aside, or set it again where this push has set it aside."""
    if step.action is Action.SET_PREFERRED_HOST_ASIDE:
        return await until_done(context, step, _set_aside)
    outcome = await until_done(context, step, _set_again)
    await until_at_work(context, step, "waiting until the master is active")
    await wait_between_sites(context, step)
    return outcome


async def _set_aside(context: Context, step: Step) -> Outcome | Again:
    return await _set_on_all(context, step, [unit.address for unit in context.plan.site(step.site).units], wanted=False)


async def _set_again(context: Context, step: Step) -> Outcome | Again:
    own = [unit.address for unit in context.plan.site(step.site).units]
    units = [address for address in reversed(own) if address in set_aside_on(context.history)]
    return await _set_on_all(context, step, units, wanted=True)


async def _set_on_all(context: Context, step: Step, units: list[str], *, wanted: bool) -> Outcome | Again:
    changed = []
    for address in units:
        found = await _set_on(context, step, context.fleet.unit(address), wanted=wanted)
        if isinstance(found, Again):
            return found
        changed += [address] if found else []
    if not changed:
        return Outcome(StepState.IN_PLACE, None, "it is so already" if units else "it was not set aside")
    what = f"{PREFER_MASTER} again" if wanted else NO_PREFERRED_HOST
    return Outcome(StepState.DONE, None, f"{what} on {' and '.join(changed)}")


async def _set_on(context: Context, step: Step, unit: Unit, *, wanted: bool) -> bool | Again:
    """Set it on one unit; return whether that was needed."""
    site = context.plan.site(step.site)
    partner, prefers = await _told(step, unit)
    if prefers is wanted:
        return False
    context.record("preferring", step, unit.address, before=prefers, after=wanted)
    looks = await context.fleet.look(site, is_last=True)
    if sorted(states_of(looks).values()) != AT_WORK:
        return Again(f"one unit has to be active and the other its standby, but {said(looks)}", unit.address)
    problem = await try_change(unit.set_preferred_host(partner, prefers_master=wanted))

    async def read() -> bool:
        return (await _told(step, unit))[1]

    now = await read_back(step, unit, read, problem)
    if now is wanted:
        return True
    if problem and problem.may_pass:
        return Again(problem.reason, unit.address)
    raise not_applied(step, unit, problem, "as it was before")


async def _told(step: Step, unit: Unit) -> tuple[str, bool]:
    """Return a unit's partner and whether it prefers its master. Raises :class:`StepError` where it does not tell."""
    reason = "it does not tell its HA parameters"
    try:
        found = await unit.ha_parameters()
    except UnitError as error:
        found, reason = None, f"{reason}: {error.reason}"
    if found is None or found.prefers_master is None or not found.partner:
        raise StepError(step, reason, unit=unit.address, hint=AGAIN)
    return found.partner, found.prefers_master
