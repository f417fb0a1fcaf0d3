"""A site's two lists, entered on its active unit: what it is to hold, or what is left once others have left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.addresses import same_addresses, without
from geoplan.errors import UnitError
from geoplan.live.findings import NoteKind
from geoplan.live.findings.leaving import known_before
from geoplan.live.model import LIST_NAMES
from geoplan.plan.actions import REMOVALS
from geoplan.plan.model import Action
from geoplan.push.actions.change import (
    Again,
    find_unit,
    not_applied,
    read_back,
    try_change,
    until_done,
)
from geoplan.push.actions.leaving import leaves_for_good, left_alone
from geoplan.push.actions.seed_geo_configuration import require_same
from geoplan.push.context import StepError
from geoplan.push.outcome import Outcome, StepState
from geoplan.wording import count, some_of

if TYPE_CHECKING:
    from geoplan.live.model import Subject
    from geoplan.live.unit import Unit
    from geoplan.plan.model import Step
    from geoplan.push.context import Context


async def set_list(context: Context, step: Step) -> Outcome:
    """Enter one of a site's lists on its active unit, unless it holds it already, or nobody answers of who leaves."""
    if step.action in REMOVALS and (left := await left_alone(context, step)):
        return left
    return await until_done(context, step, _try_list)


async def _try_list(context: Context, step: Step) -> Outcome | Again:
    """Look, read, write once, read back, and look again: what the standby took is not entered."""
    unit = await find_unit(context, step)
    site, wanted = context.plan.site(step.on.site), context.plan.values(step)
    subject: Subject = "remote_geo_access"
    read, write = unit.remote_geo_access, unit.set_remote_geo_access
    if step.action in (Action.SET_GEO_PARTNERS, Action.REMOVE_GEO_PARTNERS):
        subject, read, write = "geo_partners", unit.geo_partners, unit.set_geo_partners
    name = LIST_NAMES[subject]
    try:
        before = await read()
    except UnitError as error:
        raise StepError(step, f"its {name} cannot be read: {error.reason}", unit=unit.address) from None
    again = Again("the other unit took over meanwhile", unit.address)
    if same_addresses(before, wanted) or _is_taken_off(context, step, subject, before):
        if not await context.fleet.is_active_now(site, unit.address):
            return again
        return Outcome(StepState.IN_PLACE, unit.address, f"already there: {count(len(before), 'address')}")
    _require_own_doing(context, step, unit, subject, before)
    _require_allowed(context, step, unit, subject, before)
    if step.action is Action.SET_GEO_PARTNERS:
        await require_same(context, step)
    action, was, will_be = step.action.value, list(before), list(wanted)
    context.record("changing", step, unit.address, action=action, what=subject, before=was, after=will_be)
    if not await context.fleet.is_active_now(site, unit.address):
        return again
    context.seen.note_list(site.name, subject, wanted)
    problem = await try_change(write(wanted))
    after = await read_back(step, unit, read, problem)
    if not await context.fleet.is_active_now(site, unit.address):
        message = f"{unit.address}: its {name} was entered while the other unit took over; entering it there"
        context.note(NoteKind.TOOK_OVER, message, site=site.name, unit=unit.address)
        return again
    if same_addresses(after, wanted):
        context.record("changed", step, unit.address, action=action)
        return Outcome(StepState.DONE, unit.address, f"{count(len(wanted), 'address')} entered and read back")
    failure = not_applied(step, unit, problem, f"{name} holds {some_of(after) or 'nothing'}")
    if problem and problem.may_pass:
        return Again(str(failure), unit.address)
    raise failure


def _require_own_doing(context: Context, step: Step, unit: Unit, subject: Subject, before: tuple[str, ...]) -> None:
    """Stop where a list is neither as the checks saw it nor as this push has written it: somebody else changes it."""
    if context.seen.knows_list(step.on.site, subject, before):
        return
    held = some_of(before) or "nothing"
    raise StepError(
        step,
        f"its {LIST_NAMES[subject]} was changed since the checks, and not by this push: it holds {held}",
        unit=unit.address,
        hint="find out who else changes it; then go on, which checks everything again",
    )


def _is_taken_off(context: Context, step: Step, subject: Subject, before: tuple[str, ...]) -> bool:
    """Return whether nothing is on a list any more that is to be taken off; who leaves for good is then a lone site.

    One whose join was taken back may list nobody yet, not even itself.
    """
    if step.action not in REMOVALS or _leaving(context, step, subject, before):
        return False
    return not (leaves_for_good(context, step.site) and without(context.plan.values(step), before))


def _leaving(context: Context, step: Step, subject: Subject, before: tuple[str, ...]) -> tuple[str, ...]:
    """Return the addresses on a list that the change takes off it; what has joined since is none of them."""
    return tuple(known_before(context.plan, step.on.site, subject, without(before, context.plan.values(step))))


def _require_allowed(context: Context, step: Step, unit: Unit, subject: Subject, before: tuple[str, ...]) -> None:
    """Stop rather than remove what came onto a list since the checks."""
    if context.options.remove_unknown:
        return
    extra = without(before, context.plan.values(step))
    if extra := without(extra, known_before(context.plan, step.on.site, subject, extra)):
        message = f"it now lists {some_of(extra)}, which the plan would remove"
        raise StepError(step, message, unit=unit.address, hint="put them into the plan, or give --remove-unknown")
