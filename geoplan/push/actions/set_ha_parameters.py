"""``set_master_ha_parameters`` and ``set_slave_ha_parameters``: what makes a pair of two single units."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.errors import UnitError
from geoplan.live.activity import may_be_at_work, said
from geoplan.live.findings import NoteKind
from geoplan.live.findings.pairs import ALL_INTERFACES, PREFERRED_SERVER, SINGLE, drifts, has_no_pair
from geoplan.live.model import HA_SUBJECT, HaFacts, State
from geoplan.plan.model import Action
from geoplan.push.actions.change import not_applied, try_change
from geoplan.push.context import StepError
from geoplan.push.outcome import Outcome, StepState
from geoplan.push.values import plain_ha

if TYPE_CHECKING:
    from geoplan.live.findings.pairs import Drift
    from geoplan.live.unit import Unit
    from geoplan.loadmaster.model import HaMode
    from geoplan.plan.model import Step
    from geoplan.plan.pairs import HaParameters
    from geoplan.push.actions.change import Failed
    from geoplan.push.context import Context

APART = "set both units to single mode by hand, then go on"


async def set_parameters(context: Context, step: Step) -> Outcome:
    """Set one unit's mode and HA parameters, unless it has them already or its pair is at work.

    The other unit is looked at first: never are both masters, nor both slaves, not even for a moment. A pair at work
    is left as it is, and what differs is named.
    """
    site, pair = context.plan.site(step.on.site), context.plan.ha_pair(step.site)
    is_master = step.action is Action.SET_MASTER_HA_PARAMETERS
    wanted = pair.master if is_master else pair.slave
    unit = context.fleet.unit(wanted.address)
    before = await _read(step, unit)
    differing = list(drifts(before, wanted))
    if not differing and before.mode is not None:
        return Outcome(StepState.IN_PLACE, unit.address, f"it is in {wanted.mode} mode already")
    looks = await context.fleet.look(site, is_last=True)
    if site.name not in context.forms or may_be_at_work(looks.values()):
        return _left_as_is(context, step, unit, differing)
    await _require_settable(context, step, before, wanted)
    action, was = step.action.value, plain_ha(before)
    will_be = wanted.model_dump(mode="json", exclude={"address"})
    context.record("changing", step, unit.address, action=action, what=HA_SUBJECT, before=was, after=will_be)
    context.seen.ha.pop(unit.address, None)
    problem = await _change(context, step, unit, before, wanted)
    after = await _read(step, unit, problem)
    left = [str(deviation) for deviation in drifts(after, wanted)]
    if after.mode is None:
        left.append("its HA mode is not told")
    if left:
        raise not_applied(step, unit, problem, "; ".join(left))
    context.record("changed", step, unit.address, action=action)
    said = f"{wanted.mode} mode, partner {wanted.partner}, health check port {wanted.health_check_port}, read back"
    return Outcome(StepState.DONE, unit.address, said)


async def _require_settable(context: Context, step: Step, before: HaFacts, wanted: HaParameters) -> None:
    """Look at the other unit, too. Raises :class:`StepError` where the two modes would make no pair.

    It does so as well where somebody else has changed the unit's parameters since the checks.
    """
    unit = wanted.address
    if context.seen.ha.get(unit, before) != before:
        message = "its HA parameters were changed since the checks, and not by this push"
        hint = "find out who else changes them; then go on, which checks everything again"
        raise StepError(step, message, unit=unit, hint=hint)
    other = next(each.address for each in context.plan.site(step.on.site).units if each.address != unit)
    opposite = await _read(step, context.fleet.unit(other))
    for told, address in ((before, unit), (opposite, other)):
        if told.mode is None:
            raise StepError(step, f"{address} does not tell its HA mode", unit=address, hint=APART)
    if opposite.mode == wanted.mode:
        message = f"{other} is in {wanted.mode} mode, so this unit cannot be: both would be {wanted.mode}"
        raise StepError(step, message, unit=unit, hint=APART)
    if before.mode not in (SINGLE, wanted.mode):
        message = f"it is in {before.mode} mode, and the plan has it as {wanted.mode}"
        raise StepError(step, message, unit=unit, hint=APART)


def _left_as_is(context: Context, step: Step, unit: Unit, differing: list[Drift]) -> Outcome:
    """Leave a unit of a pair at work alone; what makes it another pair than the plan's stops the push.

    Raises :class:`StepError` where its mode, partner or port came to differ since the checks.
    """
    names = {deviation.name for deviation in differing}
    if names - {ALL_INTERFACES, PREFERRED_SERVER}:
        message = f"its pair is at work, and {'; '.join(map(str, differing))}: a push does not change that"
        raise StepError(step, message, unit=unit.address, hint="correct the topology, or the unit by hand")
    if not differing:
        return Outcome(StepState.IN_PLACE, unit.address, "its pair is at work; it does not tell its HA mode")
    message = f"its pair is at work and is left as it is: {'; '.join(map(str, differing))}"
    context.note(NoteKind.LEFT_AS_IT_IS, f"{unit.address}: {message}", site=step.site, unit=unit.address)
    return Outcome(StepState.IN_PLACE, unit.address, message)


async def _change(context: Context, step: Step, unit: Unit, before: HaFacts, wanted: HaParameters) -> Failed | None:
    """Set parameters and mode; return what went wrong before reading back.

    Section 6.2 begins with the mode. A slave without a partner polls nobody, though, and would become active beside
    its master if the push ended just then. So the parameters go first; a unit that does not take them in single mode
    gets them once more after its mode. It gets its single mode back where it says that it has no partner or no port
    then either, so that it is in no pair, and nothing answers its health check. Each request has a look of its own.
    """
    await _require_not_at_work(context, step, unit)
    problem = await try_change(unit.set_ha_parameters(wanted))
    if problem and problem.may_pass:
        return problem
    if before.mode == wanted.mode:
        return problem
    if failed := await _set_mode(context, step, unit, wanted.mode):
        return failed
    if not any(drifts(await _read(step, unit), wanted)):
        return None
    looks = await context.fleet.look(context.plan.site(step.on.site), is_last=True)
    if not may_be_at_work(looks.values()):
        problem = await try_change(unit.set_ha_parameters(wanted))
    found = await _read(step, unit)
    if has_no_pair(found):  # a slave that polls nobody would become active beside its master
        looks = await context.fleet.look(context.plan.site(step.on.site), is_last=True)
        if looks[unit.address].state is State.DOWN:
            await try_change(unit.set_ha_mode("single"))
    return problem


async def _set_mode(context: Context, step: Step, unit: Unit, mode: HaMode) -> Failed | None:
    """Set a mode; where the unit refuses the word, once more in the other, after a new look at both units."""
    await _require_not_at_work(context, step, unit)
    failed = await try_change(unit.set_ha_mode(mode))
    if failed is None or not failed.is_spelling:
        return failed
    await _require_not_at_work(context, step, unit)
    return await try_change(unit.set_ha_mode(mode))


async def _require_not_at_work(context: Context, step: Step, unit: Unit) -> None:
    """Look at both units just before one is changed. Raises :class:`StepError` where they work as a pair by now."""
    looks = await context.fleet.look(context.plan.site(step.on.site), is_last=True)
    if may_be_at_work(looks.values()):
        message = f"its pair came to work meanwhile ({said(looks)}), and a push does not change that"
        raise StepError(step, message, unit=unit.address, hint="go on, which checks everything again")


async def _read(step: Step, unit: Unit, problem: Failed | None = None) -> HaFacts:
    earlier = f"the change failed ({problem.reason}), and " if problem else ""
    try:
        found = await unit.ha_parameters()
    except UnitError as error:
        message = f"{earlier}its HA parameters cannot be read: {error.reason}"
        raise StepError(step, message, unit=unit.address) from None
    if found is None:
        raise StepError(step, f"{earlier}it does not tell its HA parameters", unit=unit.address)
    return found
