"""Which live cluster is which planned one: a pair's may carry the address of either of its units."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from geoplan.addresses import canonical
from geoplan.live.findings.kinds import FindingKind
from geoplan.live.model import ClusterType
from geoplan.plan.lists import carried_by
from geoplan.plan.model import Action
from geoplan.vendor import CUT_NAME_LENGTH, MANAGE_CLUSTERS
from geoplan.wording import MAX_LISTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from geoplan.live.model import GeoCluster
    from geoplan.plan.model import ClusterDefinition, Plan, Step

ARC_SECOND = 1 / 3600  # degrees: as exact as a LoadMaster stores a location
OLD = " (old)"


def old_name(name: str) -> str:
    """Return what a cluster is called while another one takes its name, within what units keep of a name."""
    return f"{name[: CUT_NAME_LENGTH - len(OLD)].rstrip()}{OLD}"


class ClusterState(StrEnum):
    """How a planned cluster stands on a unit."""

    IN_PLACE = "in place"
    MISSING = "missing"
    UNFINISHED = "unfinished"
    """Its address and name are the plan's, its type is still default: somebody stopped half-way."""
    MISPLACED = "misplaced"
    """All is the plan's but its location."""
    OTHER_NAME = "other name"
    OTHER_TYPE = "other type"
    NAME_TAKEN = "name taken"
    """Another address has the plan's name."""


def addresses_of(plan: Plan, cluster: ClusterDefinition) -> frozenset[str]:
    """Return every address that stands for a planned cluster: after a failover it carries the slave's (section 5).

    Where a change moves it, that is none at which its site's old cluster is, which goes.
    """
    site = plan.site(cluster.site)
    shown = {canonical(cluster.address)}
    for unit in site.units:
        shown.update(canonical(address) for address in (unit.address, unit.nat_address) if address)
    return frozenset(shown) - _left_by(plan, cluster)


def _left_by(plan: Plan, cluster: ClusterDefinition) -> frozenset[str]:
    """Return where a site's old cluster is, which a change deletes once the planned one is there."""
    change = plan.change
    old, before = (change.old_cluster(cluster.site), change.old_site(cluster.site)) if change else (None, None)
    if old is None or before is None:
        return frozenset()
    now = carried_by(cluster.address, plan.site(cluster.site).units)
    return frozenset() if canonical(old.address) in now else carried_by(old.address, before.units) - now


def find(plan: Plan, cluster: ClusterDefinition, live: Iterable[GeoCluster]) -> GeoCluster | None:
    """Return the live cluster at a planned one's address, or None."""
    addresses = addresses_of(plan, cluster)
    return next((found for found in live if canonical(found.address) in addresses), None)


def state_of(plan: Plan, cluster: ClusterDefinition, live: Iterable[GeoCluster]) -> ClusterState:
    """Say how a planned cluster stands among the live ones."""
    clusters = tuple(live)
    found = find(plan, cluster, clusters)
    if found is None:
        taken = any(other.name == cluster.name for other in clusters)
        return ClusterState.NAME_TAKEN if taken else ClusterState.MISSING
    if not found.is_named(cluster.name):
        return ClusterState.OTHER_NAME
    if found.type is ClusterType.DEFAULT:
        return ClusterState.UNFINISHED
    if found.type is not ClusterType.REMOTE_LM:
        return ClusterState.OTHER_TYPE
    return ClusterState.IN_PLACE if is_placed(cluster, found) else ClusterState.MISPLACED


def is_placed(cluster: ClusterDefinition, found: GeoCluster) -> bool:
    """Return whether a cluster stands where the plan wants it; a plan without a location wants it nowhere."""
    if cluster.location is None:
        return True
    if found.latitude is None or found.longitude is None:
        return False
    apart = max(abs(found.latitude - cluster.location.latitude), abs(found.longitude - cluster.location.longitude))
    return apart <= ARC_SECOND


GONE_ON_ALL = "what is removed by hand on one unit is gone on all that are linked"
RENAME = f"rename it by hand first; {GONE_ON_ALL}"
RETYPE = f"give it the type Remote LM by hand under {MANAGE_CLUSTERS}; {GONE_ON_ALL}"


def how_to_rename(plan: Plan) -> str:
    """Say what gives a cluster its planned name, where no step of a plan does."""
    if plan.change:
        return RENAME
    return f"a change renames it: push --from the topology that was pushed here last, or --from live; {GONE_ON_ALL}"


def misplaced(cluster: ClusterDefinition, found: GeoCluster) -> str | None:
    """Say where a cluster stands and is planned; None where it is in its place, or is planned nowhere."""
    if cluster.location is None or is_placed(cluster, found):
        return None
    is_told = found.latitude is not None and found.longitude is not None
    has = f"{found.latitude:.4f}, {found.longitude:.4f}" if is_told else "none"
    return f"has other coordinates: {has}, planned {cluster.location.latitude:.4f}, {cluster.location.longitude:.4f}"


def addresses_before(plan: Plan, site: str) -> frozenset[str]:
    """Return every address that stood for a site, or stands for it now, as units show its cluster."""
    old = plan.change.old_site(site) if plan.change else None
    cluster = plan.change.old_cluster(site) if plan.change else None
    units = (*plan.site(site).units, *(old.units if old else ()))
    shown = {canonical(known) for unit in units for known in (unit.address, unit.nat_address) if known}
    return frozenset(shown | ({canonical(cluster.address)} if cluster else set()))


def _reached_by_deletion(plan: Plan, step: Step) -> frozenset[str]:
    """Return the groups whose units share what a step deletes.

    Where nobody leaves or joins, clusters go before links do, and so they do where nobody stays: all that were partners
    before share that.
    """
    change, host = plan.change, step.on.site
    part = change.part_of(step.site) if change else None
    if part and not part.stay:
        return frozenset(plan.site(name).group for name in (*part.sites, *part.others))
    old = change.old_site(host) if change and not (change.parts or change.joined) else None
    if change is None or old is None:
        return frozenset({plan.site(host).group})
    return frozenset(plan.site(site.name).group for site in change.old_sites if site.group == old.group)


def deleted_from(plan: Plan, group: str) -> tuple[tuple[ClusterDefinition, frozenset[str]], ...]:
    """Return the clusters that steps delete from a group, each with all addresses under which units may show it."""
    change = plan.change
    found = []
    for step in plan.steps if change else ():
        is_here = step.action is Action.DELETE_CLUSTER and group in _reached_by_deletion(plan, step)
        cluster = change.old_cluster(step.site) if change and is_here else None
        if cluster:
            kept = frozenset().union(*(addresses_of(plan, each) for each in plan.clusters_of(group)))
            found.append((cluster, addresses_before(plan, step.site) - kept))
    return tuple(found)


def unknown_to(plan: Plan, group: str, live: Iterable[GeoCluster]) -> tuple[GeoCluster, ...]:
    """Return the live clusters that the plan of a group does not mention.

    A site that leaves has a group of its own by then, and keeps what it has: no plan is made for its clusters.
    """
    if plan.change and any(plan.site(site).group == group for site in plan.change.leaving):
        return ()
    planned = frozenset().union(*(addresses_of(plan, cluster) for cluster in plan.clusters_of(group)))
    planned |= frozenset().union(*(addresses for _, addresses in deleted_from(plan, group)))
    return tuple(cluster for cluster in live if canonical(cluster.address) not in planned)


class Oddity(NamedTuple):
    """Something about a cluster that no push changes, and that somebody should look at."""

    kind: FindingKind
    name: str
    message: str
    hint: str


def oddities(plan: Plan, group: str, live: Iterable[GeoCluster]) -> Iterator[Oddity]:
    """Yield the planned clusters that are rewritten, off or checked in another way, and those that nobody plans."""
    clusters = tuple(live)
    for planned in plan.clusters_of(group):
        found = find(plan, planned, clusters)
        if found is None or found.type is not ClusterType.REMOTE_LM:
            continue
        shown = f"cluster '{found.name}' ({planned.address})"
        if found.is_rewritten(planned.name):
            message = f"the name '{planned.name}' of the cluster at {found.address} is '{found.name}' on the unit"
            name = json.dumps(found.name, ensure_ascii=False)
            hint = f"the unit rewrote it, and it is the same cluster: write cluster: {{name: {name}}} at its site"
            yield Oddity(FindingKind.CLUSTER_REWRITTEN, found.name, message, hint)
        if found.enabled is False:
            hint = "enable it under Global Balancing > Manage Clusters once its site may take traffic"
            yield Oddity(FindingKind.CLUSTER_DISABLED, found.name, f"{shown} is disabled", hint)
        if found.checker is not None and found.checker.lower() != "none":
            message = f"{shown} has the checker '{found.checker}', and a Remote LM has none"
            hint = "find out who set it: a Remote LM tells its health itself"
            yield Oddity(FindingKind.CLUSTER_CHECKED, found.name, message, hint)
    unknown = [found for found in unknown_to(plan, group, clusters) if found.type is ClusterType.REMOTE_LM]
    hint = "remove it by hand once no FQDN uses it, or put its site into the topology"
    for found in unknown[:MAX_LISTED]:
        message = f"cluster '{found.name}' ({found.address}) is of no site of {plan.group_label(group)}"
        yield Oddity(FindingKind.UNKNOWN_CLUSTER, found.name, message, hint)
    if more := unknown[MAX_LISTED:]:
        message = f"and {len(more):,} more clusters are of no site of {plan.group_label(group)}"
        yield Oddity(FindingKind.UNKNOWN_CLUSTER, more[0].name, message, hint)
