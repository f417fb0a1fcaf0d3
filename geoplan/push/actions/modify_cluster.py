"""``modify_cluster``: a cluster gets its new name or its new place where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.live.findings.clusters import ClusterState, find, is_placed
from geoplan.live.findings.compare import is_old_cluster
from geoplan.push.actions.add_cluster import clusters_of
from geoplan.push.actions.change import Again, LookFirst, find_unit, not_applied, read_back, try_change, until_done
from geoplan.push.context import StepError
from geoplan.push.outcome import Outcome, StepState

if TYPE_CHECKING:
    from geoplan.plan.model import Step
    from geoplan.push.context import Context


async def modify_cluster(context: Context, step: Step) -> Outcome:
    """Rename or place a site's cluster on the unit that the plan names, unless it is so already."""
    return await until_done(context, step, _try_cluster)


async def _try_cluster(context: Context, step: Step) -> Outcome | Again:
    unit = await find_unit(context, step)
    site, cluster = context.plan.site(step.on.site), context.plan.cluster(step.site)
    found = find(context.plan, cluster, await clusters_of(step, unit))
    again = Again("the other unit took over meanwhile", unit.address)
    if found is None:
        message = f"the cluster '{cluster.name}' ({cluster.address}) is not there any more"
        raise StepError(step, message, unit=unit.address, hint="find out who removed it; add it by hand, then go on")
    is_named, is_there = found.is_named(cluster.name), is_placed(cluster, found)
    if is_named and is_there:
        if not await context.fleet.is_active_now(site, unit.address):
            return again
        return Outcome(StepState.IN_PLACE, unit.address, f"'{cluster.name}' was so already")
    if not is_named and not is_old_cluster(context.plan, step.site, found.address, found.name):
        message = f"the cluster at {found.address} is called '{found.name}', which neither OLD nor the plan calls it"
        raise StepError(step, message, unit=unit.address, hint="find out who renamed it; then go on")
    will_be: dict[str, str | float] = {"address": found.address, "name": cluster.name, "type": found.type.value}
    if cluster.location:
        will_be |= {"latitude": cluster.location.latitude, "longitude": cluster.location.longitude}
    action = step.action.value
    context.record(
        "changing", step, unit.address, action=action, what="cluster", before=found.definition, after=will_be
    )
    look = LookFirst(context, site, unit)
    problem = None if is_named else await try_change(unit.rename_cluster(found.address, cluster.name, look=look))
    if not is_there and problem is None and cluster.location:
        latitude, longitude = cluster.location.latitude, cluster.location.longitude
        problem = await try_change(unit.set_cluster_location(found.address, latitude, longitude, look=look))
    if look.kept_all_back:
        return again
    after = find(context.plan, cluster, await read_back(step, unit, unit.clusters, problem))
    if not await context.fleet.is_active_now(site, unit.address):
        return again
    if after is None or not after.is_named(cluster.name) or not is_placed(cluster, after):
        shown = f"'{after.name}'" if after else ClusterState.MISSING.value
        failure = not_applied(step, unit, problem, f"the cluster at {found.address} as {shown}")
        if problem and problem.may_pass:
            return Again(str(failure), unit.address)
        raise failure
    context.record("changed", step, unit.address, action=action)
    done = [*([] if is_named else [f"renamed from '{found.name}'"]), *([] if is_there else ["placed"])]
    what = " and ".join(done)
    return Outcome(StepState.DONE, unit.address, f"'{cluster.name}' {what} and read back")
