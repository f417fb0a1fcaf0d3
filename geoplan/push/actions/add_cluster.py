"""``add_cluster``: a site's cluster of type Remote LM, defined on the unit that the plan names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.errors import UnitError
from geoplan.live.findings import NoteKind
from geoplan.live.findings.clusters import (
    GONE_ON_ALL,
    ClusterState,
    addresses_of,
    deleted_from,
    find,
    old_name,
    state_of,
)
from geoplan.live.findings.compare import is_old_cluster
from geoplan.push.actions.change import (
    Again,
    LookFirst,
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
    from geoplan.plan.model import ClusterDefinition, Step
    from geoplan.push.actions.change import Failed
    from geoplan.push.context import Context


async def add_cluster(context: Context, step: Step) -> Outcome:
    """Define a site's cluster on the unit that the plan names, complete an unfinished one, or leave it as it is."""
    return await until_done(context, step, _try_cluster)


async def _try_cluster(context: Context, step: Step) -> Outcome | Again:
    unit = await find_unit(context, step)
    site, cluster = context.plan.site(step.on.site), context.plan.cluster(step.site)
    before = await clusters_of(step, unit)
    if old := _in_the_way(context, step, before):
        if not_yet := await _move_out_of_the_way(context, step, unit, old):
            return not_yet
        before = await clusters_of(step, unit)
    state = state_of(context.plan, cluster, before)
    again = Again("the other unit took over meanwhile", unit.address)
    if state is ClusterState.IN_PLACE:
        if not await context.fleet.is_active_now(site, unit.address):
            return again
        return Outcome(StepState.IN_PLACE, unit.address, f"'{cluster.name}' was there")
    found = find(context.plan, cluster, before)
    has_old_name = found is not None and state is ClusterState.OTHER_NAME and _is_own(context, step, found)
    addable = (ClusterState.MISSING, ClusterState.UNFINISHED, ClusterState.MISPLACED)
    if state not in addable and not has_old_name:
        message = (
            f"cannot add cluster '{cluster.name}' ({cluster.address}): another one has its address or name ({state})"
        )
        raise StepError(step, message, unit=unit.address, hint=f"rename that one by hand, then go on; {GONE_ON_ALL}")
    action, was = step.action.value, None if found is None else found.definition
    will_be = {"address": cluster.address, "name": cluster.name, "type": cluster.type}
    context.record("changing", step, unit.address, action=action, what="cluster", before=was, after=will_be)
    look = LookFirst(context, site, unit)
    problem = await _enter(context, unit, cluster, state, found, look=look)
    if look.kept_all_back:
        return again
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


async def _enter(  # noqa: PLR0913 - what is there, and what should be
    context: Context,
    unit: Unit,
    cluster: ClusterDefinition,
    state: ClusterState,
    found: GeoCluster | None,
    *,
    look: LookFirst,
) -> Failed | None:
    """Give a unit what it lacks of a cluster, one request after the other, each with a look of its own."""
    problem = None
    if found and state is ClusterState.OTHER_NAME:
        problem = await try_change(unit.rename_cluster(found.address, cluster.name, look=look))
    address = found.address if found else cluster.address
    if state is not ClusterState.MISPLACED and problem is None:
        known_as = addresses_of(context.plan, cluster)
        problem = await try_change(unit.add_remote_lm_cluster(cluster.name, address, also_as=known_as, look=look))
    if cluster.location and problem is None:
        latitude, longitude = cluster.location.latitude, cluster.location.longitude
        problem = await try_change(unit.set_cluster_location(address, latitude, longitude, look=look))
    return problem


def _is_own(context: Context, step: Step, found: GeoCluster) -> bool:
    """Return whether a cluster is the one that a site brought along from the group that it was in, by its old name."""
    return is_old_cluster(context.plan, step.site, found.address, found.name)


def _in_the_way(context: Context, step: Step, live: tuple[GeoCluster, ...]) -> GeoCluster | None:
    """Return the live cluster that has the planned name at an address of the older plan that goes."""
    plan, cluster = context.plan, context.plan.cluster(step.site)
    kept = frozenset().union(*(addresses_of(plan, each) for each in plan.clusters_of(cluster.group)))
    old = {canonical(each.address) for each in plan.change.old_clusters} - kept if plan.change else set()
    old = old.union(*(addresses for _, addresses in deleted_from(plan, cluster.group)))
    return next((each for each in live if canonical(each.address) in old and each.is_named(cluster.name)), None)


async def _move_out_of_the_way(context: Context, step: Step, unit: Unit, old: GeoCluster) -> Again | None:
    """Rename the site's old cluster, which goes only once the new one is there, so that none is missing meanwhile.

    Return why it has to be tried again, or None where it is done.
    """
    site, name = context.plan.site(step.on.site), old_name(old.name)
    action, will_be = step.action.value, {**old.definition, "name": name}
    context.record("changing", step, unit.address, action=action, what="cluster", before=old.definition, after=will_be)
    look = LookFirst(context, site, unit)
    problem = await try_change(unit.rename_cluster(old.address, name, look=look))
    if look.kept_all_back:
        return Again("the other unit took over meanwhile", unit.address)
    after = await read_back(step, unit, unit.clusters, problem)
    renamed = next((found for found in after if canonical(found.address) == canonical(old.address)), None)
    if renamed is None or not renamed.is_named(name):
        failure = not_applied(step, unit, problem, f"the old cluster '{old.name}' as it was")
        if problem and problem.may_pass:
            return Again(str(failure), unit.address)
        raise failure
    return None


async def clusters_of(step: Step, unit: Unit) -> tuple[GeoCluster, ...]:
    """Return a unit's clusters. Raises :class:`StepError` where they cannot be read."""
    try:
        return await unit.clusters()
    except UnitError as error:
        raise StepError(step, f"its clusters cannot be read: {error.reason}", unit=unit.address) from None
