"""One step at a time: find the unit, read, write only if different and only once, read back, compare, look again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from geoplan.addresses import same_addresses, without
from geoplan.errors import UnitError
from geoplan.live.findings import NoteKind
from geoplan.live.findings.clusters import ClusterState, addresses_of, find, state_of
from geoplan.live.fleet import NoActiveUnitError
from geoplan.live.model import LIST_NAMES, Subject
from geoplan.plan.model import Action
from geoplan.push.changes import MAX_TRIES, Change, pause_after, try_change
from geoplan.push.context import StepError
from geoplan.push.events import Outcome, StepState
from geoplan.push.partner_links import RED, links_stay_red
from geoplan.push.submission import NotSubmittedError, submit_unchanged

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from geoplan.live.model import GeoCluster
    from geoplan.live.unit import Unit
    from geoplan.plan.model import Step
    from geoplan.push.changes import Failed
    from geoplan.push.context import Context


Read = TypeVar("Read")


class _Again(NamedTuple):
    """Why a step has to look at its units once more, and be tried again, and which unit it was tried on."""

    why: str
    unit: str


class _ListOf(NamedTuple):
    """One of the two lists of a unit: how it is read and entered."""

    subject: Subject
    read: Callable[[Unit], Awaitable[tuple[str, ...]]]
    write: Callable[[Unit, tuple[str, ...]], Awaitable[None]]


_LISTS = {
    Action.SET_REMOTE_GEO_ACCESS: _ListOf(
        "remote_geo_access",
        lambda unit: unit.remote_geo_access(),
        lambda unit, addresses: unit.set_remote_geo_access(addresses),
    ),
    Action.SET_GEO_PARTNERS: _ListOf(
        "geo_partners", lambda unit: unit.geo_partners(), lambda unit, addresses: unit.set_geo_partners(addresses)
    ),
}


async def find_unit(context: Context, step: Step) -> Unit:
    """Return the unit that a step goes to now; raises :class:`StepError` where there is none."""
    site = context.site(step)
    try:
        return await context.fleet.active(
            site, on_wait=context.waiting(step, "waiting until one of its units is active")
        )
    except NoActiveUnitError as error:
        hint = "see that one unit of the pair is active and the other its standby"
        raise StepError(step, str(error), hint=hint) from None


async def _until_done(
    context: Context, step: Step, attempt: Callable[[Context, Step], Awaitable[Outcome | _Again]]
) -> Outcome:
    """Try a step until it is done; each attempt looks at its units anew. Raises :class:`StepError` at the last."""
    why = ""
    for number in range(MAX_TRIES):
        found = await attempt(context, step)
        if isinstance(found, Outcome):
            return found
        why, unit = found
        await context.clock.sleep(pause_after(number))
    raise StepError(step, f"tried {MAX_TRIES} times, at last: {why}", unit=unit)


async def set_list(context: Context, step: Step) -> Outcome:
    """Enter one of a site's lists on its active unit, unless it holds it already."""
    return await _until_done(context, step, _try_list)


async def _try_list(context: Context, step: Step) -> Outcome | _Again:
    """Look, read, write once, read back, and look again: what the standby took is not entered."""
    unit = await find_unit(context, step)
    site, kind, wanted = context.site(step), _LISTS[step.action], context.plan.values(step)
    name = LIST_NAMES[kind.subject]
    try:
        before = await kind.read(unit)
    except UnitError as error:
        raise StepError(step, f"its {name} cannot be read: {error.reason}", unit=unit.address) from None
    again = _Again("the other unit took over meanwhile", unit.address)
    if same_addresses(before, wanted):
        if not await context.fleet.is_active_now(site, unit.address):
            return again
        return Outcome(StepState.IN_PLACE, unit.address, f"{len(before)} addresses were there")
    _require_own_doing(context, step, unit, kind.subject, before)
    _require_word(context, step, unit, before)
    change = Change(context, step, unit, kind.subject)
    change.begin(list(before), list(wanted))
    if not await context.fleet.is_active_now(site, unit.address):
        return again
    context.seen.note_list(site.name, kind.subject, wanted)
    problem = await try_change(kind.write(unit, wanted))
    after = await _read_back(step, unit, kind.read, problem)
    if not await context.fleet.is_active_now(site, unit.address):
        message = f"{unit.address}: its {name} was entered while the other unit took over; entering it there"
        context.note(NoteKind.TOOK_OVER, message, site=site.name, unit=unit.address)
        return again
    if same_addresses(after, wanted):
        change.end()
        return Outcome(StepState.DONE, unit.address, f"{len(wanted)} addresses entered and read back")
    held = ", ".join(after) or "nothing"
    failure = change.not_applied(problem, f"{name} holds {held}")
    if problem and problem.may_pass:
        return _Again(str(failure), unit.address)
    raise failure


async def add_cluster(context: Context, step: Step) -> Outcome:
    """Define a site's cluster on the unit that the plan names, complete an unfinished one, or leave it as it is."""
    return await _until_done(context, step, _try_cluster)


async def _try_cluster(context: Context, step: Step) -> Outcome | _Again:
    unit = await find_unit(context, step)
    site, cluster = context.site(step), context.plan.cluster(step.site)
    before = await _clusters(step, unit)
    state = state_of(context.plan, cluster, before)
    again = _Again("the other unit took over meanwhile", unit.address)
    if state is ClusterState.IN_PLACE:
        if not await context.fleet.is_active_now(site, unit.address):
            return again
        return Outcome(StepState.IN_PLACE, unit.address, f"'{cluster.name}' was there")
    found = find(context.plan, cluster, before)
    if state not in (ClusterState.MISSING, ClusterState.UNFINISHED, ClusterState.MISPLACED):
        message = f"a cluster of another kind or name is in the way of '{cluster.name}' ({cluster.address}): {state}"
        raise StepError(step, message, unit=unit.address, hint="rename or remove it by hand, then go on")
    change = Change(context, step, unit, "cluster")
    change.begin(
        before=None if found is None else found.definition,
        after={"address": cluster.address, "name": cluster.name, "type": cluster.type},
    )
    if not await context.fleet.is_active_now(site, unit.address):
        return again
    address = found.address if found else cluster.address
    problem = None
    if state is not ClusterState.MISPLACED:
        problem = await try_change(
            unit.add_remote_lm_cluster(cluster.name, address, also_as=addresses_of(context.plan, cluster))
        )
    if cluster.location and problem is None:
        latitude, longitude = cluster.location.latitude, cluster.location.longitude
        problem = await try_change(unit.set_cluster_location(address, latitude, longitude))
    after = await _read_back(step, unit, lambda asked: asked.clusters(), problem)
    if not await context.fleet.is_active_now(site, unit.address):
        message = f"{unit.address}: '{cluster.name}' was defined while the other unit took over; looking there"
        context.note(NoteKind.TOOK_OVER, message, site=site.name, unit=unit.address)
        return again
    reached = state_of(context.plan, cluster, after)
    if reached is not ClusterState.IN_PLACE:
        failure = change.not_applied(problem, f"the cluster '{cluster.name}' is {reached}")
        if problem and problem.may_pass:
            return _Again(str(failure), unit.address)
        raise failure
    change.end()
    done = "defined" if state is ClusterState.MISSING else "completed"
    return Outcome(StepState.DONE, unit.address, f"'{cluster.name}' {done} and read back")


async def resubmit_on_standalone(context: Context, step: Step) -> Outcome:
    """Submit a standalone's unchanged partners again: it is sent although nothing differs."""
    site = context.site(step)
    try:
        unit, sent = await submit_unchanged(context, site, step_id=step.id)
    except NotSubmittedError as error:
        raise StepError(step, str(error), unit=error.unit, hint=error.hint) from None
    context.journal.write("changed", step=step.id, site=step.site, action=step.action.value, unit=unit.address)
    is_red = await links_stay_red(context, step, unit)
    return Outcome(StepState.DONE, unit.address, f"{len(sent)} partners submitted again{RED if is_red else ''}", is_red)


def _require_own_doing(context: Context, step: Step, unit: Unit, subject: Subject, before: tuple[str, ...]) -> None:
    """Stop where a list is neither as the checks saw it nor as this push has written it: somebody else changes it."""
    if context.seen.knows_list(step.on.site, subject, before):
        return
    held = ", ".join(before) or "nothing"
    raise StepError(
        step,
        f"its {LIST_NAMES[subject]} was changed since the checks, and not by this push: it holds {held}",
        unit=unit.address,
        hint="find out who else changes it; then go on, which checks everything again",
    )


def _require_word(context: Context, step: Step, unit: Unit, before: tuple[str, ...]) -> None:
    """Stop rather than remove what came onto a list since the checks."""
    if context.options.remove_unknown:
        return
    if extra := without(before, context.plan.values(step)):
        message = f"it now lists {', '.join(extra)}, which the plan would remove"
        raise StepError(step, message, unit=unit.address, hint="put them into the plan, or give --remove-unknown")


async def _read_back(step: Step, unit: Unit, read: Callable[[Unit], Awaitable[Read]], problem: Failed | None) -> Read:
    try:
        return await read(unit)
    except UnitError as error:
        earlier = f"the change failed ({problem.reason}), and " if problem else "the change was sent, but "
        raise StepError(step, f"{earlier}it cannot be read back: {error.reason}", unit=unit.address) from None


async def _clusters(step: Step, unit: Unit) -> tuple[GeoCluster, ...]:
    try:
        return await unit.clusters()
    except UnitError as error:
        raise StepError(step, f"its clusters cannot be read: {error.reason}", unit=unit.address) from None
