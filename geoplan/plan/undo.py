"""What a push changed, taken back: a plan from what it brought about to what was there before.

What a push added for all is deleted while its units are still partners, once and seen everywhere; then the lists
shrink to what they were, and grow where they had more, with the reboots that links made again need.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import networkx as nx

from geoplan.addresses import canonical, without
from geoplan.errors import ChangeRefusedError
from geoplan.plan.actions import ACTIONS, Action, Phase, Situation
from geoplan.plan.change import make_change
from geoplan.plan.change_graph import Work, growths, links_of, removals, site_of
from geoplan.plan.graph import Placement, Reboots, StepKey, number_steps, with_places
from geoplan.plan.model import Change, Plan, PlannedGroup, SiteLists, StepTarget, checksum_of
from geoplan.plan.planner import StepsToDo, estimate
from geoplan.topology.model import Cluster, Timing, Topology
from geoplan.topology.names import slugs_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from geoplan.plan.model import ClusterDefinition, SiteSettings


class Before(NamedTuple):
    """What a push found before it changed it; whatever is not named it left as it was."""

    lists: Mapping[str, SiteLists]
    """The two lists of each site that the push has changed one of."""
    added: tuple[str, ...] = ()
    """The sites whose clusters were not there, in the order in which they were added."""
    modified: Mapping[str, ClusterDefinition] = {}
    """The clusters that were there and otherwise, by site."""
    never: tuple[str, ...] = ()
    """The sites whose clusters were not there, and that the push has not come to add."""

    @property
    def is_empty(self) -> bool:
        """Whether the push has changed none of that."""
        return not (self.lists or self.added or self.modified)


def make_undo(plan: Plan, before: Before) -> Plan:
    """Plan what takes a push back that has carried a plan out, or a part of it.

    Raises :class:`geoplan.errors.ChangeRefusedError` where no safe plan leads back.
    """
    return _change_back(plan, before) if plan.change else _lists_back(plan, before)


# -- a change taken back: the change the other way ---------------------------------------------------------------------


def _change_back(plan: Plan, before: Before) -> Plan:
    """Plan the change from what a change brought about back to where it began."""
    assert plan.change  # noqa: S101 - the caller has seen it
    old = {site.name: site for site in plan.change.old_sites}
    other = [
        name for name, lists in before.lists.items() if (site := old.get(name)) is not None and not _fit(site, lists)
    ]
    if other:
        raise ChangeRefusedError(
            "the push cannot be taken back by a plan, and nothing is planned:",
            [f"'{name}' had other lists before than {plan.change.old_topology} says" for name in other],
            hint="take it back by hand: geoplan push --status says how",
        )
    return make_change(_topology_before(plan), plan, cleans_leaving=True)


def _fit(site: SiteSettings, lists: SiteLists) -> bool:
    return all(
        set(map(canonical, one)) == set(map(canonical, other))
        for one, other in (
            (site.remote_geo_access, lists.remote_geo_access),
            (site.geo_partners, lists.geo_partners),
        )
    )


def _topology_before(plan: Plan) -> Topology:
    """Return the topology that a change came from, as far as its plan has it."""
    assert plan.change  # noqa: S101 - as above
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for site in plan.change.old_sites:
        groups[site.group].append(site.name)
    times = plan.estimates
    timing = Timing(**{name: getattr(times, name) for name in Timing.model_fields})
    sites = []
    for settings in plan.change.old_sites:
        partners = {canonical(address) for address in settings.geo_partners}
        own = {canonical(unit.address) for unit in settings.units}
        extra = [each for each in settings.remote_geo_access if canonical(each) not in partners | own]
        cluster = plan.change.old_cluster(settings.name)
        shown = Cluster(name=cluster.name, location=cluster.location) if cluster else Cluster()
        sites.append(site_of(settings).model_copy(update={"extra_remote_geo_access": tuple(extra), "cluster": shown}))
    return Topology(
        name=plan.change.old_topology,
        sites=tuple(sites),
        groups={name: tuple(members) for name, members in groups.items()} if len(groups) > 1 else None,
        health_check_port=plan.health_check_port,
        timing=timing,
    )


# -- a push that brought a topology about: its lists and clusters as they were -----------------------------------------


def _lists_back(plan: Plan, before: Before) -> Plan:
    """Plan the lists and clusters that a push found, from those that it wrote."""
    now = {site.name: site for site in plan.sites}
    ends = {
        name: site.model_copy(
            update={
                "remote_geo_access": before.lists[name].remote_geo_access,
                "geo_partners": before.lists[name].geo_partners,
            }
        )
        if name in before.lists
        else site
        for name, site in now.items()
    }
    ends = {name: site.model_copy(update={"group": group}) for group, name, site in _regrouped(plan, ends)}
    clusters = tuple(
        before.modified.get(cluster.site, cluster).model_copy(update={"group": ends[cluster.site].group})
        for cluster in plan.clusters
        if cluster.site not in before.added + before.never
    )
    had = tuple(cluster for cluster in plan.clusters if cluster.site not in before.never)
    interim = dict(_interim_lists(ends, now))
    work = Work(
        before=(),
        after=(),
        settings=ends,
        old_settings=now,
        interim=interim,
        clusters={cluster.site: cluster for cluster in clusters},
        old_clusters={cluster.site: cluster for cluster in had},
        renewed=frozenset(),
        emptied=frozenset(),
        balanced=frozenset(),
        cleans_leaving=False,
    )
    graph: nx.DiGraph[StepKey] = nx.DiGraph()
    keys, edges = _steps_back(plan, work, before)
    graph.add_nodes_from(with_places(keys, Phase.GEO))
    graph.add_edges_from(edges)
    times = plan.estimates
    reboots = Reboots((Action.REBOOT_MASTER,), times.sync_seconds + times.boot_seconds)
    to_do = StepsToDo(graph, _placements(plan, ends), reboots)
    slugs = slugs_of(site.name for site in plan.sites)
    content: dict[str, Any] = {name: getattr(plan, name) for name in Plan.model_fields if name != "checksum"}
    content |= {
        "groups": tuple(_groups(ends.values(), plan)),
        "sites": tuple(ends.values()),
        "clusters": clusters,
        "steps": tuple(number_steps(graph, slugs, to_do.place)),
        "ha_pairs": (),
        "change": Change.model_construct(
            old_topology=plan.topology,
            old_checksum=plan.checksum,
            old_sites=plan.sites,
            old_clusters=had,
            leaving=(),
            interim=tuple(interim.values()),
        ),
        "estimates": estimate(Timing(**{name: getattr(times, name) for name in Timing.model_fields}), to_do, 0),
    }
    return Plan.model_construct(checksum=checksum_of(content), **content)


def _interim_lists(
    ends: Mapping[str, SiteSettings], now: Mapping[str, SiteSettings]
) -> Iterator[tuple[str, SiteLists]]:
    """Yield what the lists hold that lose partners, once they have lost them and gained nothing; by site."""
    for name, site in now.items():
        if gone := without(site.geo_partners, ends[name].geo_partners):
            access, partners = without(site.remote_geo_access, gone), without(site.geo_partners, gone)
            yield name, SiteLists.model_construct(site=name, remote_geo_access=access, geo_partners=partners)


def _steps_back(plan: Plan, work: Work, before: Before) -> tuple[list[StepKey], list[tuple[StepKey, StepKey]]]:
    """Return the steps and what waits for what: clusters while all are partners, then lists, then links."""
    in_order = sorted(plan.sites, key=lambda site: site.kind != "ha_pair")
    clusters = [StepKey(site, Action.DELETE_CLUSTER) for site in reversed(before.added)]
    clusters += [StepKey(site, Action.MODIFY_CLUSTER) for site in before.modified]
    shrinking = [steps for site in in_order if (steps := list(removals(site.name, work)))]
    growing = [steps for site in in_order if (steps := list(growths(site.name, work)))]
    links: list[StepKey] = []
    edges = [*pairwise(clusters)]
    for group in plan.groups:
        members = tuple(site_of(plan.site(name)) for name in group.sites)
        links += links_of(members, work)
    for steps in (*shrinking, *growing):
        edges += pairwise(steps)
    edges += [(clusters[-1], steps[0]) for steps in (*shrinking, *growing) if clusters]
    by_site = {steps[0].site: steps[-1] for steps in shrinking}
    edges += [(by_site[steps[0].site], steps[0]) for steps in growing if steps[0].site in by_site]
    edges += pairwise(links)
    edges += [(steps[-1], links[0]) for steps in growing if links]
    keys = [*clusters, *(key for steps in (*shrinking, *growing) for key in steps), *links]
    return keys, edges


def _placements(plan: Plan, ends: Mapping[str, SiteSettings]) -> Callable[[StepKey], Placement]:
    sections = {name: group.section for group in plan.groups for name in group.sites}
    hosts: dict[str, str] = {}
    for step in plan.steps:
        if step.action is Action.ADD_CLUSTER:
            hosts[step.site] = step.on.site

    def place(key: StepKey) -> Placement:
        on_cluster = key.action in (Action.DELETE_CLUSTER, Action.MODIFY_CLUSTER)
        host = site_of(ends[hosts.get(key.site, key.site) if on_cluster else key.site])
        unit = ACTIONS[key.action].unit_at(host)
        assert unit, key  # noqa: S101 - none of these is on a unit of another role at each site
        return Placement(StepTarget(site=host.name, unit=unit), Situation(site_of(ends[key.site]), sections[key.site]))

    return place


def _regrouped(plan: Plan, ends: Mapping[str, SiteSettings]) -> Iterator[tuple[str, str, SiteSettings]]:
    """Yield each site with the group that it is in by its partners alone."""
    known = {
        canonical(address): site.name
        for site in plan.sites
        for unit in site.units
        for address in (unit.address, unit.nat_address)
        if address
    }
    links: nx.Graph[str] = nx.Graph()
    links.add_nodes_from(ends)
    for name, site in ends.items():
        links.add_edges_from((name, known[key]) for each in site.geo_partners if (key := canonical(each)) in known)
    names: dict[str, str] = {}
    for group in plan.groups:
        parts = list(nx.connected_components(links.subgraph(group.sites)))
        for number, part in enumerate(parts, start=1):
            names.update(dict.fromkeys(part, group.name if len(parts) == 1 else f"{group.name} {number}"))
    for name in ends:
        yield names[name], name, ends[name]


def _groups(sites: Collection[SiteSettings], plan: Plan) -> Iterator[PlannedGroup]:
    members: defaultdict[str, list[str]] = defaultdict(list)
    for site in sites:
        members[site.group].append(site.name)
    sections = {name: group.section for group in plan.groups for name in group.sites}
    for name, names in members.items():
        section = sections[names[0]] if len(names) > 1 else "5.1"
        yield PlannedGroup.model_construct(name=name, section=section, sites=tuple(names))
