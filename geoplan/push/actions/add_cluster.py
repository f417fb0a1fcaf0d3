"""``add_cluster``: a site's cluster of type Remote LM, defined on the unit that the plan names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.errors import UnitError
from geoplan.live.findings import NoteKind
from geoplan.live.findings.clusters import ClusterState, addresses_of, find, state_of
from geoplan.push.actions.change import (
    Again,
    find_unit,
    not_applied,
    read_back,
    try_change,
    until_done,
)
from geoplan.push.context import StepError
from geoplan.push.outcome import Outcome, StepState

if TYPE_CHECKING:
    from geoplan.live.model import GeoCluster
    from geoplan.live.unit import Unit
    from geoplan.plan.model import Step
    from geoplan.push.context import Context


async def add_cluster(context: Context, step: Step) -> Outcome:
    """Define a site's cluster on the unit that the plan names, complete an unfinished one, or leave it as it is."""
    return await until_done(context, step, _try_cluster)


async def _try_cluster(context: Context, step: Step) -> Outcome | Again:
    unit = await find_unit(context, step)
    site, cluster = context.plan.site(step.on.site), context.plan.cluster(step.site)
    before = await _clusters(step, unit)
    state = state_of(context.plan, cluster, before)
    again = Again("the other unit took over meanwhile", unit.address)
    if state is ClusterState.IN_PLACE:
        if not await context.fleet.is_active_now(site, unit.address):
            return again
        return Outcome(StepState.IN_PLACE, unit.address, f"'{cluster.name}' was there")
    found = find(context.plan, cluster, before)
    if state not in (ClusterState.MISSING, ClusterState.UNFINISHED, ClusterState.MISPLACED):
        message = (
            f"cannot add cluster '{cluster.name}' ({cluster.address}): another one has its address or name ({state})"
        )
        raise StepError(step, message, unit=unit.address, hint="rename or remove it by hand, then go on")
    action, was = step.action.value, None if found is None else found.definition
    will_be = {"address": cluster.address, "name": cluster.name, "type": cluster.type}
    context.record("changing", step, unit.address, action=action, what="cluster", before=was, after=will_be)
    if not await context.fleet.is_active_now(site, unit.address):
        return again
    address = found.address if found else cluster.address
    problem = None
    if state is not ClusterState.MISPLACED:
        known_as = addresses_of(context.plan, cluster)
        problem = await try_change(unit.add_remote_lm_cluster(cluster.name, address, also_as=known_as))
    if cluster.location and problem is None:
        latitude, longitude = cluster.location.latitude, cluster.location.longitude
        problem = await try_change(unit.set_cluster_location(address, latitude, longitude))
    after = await read_back(step, unit, unit.clusters, problem)
    if not await context.fleet.is_active_now(site, unit.address):
        message = f"{unit.address}: '{cluster.name}' was defined while the other unit took over; looking there"
        context.note(NoteKind.TOOK_OVER, message, site=site.name, unit=unit.address)
        return again
    reached = state_of(context.plan, cluster, after)
    if reached is not ClusterState.IN_PLACE:
        failure = not_applied(step, unit, problem, f"the cluster '{cluster.name}' is {reached}")
        if problem and problem.may_pass:
            return Again(str(failure), unit.address)
        raise failure
    context.record("changed", step, unit.address, action=action)
    made = find(context.plan, cluster, after)
    if made and made.is_rewritten(cluster.name):
        message = f"{unit.address} wrote the name '{cluster.name}' as '{made.name}': that is what stands there now"
        context.note(NoteKind.NAME_REWRITTEN, message, site=step.site, unit=unit.address)
    done = "defined" if state is ClusterState.MISSING else "completed"
    return Outcome(StepState.DONE, unit.address, f"'{cluster.name}' {done} and read back")


async def _clusters(step: Step, unit: Unit) -> tuple[GeoCluster, ...]:
    try:
        return await unit.clusters()
    except UnitError as error:
        raise StepError(step, f"its clusters cannot be read: {error.reason}", unit=unit.address) from None
