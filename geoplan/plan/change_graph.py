"""The steps of a change as a graph: what leaves is unlinked and proved so; then what joins is seeded and linked."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import networkx as nx

from geoplan.addresses import canonical, same_addresses
from geoplan.plan.actions import ACTIONS, Action, Phase, Situation
from geoplan.plan.graph import Placement, StepKey, section_of, steps_of_group, with_places
from geoplan.plan.ha_change import new_partner
from geoplan.plan.lists import carried_by
from geoplan.plan.model import StepTarget
from geoplan.topology.model import HaPair, Site, Unit
from geoplan.wording import folded

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from geoplan.plan.change_parts import GroupAfter, PartBefore
    from geoplan.plan.ha_values import HaChange
    from geoplan.plan.model import ClusterDefinition, SiteLists, SiteSettings
    from geoplan.topology.model import Group


class Work(NamedTuple):
    """All that a change has to do; sites are named as they are now."""

    before: tuple[tuple[PartBefore, ...], ...]
    """Each group before in its parts; the first one goes on as the group."""
    after: tuple[GroupAfter, ...]
    settings: Mapping[str, SiteSettings]
    old_settings: Mapping[str, SiteSettings]
    interim: Mapping[str, SiteLists]
    clusters: Mapping[str, ClusterDefinition]
    old_clusters: Mapping[str, ClusterDefinition]
    renewed: frozenset[str]
    """The sites that go on with a new unit."""
    emptied: frozenset[str]
    """Those of them all of whose units are new, so that nothing is left of their GEO configuration."""
    balanced: frozenset[str]
    """The pairs behind a load balancer in AWS, before or now."""
    cleans_leaving: bool
    ha_changes: tuple[HaChange, ...] = ()
    """What changes of the HA parameters of pairs at work."""
    taken_back: frozenset[str] = frozenset()
    """The sites whose clusters go while all of their group, which a push had made, are still partners."""
    owing: frozenset[str] = frozenset()
    """The pairs whose reboot is still due from earlier pushes."""

    @property
    def without_cluster(self) -> frozenset[str]:
        """The sites whose cluster of before is gone: they have left a group that goes on without them."""
        return frozenset(
            site.name for parts in self.before if parts[0].goes_on for part in parts[1:] for site in part.sites
        )

    def gains(self, site: str) -> bool:
        """Return whether a site gets partners that it did not have."""
        old = self.old_settings.get(site)
        had = set(map(canonical, old.geo_partners)) if old else set()
        return not had.issuperset(map(canonical, self.settings[site].geo_partners))


Edges = list[tuple[StepKey, StepKey]]


def build_change_graph(work: Work) -> nx.DiGraph[StepKey]:
    """Build the graph: HA parameters, then all that leaves before all that joins, as far as it is of the same groups.

    Nothing else is begun before pairs whose HA parameters change are whole again. The number of edges grows linearly
    with the sites.
    """
    keys: list[StepKey] = []
    edges: Edges = []
    last_of: dict[str, StepKey] = {}
    for parts in work.before:
        leave = _leave(parts, work, edges)
        keys += leave
        if leave:
            last_of[parts[0].group] = leave[-1]
    for group in work.after:
        join, first = _join(group, work, edges)
        keys += join
        origins = dict.fromkeys(
            work.old_settings[site.name].group for site in group.group.sites if site.name in work.old_settings
        )
        edges += [(last_of[origin], step) for origin in origins if origin in last_of for step in first]
    in_ha = [StepKey(change.site, action) for change in work.ha_changes for action in change.actions]
    edges += [(in_ha[-1], step) for step in _sources(keys, edges) if in_ha]
    edges += pairwise(in_ha)
    keys = [*in_ha, *keys]
    graph: nx.DiGraph[StepKey] = nx.DiGraph()
    graph.add_nodes_from(with_places(keys, Phase.GEO))
    graph.add_edges_from(edges)
    return graph


def _leave(parts: Sequence[PartBefore], work: Work, edges: Edges) -> list[StepKey]:
    """Return the steps that take a group apart: lists on those that stay, on those that leave, the proof, clusters."""
    stay = parts[0] if parts[0].goes_on else None
    going = parts[1:] if stay else parts
    shrinking = [list(removals(site.name, work)) for site in hosts_first(stay.sites)] if stay else []
    keys = [key for steps in shrinking for key in steps]
    if stay and not going:  # nobody leaves; an address may have changed
        edges += pairwise(keys)
        return keys
    edges += [edge for steps in shrinking for edge in pairwise(steps)]
    sites = [site.name for part in going for site in part.sites]
    chain = [StepKey(name, Action.DELETE_CLUSTER) for name in reversed(sites) if name in work.taken_back]
    for name in sites:
        chain += [*removals(name, work), *([StepKey(name, Action.VERIFY_UNLINKED)] if parts[1:] else [])]
    for part in going if stay else ():
        known = [site.name for site in part.sites if site.name in work.old_clusters]
        chain += [StepKey(name, action) for action in (Action.PROBE_UNLINKED, Action.DELETE_CLUSTER) for name in known]
        if part.goes_to or work.cleans_leaving:
            chain.append(StepKey(part.sites[0].name, Action.DELETE_OTHER_CLUSTERS))
    chain += [
        StepKey(site.name, Action.DEREGISTER_TARGETS)
        for part in going
        if not part.goes_to
        for site in part.sites
        if site.name in work.balanced
    ]
    if chain:
        edges += [(steps[-1], chain[0]) for steps in shrinking if steps]
        edges += pairwise(chain)
    return keys + chain


def removals(site: str, work: Work) -> Iterator[StepKey]:
    """Yield the steps that take off a site's lists whoever is no partner any more; partners first."""
    old, interim = work.old_settings.get(site), work.interim.get(site)
    if old is None or interim is None or site in work.emptied:  # a new unit lists nobody
        return
    if not same_addresses(old.geo_partners, interim.geo_partners):
        yield StepKey(site, Action.REMOVE_GEO_PARTNERS)
    if not same_addresses(old.remote_geo_access, interim.remote_geo_access):
        yield StepKey(site, Action.REMOVE_REMOTE_GEO_ACCESS)


def _join(group: GroupAfter, work: Work, edges: Edges) -> tuple[list[StepKey], list[StepKey]]:
    """Return the steps that make a group what it is now, and those of them that wait for none of the others."""
    if not group.core:  # nobody of it was there before
        keys, dependencies = steps_of_group(group.group)
        edges += dependencies
        return keys, _sources(keys, dependencies)
    in_order = _in_order(group.group)
    first = [*_new_units(in_order, work), *_seeds(group, work)]
    lists = [steps for site in in_order if (steps := list(growths(site.name, work)))]
    links = links_of(in_order, work)
    clusters = list(_clusters(group, work))
    clusters += [
        StepKey(site.name, Action.REGISTER_TARGETS)
        for site in in_order
        if site.name in work.balanced and site.name not in work.old_settings
    ]
    own: Edges = [*pairwise(first)]
    if first:
        own += [(first[-1], steps[0]) for steps in lists]
    own += [edge for steps in lists for edge in pairwise(steps)]
    own += pairwise(links)
    if links:
        own += [(steps[-1], links[0]) for steps in lists] or [(step, links[0]) for step in first[-1:]]
    tail = links[-1:] or [steps[-1] for steps in lists] or first[-1:]
    if clusters:
        own += [(step, clusters[0]) for step in tail]
        own += pairwise(clusters)
    edges += own
    keys = [*first, *(key for steps in lists for key in steps), *links, *clusters]
    return keys, _sources(keys, own)


def _new_units(sites: Sequence[Site], work: Work) -> Iterator[StepKey]:
    """Yield the steps that bring new units into pairs that go on; AWS sends clients to no unit that is gone."""
    for site in sites:
        if site.ha_pair and site.name in work.renewed:
            balanced = site.name in work.balanced
            yield from [StepKey(site.name, Action.DEREGISTER_TARGETS)] if balanced else []
            if new_partner(work.settings[site.name], work.old_settings.get(site.name)):
                yield StepKey(site.name, Action.SET_HA_PARTNER)
            yield StepKey(site.name, Action.JOIN_HA_PAIR)
            yield from [StepKey(site.name, Action.REGISTER_TARGETS)] if balanced else []


def _seeds(group: GroupAfter, work: Work) -> Iterator[StepKey]:
    """Yield the steps that give the group's GEO configuration to whoever has another one, or none."""
    emptied = [site for site in group.core if site.name in work.emptied]
    yield from (StepKey(site.name, Action.SEED_GEO_CONFIGURATION) for site in (*group.joining, *emptied))


def _sources(keys: Sequence[StepKey], edges: Iterable[tuple[StepKey, StepKey]]) -> list[StepKey]:
    later = {after for _, after in edges}
    return [key for key in keys if key not in later]


def growths(site: str, work: Work) -> Iterator[StepKey]:
    """Yield the steps that enter a site's lists where they differ from what is left of the old ones; access first."""
    left = None if site in work.emptied else work.interim.get(site) or work.old_settings.get(site)
    wanted = work.settings[site]
    if left is None or not same_addresses(left.remote_geo_access, wanted.remote_geo_access):
        yield StepKey(site, Action.SET_REMOTE_GEO_ACCESS)
    if left is None or not same_addresses(left.geo_partners, wanted.geo_partners):
        yield StepKey(site, Action.SET_GEO_PARTNERS)


def links_of(sites: Sequence[Site], work: Work) -> list[StepKey]:
    """Return the submissions of a group, one after the other, and the reboots that make room for them.

    A pair is rebooted where its slave has new partners to link, a unit of it is new, or its reboot is still due; no
    pair that only loses some.
    """
    if not any(work.settings[site.name].geo_partners for site in sites):
        return []
    renewed = [site for site in sites if site.name in work.renewed]
    keys = []
    if renewed:  # what is new knows no partner: whoever is active submits to it, and it to them
        keys += [
            StepKey(site.name, Action.RESUBMIT_ON_ACTIVE)
            for site in sites
            if not work.gains(site.name) or site.name in work.renewed
        ]
    wanted = work.renewed | work.owing
    rebooted = [site for site in sites if site.ha_pair and (site.name in wanted or work.gains(site.name))]
    for site in rebooted:
        keys += [StepKey(site.name, Action.REBOOT_MASTER), StepKey(site.name, Action.RESUBMIT_GEO_PARTNERS)]
    if rebooted:
        keys += [StepKey(site.name, Action.RESUBMIT_GEO_PARTNERS) for site in sites if not site.ha_pair]
    return keys


def _clusters(group: GroupAfter, work: Work) -> Iterator[StepKey]:
    """Yield what makes a group's clusters the planned ones; a name is free before another cluster takes it."""
    core = {site.name for site in group.core}
    having = {site.name for site in (*group.core, *group.joining)} - work.without_cluster
    had = {name: work.old_clusters[name] for name in having if name in work.old_clusters}
    holders = {folded(cluster.name): site for site, cluster in had.items() if site in core}
    steps = {
        site.name: list(_cluster_steps(site.name, had.get(site.name), work, joins=site.name not in core))
        for site in _in_order(group.group)
    }
    done: set[str] = set()
    for site in steps:
        waiting: list[str] = []
        first: str | None = site
        while first is not None and first not in done and first not in waiting:
            waiting.append(first)
            first = holders.get(folded(work.clusters[first].name)) if steps[first] else None
        for name in reversed(waiting):
            done.add(name)
            yield from steps[name]


def _cluster_steps(site: str, had: ClusterDefinition | None, work: Work, *, joins: bool) -> Iterator[StepKey]:
    """Yield what makes a site's cluster the planned one; whoever joins may bring its own along, seen by its links."""
    wanted = work.clusters[site]
    if had and canonical(had.address) not in carried_by(wanted.address, work.settings[site].units):
        yield StepKey(site, Action.ADD_CLUSTER)  # takes the name from the old one, so that none is missing
        yield StepKey(site, Action.DELETE_CLUSTER)
    elif had is None or joins:
        yield StepKey(site, Action.ADD_CLUSTER)
    elif had.name != wanted.name or (wanted.location and had.location != wanted.location):
        yield StepKey(site, Action.MODIFY_CLUSTER)


def _in_order(group: Group) -> list[Site]:
    return sorted(group.sites, key=lambda site: site.ha_pair is None)


def hosts_first(sites: Iterable[SiteSettings], emptied: Collection[str] = ()) -> list[SiteSettings]:
    """Return sites in the order in which a group's clusters are entered: pairs first, and last who has none."""
    return sorted(sites, key=lambda site: (site.name in emptied, site.kind != "ha_pair"))


def placements_of(work: Work) -> Callable[[StepKey], Placement]:
    """Return what places the steps of a change; clusters change on the first site that stays, or stayed."""
    hosts: dict[str, Site] = {}
    situations: dict[str, Situation] = {}
    deletes_on: dict[str, Site] = {}
    probes_on: dict[str, Site] = {}
    for group in work.after:
        section = section_of(group.group)
        by_name = {site.name: site for site in group.group.sites}
        for site in group.group.sites:
            hosts[site.name], situations[site.name] = by_name[group.reference], Situation(site, section)
    for parts in work.before:
        for part in parts:
            for settings in part.sites:
                situations.setdefault(settings.name, Situation(site_of(settings), "5.1"))
    for parts in work.before:
        stay = parts[0].goes_on
        first = situations[hosts_first(parts[0].sites, work.emptied)[0].name].site
        for part in parts[1:] if stay else parts:
            for settings in part.sites:
                if not (stay or settings.name in work.taken_back):
                    continue
                deletes_on[settings.name] = first
                probes_on[settings.name] = situations[part.sites[0].name].site

    def place(key: StepKey) -> Placement:
        situation = situations[key.site]
        match key.action:
            case Action.ADD_CLUSTER | Action.MODIFY_CLUSTER:
                host = hosts[key.site]
            case Action.DELETE_CLUSTER:
                host = deletes_on.get(key.site) or hosts[key.site]
            case Action.PROBE_UNLINKED:
                host = probes_on[key.site]
            case _:
                host = situation.site
        unit = ACTIONS[key.action].unit_at(host)
        assert unit, key  # noqa: S101 - no action of a change is on a unit of another role at each site
        return Placement(StepTarget(site=host.name, unit=unit), situation)

    return place


def site_of(settings: SiteSettings) -> Site:
    """Return a site that is in no topology any more, as far as words about its steps need it."""
    units = [Unit(address=unit.address, nat_address=unit.nat_address) for unit in settings.units]
    if settings.kind == "ha_pair":
        pair = HaPair(master=units[0], slave=units[1], preferred_host=settings.preferred_host or "master")
        return Site(name=settings.name, ha_pair=pair)
    return Site(name=settings.name, standalone=units[0])
