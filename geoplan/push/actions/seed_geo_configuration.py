"""``seed_geo_configuration``: a site that joins gets the GEO configuration of its group before it is linked with it.

Where there are clusters alone, they are entered; where there are FQDNs, the backup of the reference is restored: by a
person, or, if the operator said so, over the API.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.errors import UnitError
from geoplan.live.findings.clusters import find
from geoplan.live.findings.newcomers import GeoConfiguration, differences, reference_of
from geoplan.live.model import ClusterType
from geoplan.plan.model import Action
from geoplan.push.actions.change import LookFirst, find_unit, read_back, try_change
from geoplan.push.actions.restore_geo import restore_geo, save_to_seed
from geoplan.push.by_hand import until_done_by_hand
from geoplan.push.context import StepError
from geoplan.push.outcome import Outcome, StepState
from geoplan.vendor import BACKUP, GEO_CONFIGURATION, RESTORE
from geoplan.wording import count, shell_command

if TYPE_CHECKING:
    from geoplan.live.model import GeoCluster
    from geoplan.live.unit import Unit
    from geoplan.plan.model import Step
    from geoplan.push.context import Context


async def seed_geo_configuration(context: Context, step: Step) -> Outcome:
    """Bring the group's GEO configuration to a site that joins it, and see that it is there."""
    unit, reference = await find_unit(context, step), await find_reference(context, step)
    group = context.plan.site(step.site).group
    here, there = await configuration(step, unit), await configuration(step, reference)
    if not differences(context.plan, group, here, there):
        has = "the group has none yet" if there.is_empty else f"it has that of {reference.address}"
        return Outcome(StepState.IN_PLACE, unit.address, has)
    if here.fqdns or there.fqdns:
        if context.options.seed_by_api and not context.fleet.is_on_paper:
            return await restore_geo(context, step, unit, reference)
        return await _seed_by_hand(context, step, unit, reference)
    return await _enter_clusters(context, step, unit, there)


async def find_reference(context: Context, step: Step) -> Unit:
    """Return the active unit of the site whose GEO configuration the others of its group take over."""
    name = reference_of(context.plan, context.plan.site(step.site).group)
    on = step.on.model_copy(update={"site": name})
    return await find_unit(context, step.model_copy(update={"on": on}))


async def configuration(step: Step, unit: Unit) -> GeoConfiguration:
    """Return what a unit shares with its partners. Raises :class:`StepError` where it does not tell that."""
    try:
        return GeoConfiguration(await unit.clusters(), await unit.fqdns())
    except UnitError as error:
        raise StepError(step, f"its GEO configuration cannot be read: {error.reason}", unit=unit.address) from None


async def require_same(context: Context, step: Step) -> None:
    """Compare all that join a site's group with the reference, just before a submission that can link them.

    Raises :class:`StepError` where they differ: which of the two would stay is not known.
    """
    change, group = context.plan.change, context.plan.site(step.site).group
    if change is None or context.fleet.is_on_paper:
        return
    seeds = [each for each in context.plan.steps if each.action is Action.SEED_GEO_CONFIGURATION]
    own = [each for each in seeds if each.site == step.site]
    of_group = own or [each for each in seeds if context.plan.site(each.site).group == group]
    for seed in of_group:
        unit, reference = await find_unit(context, seed), await find_reference(context, seed)
        found = differences(context.plan, group, await configuration(step, unit), await configuration(step, reference))
        if found:
            message = f"its GEO configuration is not that of {reference.address} any more: {'; '.join(found)}"
            hint = "nothing was linked; find out who changed it, then go on, which seeds it again"
            raise StepError(step, message, unit=unit.address, hint=hint)


async def _enter_clusters(context: Context, step: Step, unit: Unit, wanted: GeoConfiguration) -> Outcome:
    """Enter the reference's clusters that a newcomer lacks; nothing is removed there."""
    site, action = context.plan.site(step.on.site), step.action.value
    group = site.group
    entered = 0
    for cluster in _as_entered(context, group, wanted.clusters):
        here = await configuration(step, unit)
        known = next((each for each in here.clusters if each.name == cluster.name), None)
        if known and not _is_unfinished(known, cluster):
            continue
        was = known.definition if known else None
        context.record(
            "changing", step, unit.address, action=action, what="cluster", before=was, after=cluster.definition
        )
        look = LookFirst(context, site, unit)
        problem = await try_change(unit.add_cluster_like(cluster, look=look))
        if problem and look.kept_all_back:
            raise StepError(step, problem.reason, unit=unit.address, hint="go on once it is settled")
        after = await read_back(step, unit, unit.clusters, problem)
        if not any(each.is_named(cluster.name) and each.type is cluster.type for each in after):
            why = problem.reason if problem else "it was answered as done, and is not there"
            message = f"the cluster '{cluster.name}' of the group could not be entered: {why}"
            raise StepError(step, message, unit=unit.address, hint="see what it has, then go on")
        entered += 1
    if left := differences(context.plan, group, await configuration(step, unit), wanted):
        message = f"it differs from its group, which a push does not mend: {'; '.join(left)}"
        raise StepError(step, message, unit=unit.address, hint="set it right by hand, then go on")
    if entered:
        context.record("changed", step, unit.address, action=action)
    return Outcome(StepState.DONE, unit.address, f"{count(entered, 'cluster')} of the group entered and read back")


def _is_unfinished(known: GeoCluster, wanted: GeoCluster) -> bool:
    """Return whether a newcomer's cluster is as a push leaves the wanted one that is killed before its type is set."""
    is_at_its_place = canonical(known.address) == canonical(wanted.address)
    return is_at_its_place and known.type is ClusterType.DEFAULT and wanted.type is not ClusterType.DEFAULT


def _as_entered(context: Context, group: str, clusters: tuple[GeoCluster, ...]) -> list[GeoCluster]:
    """Return clusters with the addresses that the plan gives them, whichever unit of their pair is active now."""
    planned = context.plan.clusters_of(group)
    own = {found: each.address for each in planned if (found := find(context.plan, each, clusters))}
    return [replace(cluster, address=own.get(cluster, cluster.address)) for cluster in clusters]


async def _seed_by_hand(context: Context, step: Step, unit: Unit, reference: Unit) -> Outcome:
    """Say what is to be restored where, and wait until the newcomer shows what its group has."""
    group = context.plan.site(step.site).group
    if context.fleet.is_on_paper:
        return Outcome(StepState.BY_HAND, unit.address, f"a push waits for {RESTORE} at {BACKUP}: {GEO_CONFIGURATION}")
    backup = shell_command(str(await save_to_seed(context, step, reference)))

    async def look() -> str | None:
        try:
            here = GeoConfiguration(await unit.clusters(), await unit.fqdns())
            there = GeoConfiguration(await reference.clusters(), await reference.fqdns())
        except UnitError:
            return None  # it may be restarting
        return None if differences(context.plan, group, here, there) else unit.address

    what = f"on {unit.address}, at {BACKUP}, {RESTORE} with {GEO_CONFIGURATION} alone, from {backup}"
    await until_done_by_hand(context, step, look, what=what, unit=unit.address)
    return Outcome(StepState.BY_HAND, unit.address, f"it has the GEO configuration of {reference.address}")
