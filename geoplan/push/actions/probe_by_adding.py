"""A probe where nobody has the cluster of a site that leaves: it is added there, and no other unit may get it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.live.findings.clusters import addresses_before
from geoplan.live.findings.leaving import clusters_to_delete, shown_at
from geoplan.live.model import ClusterType, GeoCluster
from geoplan.plan.model import Action
from geoplan.push import records as models
from geoplan.push import values
from geoplan.push.actions.change import Again, LookFirst, find_unit, not_applied, read_back, try_change
from geoplan.push.actions.leaving import (
    active_units,
    clusters_of,
    delete,
    holders,
    leaves_for_good,
    part_of,
    require_told,
)
from geoplan.push.context import StepError
from geoplan.push.outcome import Outcome, StepState
from geoplan.wording import count, some_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.live.unit import Unit
    from geoplan.plan.model import SiteSettings, Step
    from geoplan.push.context import Context

CUT_IT = (
    "submit GEO LoadMaster Partners again on both units of each pair, each while it is active, which cuts the link; "
    "then go on, which probes again"
)


def first_deleted(context: Context, step: Step) -> values.ClusterValue | None:
    """Return the cluster of a probe as it was before that was sent first, or None before that."""
    return next((each.before for each in _changes(context, step) if isinstance(each.before, values.ClusterValue)), None)


async def try_by_adding(context: Context, step: Step, unit: Unit, others: tuple[SiteSettings, ...]) -> Outcome | Again:
    """Add its own cluster on a site that leaves, and see for the time of a replication that nobody else gets it.

    So nothing is lost where a link is alive. Where nothing is to be deleted on the site, no probe is needed.
    """
    live = await clusters_of(step, unit)
    if not _has_to_be_cleaned(context, step, live):
        return Outcome(StepState.NOT_NEEDED, unit.address, "those that stay do not have its cluster")
    own = shown_at(addresses_before(context.plan, step.site), live)
    if own and not _has_added(context, step):  # nobody else has it, so none can lose it
        if again := await delete(context, step, unit, own, ()):
            return again
        own = None
    having, told = await holders(context, others, step.site)
    require_told(step, told, "clusters")
    if own is None and (again := await _add_own(context, step, unit)):
        return again
    await _hold(context, step, unit.address, others, having)
    if having:  # another one that leaves has it already: that it comes there shows nothing, that it stays does
        own = shown_at(addresses_before(context.plan, step.site), await clusters_of(step, unit))
        if own and (again := await delete(context, step, unit, own, having)):
            return again
        await _hold(context, step, unit.address, others, having)
    active = (*await active_units(context, step, others), unit.address)
    context.record("unlinked", step, unit.address, active=active)
    units = count(sum(len(site.units) for site in others), "other unit")
    return Outcome(StepState.DONE, unit.address, f"added there, and seen on no more of {units}")


async def try_own_again(context: Context, step: Step) -> Outcome | Again:
    """Add its own cluster again where a probe has deleted it, on a site that is to keep it."""
    unit = await find_unit(context, step)
    if shown_at(addresses_before(context.plan, step.site), await clusters_of(step, unit)):
        return Outcome(StepState.IN_PLACE, unit.address, "its own cluster is there")
    return await _add_own(context, step, unit) or Outcome(StepState.DONE, unit.address, "its own cluster is back")


def _has_to_be_cleaned(context: Context, step: Step, live: tuple[GeoCluster, ...]) -> bool:
    """Return whether clusters of others are deleted on a site that leaves for good."""
    sites = part_of(context, step).sites
    cleaning = (
        each for each in context.plan.steps if each.action is Action.DELETE_OTHER_CLUSTERS and each.site in sites
    )
    return leaves_for_good(context, step.site) and any(
        clusters_to_delete(context.plan, each, live) for each in cleaning
    )


def _changes(context: Context, step: Step) -> Iterator[models.Changing]:
    records = context.history.records
    return (record for record in records if isinstance(record, models.Changing) and record.step == step.id)


def _has_added(context: Context, step: Step) -> bool:
    """Return whether the last that this step has done, or begun, is to add the cluster."""
    last = next(reversed([*_changes(context, step)]), None)
    return last is not None and last.after is not None


async def _add_own(context: Context, step: Step, unit: Unit) -> Again | None:
    """Add a site's own cluster there, as it was or as the plan before has it; return None once it is there."""
    action, site = step.action.value, context.plan.site(step.on.site)
    cluster = _own(context, step)
    context.record("changing", step, unit.address, action=action, what="cluster", before=None, after=cluster.definition)
    look = LookFirst(context, site, unit)
    problem = await try_change(unit.add_cluster_like(cluster, look=look))
    if look.kept_all_back:
        return Again("the other unit took over meanwhile", unit.address)
    after = await read_back(step, unit, unit.clusters, problem)
    if not await context.fleet.is_active_now(site, unit.address):
        return Again("the other unit took over meanwhile", unit.address)
    if shown_at(addresses_before(context.plan, step.site), after) is None:
        failure = not_applied(step, unit, problem, f"no cluster '{cluster.name}'")
        if problem and problem.may_pass:
            return Again(str(failure), unit.address)
        raise failure
    context.record("changed", step, unit.address, action=action)
    return None


def _own(context: Context, step: Step) -> GeoCluster:
    if was := first_deleted(context, step):
        return GeoCluster(was.address, was.name, ClusterType(was.type), was.latitude, was.longitude)
    planned = context.plan.change.old_cluster(step.site) if context.plan.change else None
    if planned is None:
        raise StepError(step, "the plan does not say which cluster is its own")
    return GeoCluster(planned.address, planned.name, ClusterType.REMOTE_LM)


async def _hold(
    context: Context, step: Step, unit: str, others: tuple[SiteSettings, ...], having: frozenset[str]
) -> None:
    """Look again and again for the time of a replication whether any other unit gets the cluster, or loses it."""
    seconds = context.timings.replication_seconds
    silent: dict[str, str] = {}

    async def look() -> frozenset[str] | None:
        now, told = await holders(context, others, step.site)
        silent.clear()
        silent.update(told.silent)
        return (now - having) | ((having & told.told.keys()) - now) or None

    telling = context.reporter.waiting(step, "looking whether its cluster comes or goes on any other unit", unit)
    every = max(context.timings.poll_seconds, min(5.0, seconds / 10))
    if got := await context.until(look, within=seconds, every=every, on_wait=telling):
        message = (
            f"a link is alive: its own cluster was added or deleted on {unit} as a probe, and that came to "
            f"{some_of(sorted(got))}, too; nothing more is deleted"
        )
        raise StepError(step, message, unit=unit, hint=CUT_IT)
    for address, why in silent.items():
        message = f"it does not tell whether it got the cluster, and without that nothing is deleted: {why}"
        raise StepError(step, message, unit=address, hint=f"bring {address} up, then go on, which looks again")
