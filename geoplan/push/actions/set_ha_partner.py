"""``set_ha_partner``: the unit of a pair that stays is given the new one as its partner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.errors import UnitError
from geoplan.live.activity import said, states_of
from geoplan.live.findings import NoteKind
from geoplan.live.findings.pairs import SINGLE, has_no_pair
from geoplan.live.fleet import only_active
from geoplan.live.model import HA_SUBJECT
from geoplan.loadmaster.model import HaRequest
from geoplan.plan.ha_change import new_partner_of
from geoplan.push.actions.change import Again, not_applied, try_change, until_done
from geoplan.push.by_hand import until_done_by_hand
from geoplan.push.outcome import Outcome, StepState
from geoplan.push.values import plain_ha
from geoplan.vendor import HA_PARAMETERS

if TYPE_CHECKING:
    from geoplan.live.model import HaFacts
    from geoplan.plan.ha_change import NewPartner
    from geoplan.plan.model import Step
    from geoplan.push.context import Context


async def set_ha_partner(context: Context, step: Step) -> Outcome:
    """Give the unit that stays its new partner while it is the active one; all else that it holds stays as it is.

    Where it does not tell its parameters, or a new master might take over with nothing, it is left to a person, who
    sets up the new unit as well.
    """
    return await until_done(context, step, _attempt)


async def _attempt(context: Context, step: Step) -> Outcome | Again:
    found = new_partner_of(context.plan, step.site)
    assert found  # noqa: S101 - the plan has no such step of another pair
    unit = context.fleet.unit(found.stays)
    held = await _told(context, found.stays)
    if held is None or held.mode is None:
        return _by_hand(context, step, found, f"{found.stays} does not tell its HA parameters")
    if canonical(held.partner or "") == canonical(found.comes):
        return Outcome(StepState.IN_PLACE, found.stays, f"its partner is {found.comes} already")
    if why := await _may_take_over(context, step, found):
        return _by_hand(context, step, found, why)
    if not await _is_active(context, step, found):
        await _until_active(context, step, found)
        return Again(f"{found.stays} was not the only active unit", found.stays)
    request = HaRequest(found.comes)
    was, will_be = plain_ha(held), plain_ha(request.applied_to(held))
    action = step.action.value
    context.record("changing", step, found.stays, action=action, what=HA_SUBJECT, before=was, after=will_be)
    looks = await context.fleet.look(context.plan.site(step.site), is_last=True)
    if only_active(states_of(looks)) != found.stays:
        return Again(f"{found.stays} has to be active alone, but {said(looks)}", found.stays)
    context.seen.ha.pop(found.stays, None)
    problem = await try_change(unit.change_ha_parameters(request))
    now = await _told(context, found.stays)
    if now is not None and canonical(now.partner or "") == canonical(found.comes):
        context.record("changed", step, found.stays, action=action)
        return Outcome(StepState.DONE, found.stays, f"partner {found.comes}, read back")
    if now is None or (problem and problem.may_pass):
        return Again(problem.reason if problem else "it does not tell its HA parameters any more", found.stays)
    if problem:
        return _by_hand(context, step, found, f"{found.stays} refuses it ({problem.reason})")
    raise not_applied(step, unit, None, now.partner or "no partner")


async def _told(context: Context, address: str) -> HaFacts | None:
    try:
        return await context.fleet.unit(address).ha_parameters()
    except UnitError:
        return None


async def _may_take_over(context: Context, step: Step, found: NewPartner) -> str | None:
    """Say why a new master could take over as soon as it is named; None for a new slave, or one in no pair yet."""
    if canonical(context.plan.site(step.site).units[0].address) != canonical(found.comes):
        return None
    held = await _told(context, found.comes)
    if held is not None and (held.mode == SINGLE or has_no_pair(held)):
        return None
    return f"{found.comes} becomes the master, and is not known to be single yet: it may take over with nothing"


async def _is_active(context: Context, step: Step, found: NewPartner) -> bool:
    looks = await context.fleet.look(context.plan.site(step.site))
    return only_active(states_of(looks)) == found.stays


async def _until_active(context: Context, step: Step, found: NewPartner) -> None:
    """Wait until the unit that stays is active: the old one may still serve, and would then be active beside it."""

    async def look() -> bool | None:
        return True if await _is_active(context, step, found) else None

    what = f"switch the old unit off, so that {found.stays} is active"
    await until_done_by_hand(context, step, look, what=what, unit=found.stays)


def _by_hand(context: Context, step: Step, found: NewPartner, why: str) -> Outcome:
    """Leave it to the step that follows, in which a person sets up the new unit."""
    message = f"{why}: by hand, partner {found.comes} on {found.stays} at {HA_PARAMETERS}, as the next step says"
    context.note(NoteKind.BY_HAND, message, site=step.site, unit=found.stays, step=step)
    return Outcome(StepState.BY_HAND, found.stays, message)
