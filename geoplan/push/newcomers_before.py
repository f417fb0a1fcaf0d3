"""What sites had that a push let join others: its journal has that, and it comes back where the push is taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.addresses import canonical, without
from geoplan.live.findings.clusters import addresses_before, find
from geoplan.live.findings.leaving import shown_at
from geoplan.plan.change import Stood
from geoplan.plan.model import Action
from geoplan.push import records as models
from geoplan.push import values
from geoplan.push.outcome import StepState
from geoplan.vendor import BACKUP, GEO_CONFIGURATION, MANAGE_CLUSTERS, REMOTE_ACCESS, RESTORE
from geoplan.wording import shell_command, some_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from geoplan.live.model import GeoCluster, Observations
    from geoplan.plan.model import Plan, SiteLists, SiteSettings
    from geoplan.push.history import History


def newcomers_of(plan: Plan) -> tuple[SiteSettings, ...]:
    """Return the sites that a change brings in: they were in none of the groups before."""
    change = plan.change
    return tuple(site for site in plan.sites if change and change.old_site(site.name) is None)


def clusters_of_newcomers(plan: Plan, facts: Observations) -> dict[str, tuple[str, ...]]:
    """Return of each site that joins the sites whose clusters it has, as far as it tells its clusters."""
    told = {site: unit.clusters for site in newcomers_of(plan) if (unit := facts.active(site.name))}
    return {site.name: _whose(plan, site, clusters) for site, clusters in told.items() if clusters is not None}


def _whose(plan: Plan, site: SiteSettings, clusters: tuple[GeoCluster, ...]) -> tuple[str, ...]:
    of_group = plan.clusters_of(site.group)
    return tuple(
        each.site
        for each in of_group
        if find(plan, each, clusters) or shown_at(addresses_before(plan, each.site), clusters)
    )


def before_joining(
    history: History, found: models.Found | None, lists: Mapping[str, SiteLists]
) -> tuple[dict[str, Stood], list[str]]:
    """Return what each site had that a push let join others, and what of that no plan brings back.

    ``lists`` are those that the push has found, where they were not the plan's.
    """
    stood: dict[str, Stood] = {}
    left: list[str] = []
    for site in newcomers_of(history.plan):
        alone = without(site.remote_geo_access, site.geo_partners)
        held = lists.get(site.name) or (site if found else None)
        access = tuple(each for each in held.remote_geo_access if not without([each], alone)) if held else alone
        clusters = found.joining.get(site.name) if found and found.joining is not None else None
        stood[site.name] = Stood(access, _not_entered(history, site) if clusters is None else clusters)
        left += _lists_not_given_back(site, held, access) if held else ()
        left += _clusters_left(history, site)
        if clusters is None and stood[site.name].clusters:
            names = some_of([f"'{history.plan.cluster(name).name}'" for name in stood[site.name].clusters])
            left.append(
                f"what '{site.name}' had before is not in this journal, which an older geoplan wrote: of {names} "
                f"nothing is deleted there; delete what it is not to have at {MANAGE_CLUSTERS}"
            )
    return stood, [*left, *_clusters_of_new_groups(history, stood)]


def _clusters_of_new_groups(history: History, stood: Mapping[str, Stood]) -> Iterator[str]:
    """Name what the sites of a group that a push has made got from each other: it was there before, elsewhere."""
    for group in history.plan.groups:
        if not all(site in stood for site in group.sites):
            continue
        had = dict.fromkeys(name for site in group.sites for name in stood[site].clusters)
        for site in group.sites:
            got = [history.plan.cluster(name).name for name in had if name not in stood[site].clusters]
            yield from (_left_there(name, site) for name in got)


def _left_there(cluster: str, site: str) -> str:
    return (
        f"the cluster '{cluster}' stays on '{site}', which got it from its group: delete it there at {MANAGE_CLUSTERS}"
    )


def _lists_not_given_back(site: SiteSettings, held: SiteLists | SiteSettings, access: tuple[str, ...]) -> Iterator[str]:
    """Name what a site's lists had that would link it, or that no plan knows: it stays apart."""
    if off := [*dict.fromkeys((*without(held.remote_geo_access, access), *held.geo_partners))]:
        yield (
            f"the lists of '{site.name}' had {some_of(off)} already, and are left without: enter what it is to have by "
            f"hand at {REMOTE_ACCESS}"
        )


def _entered(history: History, site: SiteSettings) -> Iterator[values.ClusterValue]:
    """Yield the clusters that a push has entered on a site before it joined."""
    own = {canonical(unit.address) for unit in site.units}
    for record in history.records:
        if not isinstance(record, models.Changing) or record.action is not Action.SEED_GEO_CONFIGURATION:
            continue
        if canonical(record.unit) in own and isinstance(record.after, values.ClusterValue):
            yield record.after


def _not_entered(history: History, site: SiteSettings) -> tuple[str, ...]:
    """Return the sites whose clusters a site has that joins, and that no record says to be there by the push."""
    plan = history.plan
    entered = {canonical(each.address) for each in _entered(history, site)}
    added = {
        record.site
        for record in history.records
        if isinstance(record, models.Changing) and record.action is Action.ADD_CLUSTER and record.before is None
    }
    return tuple(
        each.site
        for each in plan.clusters
        if each.group == site.group and each.site not in added and entered.isdisjoint(addresses_before(plan, each.site))
    )


def _clusters_left(history: History, site: SiteSettings) -> Iterator[str]:
    """Name what a site got from its group that no plan deletes: what the plan does not know, and what was restored."""
    plan = history.plan
    known = frozenset().union(*(addresses_before(plan, cluster.site) for cluster in plan.clusters))
    for name in dict.fromkeys(each.name for each in _entered(history, site) if canonical(each.address) not in known):
        yield _left_there(name, site.name)
    units = [record.unit for record in history.records if isinstance(record, models.Seeding)]
    by_hand = any(
        step.site == site.name and history.step_states.get(step.id) == StepState.BY_HAND.value
        for step in plan.steps
        if step.action is Action.SEED_GEO_CONFIGURATION
    )
    for unit in site.units:
        if unit.address in units or (by_hand and unit is site.units[0]):
            file = shell_command(history.backed_up.get(unit.address, ""))
            yield (
                f"what was restored on '{site.name}', with its FQDNs, stays there; what it had before comes back by "
                f"{RESTORE} with {GEO_CONFIGURATION} alone at {BACKUP}, from {file}"
            )
