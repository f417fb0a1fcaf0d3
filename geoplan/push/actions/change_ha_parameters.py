"""``set_preferred_host``, ``set_all_interfaces``, ``set_health_check_port``: one HA parameter of a pair at work.

HA does not synchronise them, so both units are set, the standby first. While the two ports differ HA does not work:
both units are read and recorded before the first request, and the second follows once the first was read back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geoplan.errors import UnitError, UnitRefusedError
from geoplan.live.activity import AT_WORK, said, states_of
from geoplan.live.findings import NoteKind
from geoplan.live.findings.ha_changes import PARAMETERS, are_ports_apart
from geoplan.live.model import HA_SUBJECT, State
from geoplan.plan.model import Action
from geoplan.push.actions.change import Again, not_applied, try_change, until_done
from geoplan.push.by_hand import until_done_by_hand
from geoplan.push.context import StepError
from geoplan.push.outcome import Outcome, StepState
from geoplan.push.values import plain_ha
from geoplan.push.whole_pairs import until_at_work
from geoplan.vendor import HA_PARAMETERS
from geoplan.wording import join_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geoplan.live.findings.ha_changes import Parameter, Value
    from geoplan.live.model import HaFacts
    from geoplan.plan.model import Step
    from geoplan.push.actions.change import Failed
    from geoplan.push.context import Context

NOT_WORKING = "while the two ports differ HA does not work, and the standby may go active"


class _Goal(NamedTuple):
    """What a step makes of both units of a pair."""

    parameter: Parameter
    before: Value
    after: Value
    is_port: bool

    @property
    def shown(self) -> str:
        return f"{self.parameter.name} {self.parameter.shown(self.after)}"


async def change_ha_parameters(context: Context, step: Step) -> Outcome:
    """Set one HA parameter on both units of a pair at work that do not hold it yet, and see the pair whole again.

    What a unit does not tell, or refuses, is done by hand. Raises :class:`StepError` with what each unit holds where
    the two could not be made alike.
    """
    goal = _goal_of(context, step)
    try:
        outcome = await until_done(context, step, _attempt)
    except StepError as error:
        raise await _explained(context, step, error) if goal.is_port else error from None
    if context.fleet.is_on_paper:
        return outcome  # what parted on units does not come together on paper
    if goal.is_port or outcome.state is not StepState.IN_PLACE:
        await until_at_work(context, step, "waiting until the pair is whole")
    return outcome


def _goal_of(context: Context, step: Step) -> _Goal:
    change, parameter = context.plan.ha_change(step.site), PARAMETERS[step.action]
    assert change  # noqa: S101 - the plan has no such step of another pair
    is_port = step.action is Action.SET_HEALTH_CHECK_PORT
    return _Goal(parameter, parameter.planned(change.before), parameter.planned(change.after), is_port)


async def _attempt(context: Context, step: Step) -> Outcome | Again:
    try:
        return await _set_both(context, step)
    except UnitError as error:
        return Again(error.reason, error.unit)


async def _set_both(context: Context, step: Step) -> Outcome | Again:
    goal = _goal_of(context, step)
    held = await _told(context, step)
    untold = [address for address, found in held.items() if found is None or goal.parameter.held(found) is None]
    left = [a for a, found in held.items() if a not in untold and found and goal.parameter.held(found) != goal.after]
    if goal.is_port and untold:
        return await _by_hand(context, step, [*held], f"{join_words(untold)} does not tell its HA parameters")
    for address in untold:
        message = f"{address} does not tell its HA parameters: by hand, {goal.shown} at {HA_PARAMETERS} there"
        context.note(NoteKind.BY_HAND, message, site=step.site, unit=address, step=step)
    if not left:
        if untold:
            return Outcome(StepState.BY_HAND, None, f"by hand on {join_words(untold)}, which is not told: {goal.shown}")
        return Outcome(StepState.IN_PLACE, None, f"both units have {goal.shown}")
    site = context.plan.site(step.site)
    states = states_of(await context.fleet.look(site))
    in_order = sorted(left, key=lambda address: states[address] is State.ACTIVE)
    for address in in_order:
        _record(context, step, address, held[address], goal.after)
    for number, address in enumerate(in_order):
        found = await _set(context, step, address, held, goal.after)
        if isinstance(found, Again):
            return found
        if found is not None and goal.is_port:
            await _set_back(context, step, in_order[:number], found)
        if isinstance(found, StepError):
            raise found
        if found is not None:
            units = [*held] if goal.is_port else [address]
            return await _by_hand(context, step, units, f"{address} refuses it ({found.reason})")
        context.record("changed", step, address, action=step.action.value)
    return Outcome(StepState.DONE, None, f"{goal.shown} on {join_words(in_order)}, read back")


async def _told(context: Context, step: Step) -> dict[str, HaFacts | None]:
    """Return the HA parameters of both units; None for one that does not tell them.

    Raises :class:`UnitError` where one cannot be asked now: that is no answer, and it may tell a moment later.
    """
    held: dict[str, HaFacts | None] = {}
    for unit in context.plan.site(step.site).units:
        try:
            found = await context.fleet.unit(unit.address).ha_parameters()
        except UnitRefusedError:
            found = None
        held[unit.address] = found if found and found.partner else None
    return held


def _record(context: Context, step: Step, address: str, found: HaFacts | None, value: Value) -> None:
    assert found  # noqa: S101 - only what was told is changed
    was = plain_ha(found)
    will_be = plain_ha(PARAMETERS[step.action].request(found.partner or "", value).applied_to(found))
    context.record("changing", step, address, action=step.action.value, what=HA_SUBJECT, before=was, after=will_be)


async def _set(
    context: Context, step: Step, address: str, held: Mapping[str, HaFacts | None], value: Value
) -> Failed | Again | StepError | None:
    """Send one request after a look at both units, and read it back; return why it was refused or not applied."""
    parameter, unit, was = PARAMETERS[step.action], context.fleet.unit(address), held[address]
    now = await _told(context, step)
    found = now[address]
    if found is None or found != was:
        return Again(f"{address} tells other HA parameters than a moment ago", address)
    looks = await context.fleet.look(context.plan.site(step.site), is_last=True)
    is_apart = are_ports_apart(context.plan.ha_change(step.site), now.values())
    may_be_split = context.fleet.is_on_paper or (parameter is PARAMETERS[_PORT] and is_apart)
    if sorted(states_of(looks).values()) != AT_WORK and not may_be_split:
        return Again(f"one unit has to be active and the other its standby, but {said(looks)}", address)
    context.seen.ha.pop(address, None)
    problem = await try_change(unit.change_ha_parameters(parameter.request(found.partner or "", value)))
    told = (await _told(context, step))[address]
    if told is not None and parameter.held(told) == value:
        return None
    if told is None or (problem and problem.may_pass):
        return Again(problem.reason if problem else "it does not tell its HA parameters any more", address)
    if problem is None:
        held_now = parameter.held(told)
        return not_applied(step, unit, None, "unknown" if held_now is None else parameter.shown(held_now))
    return problem


_PORT = Action.SET_HEALTH_CHECK_PORT


async def _set_back(context: Context, step: Step, done: list[str], failed: Failed | StepError) -> None:
    """Set the port back where it was set already, since the other unit does not take it: then HA works again."""
    why = str(failed) if isinstance(failed, StepError) else failed.reason
    for address in done:
        now = await _told(context, step)
        if now[address] is None:
            raise StepError(step, f"the other unit does not take it ({why}), and {address} tells nothing", unit=address)
        before = _goal_of(context, step).before
        _record(context, step, address, now[address], before)
        back = await _set(context, step, address, now, before)
        if back is not None:
            reason = back.why if isinstance(back, Again) else str(back) if isinstance(back, StepError) else back.reason
            message = f"the other unit does not take it ({why}), and {address} cannot be set back: {reason}"
            raise StepError(step, message, unit=address)
        context.record("changed", step, address, action=step.action.value)


async def _by_hand(context: Context, step: Step, units: list[str], why: str) -> Outcome:
    """Wait until a person has set what cannot be set over the API, on these units, and the pair works."""
    goal, site = _goal_of(context, step), context.plan.site(step.site)

    async def look() -> str | None:
        looks = await context.fleet.look(site)
        if sorted(states_of(looks).values()) != AT_WORK:
            return None
        try:
            held = await _told(context, step)
        except UnitError:
            return None
        told = [goal.parameter.held(found) for address in units if (found := held[address])]
        return said(looks) if told and all(value == goal.after for value in told) else None

    at_once = ", on one right after the other" if goal.is_port else ""
    what = f"set {goal.shown} at {HA_PARAMETERS} on {join_words(units)}{at_once}: {why}"
    told = await until_done_by_hand(context, step, look, what=what)
    return Outcome(StepState.BY_HAND, None, f"{goal.shown} on {join_words(units)}: {told}")


async def _explained(context: Context, step: Step, error: StepError) -> StepError:
    """Return a failure with the ports that the units have now, and what to do."""
    ports: dict[str, int | None] = {}
    for address in (unit.address for unit in context.plan.site(step.site).units):
        try:
            found = await context.fleet.unit(address).ha_parameters()
        except UnitError:
            found = None
        ports[address] = found.health_check_port if found else None
    shown = ", ".join(f"{port or 'not told'} on {address}" for address, port in ports.items())
    is_apart = len({*ports.values()}) > 1
    now = f"{error}; health check ports now: {shown}" + (f": {NOT_WORKING}" if is_apart else "")
    wanted = _goal_of(context, step)
    hint = (
        f"go on, which makes them alike first; or set {wanted.shown} on both units at {HA_PARAMETERS} by hand at once"
    )
    return StepError(step, now, unit=error.unit, hint=hint if is_apart else error.hint)
