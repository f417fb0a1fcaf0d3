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
from geoplan.plan.change import Stood, plan_change
from geoplan.plan.change_graph import Work, growths, links_of, removals, site_of
from geoplan.plan.described import timing_of, topology_before
from geoplan.plan.graph import Placement, Reboots, StepKey, with_places
from geoplan.plan.lists import lists_without
from geoplan.plan.model import Change, Plan, PlannedGroup, SiteLists, StepTarget
from geoplan.plan.planner import StepsToDo, assembled
from geoplan.topology.slugs import slugs_of

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
    """The clusters that were there and otherwise, by site; of a change, otherwise than its start has them."""
    never: tuple[str, ...] = ()
    """The sites whose clusters were not there, and that the push has not come to add."""
    stood: Mapping[str, Stood] = {}
    """Of a change, what the sites that joined had before."""

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
            hint="take it back by hand: geoplan push --status says how; the way back to where the change began "
            "is a push of that topology, --from this one",
        )
    return plan_change(topology_before(plan, before.modified), plan, cleans_leaving=True, stood=before.stood)


def _fit(site: SiteSettings, lists: SiteLists) -> bool:
    return all(
        set(map(canonical, one)) == set(map(canonical, other))
        for one, other in (
            (site.remote_geo_access, lists.remote_geo_access),
            (site.geo_partners, lists.geo_partners),
        )
    )


# -- a push that brought a topology about: its lists and clusters as they were -----------------------------------------


def _lists_back(plan: Plan, before: Before) -> Plan:
    """Plan the lists and clusters that a push found, from those that it wrote."""
    now = {site.name: site for site in plan.sites}
    ends = _ends(plan, before)
    clusters = tuple(
        before.modified.get(cluster.site, cluster).model_copy(update={"group": ends[cluster.site].group})
        for cluster in plan.clusters
        if cluster.site not in before.added + before.never
    )
    had = tuple(cluster for cluster in plan.clusters if cluster.site not in before.never)
    work = Work(
        before=(),
        after=(),
        settings=ends,
        old_settings=now,
        interim={
            name: lists_without(site, gone)
            for name, site in now.items()
            if (gone := without(site.geo_partners, ends[name].geo_partners))
        },
        clusters={cluster.site: cluster for cluster in clusters},
        old_clusters={cluster.site: cluster for cluster in had},
        renewed=frozenset(),
        emptied=frozenset(),
        balanced=frozenset(),
        cleans_leaving=False,
    )
    change = Change.model_construct(
        old_topology=plan.topology,
        old_checksum=plan.checksum,
        old_sites=plan.sites,
        old_clusters=had,
        leaving=(),
        interim=tuple(work.interim.values()),
    )
    content: dict[str, Any] = {name: getattr(plan, name) for name in Plan.model_fields if name != "checksum"}
    content |= {
        "groups": tuple(_groups(ends.values(), plan)),
        "sites": tuple(ends.values()),
        "clusters": clusters,
        "ha_pairs": (),
        "change": change,
    }
    timing = timing_of(plan)
    reboots = Reboots((Action.REBOOT_MASTER,), timing.sync_seconds + timing.boot_seconds)
    to_do = StepsToDo(_graph(plan, work, before), _placements(plan, ends), reboots)
    return assembled(content, to_do, slugs_of(now), timing)


def _ends(plan: Plan, before: Before) -> dict[str, SiteSettings]:
    """Return each site as the push found it: with those lists, and in the group that its partners make."""
    ends = {}
    for site in plan.sites:
        lists = before.lists.get(site.name) or site
        found = {"remote_geo_access": lists.remote_geo_access, "geo_partners": lists.geo_partners}
        ends[site.name] = site.model_copy(update=found)
    groups = dict(_groups_by_site(plan, ends))
    return {name: site.model_copy(update={"group": groups[name]}) for name, site in ends.items()}


def _graph(plan: Plan, work: Work, before: Before) -> nx.DiGraph[StepKey]:
    graph: nx.DiGraph[StepKey] = nx.DiGraph()
    keys, edges = _steps_back(plan, work, before)
    graph.add_nodes_from(with_places(keys, Phase.GEO))
    graph.add_edges_from(edges)
    return graph


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


def _groups_by_site(plan: Plan, ends: Mapping[str, SiteSettings]) -> Iterator[tuple[str, str]]:
    """Yield each site with the name of the group that it is in by its partners alone."""
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
    for group in plan.groups:
        parts = list(nx.connected_components(links.subgraph(group.sites)))
        for number, part in enumerate(parts, start=1):
            part_name = f"{group.name}, part {number}" if len(part) > 1 else f"{min(part)} alone"
            yield from ((name, group.name if len(parts) == 1 else part_name) for name in part)


def _groups(sites: Collection[SiteSettings], plan: Plan) -> Iterator[PlannedGroup]:
    members: defaultdict[str, list[str]] = defaultdict(list)
    for site in sites:
        members[site.group].append(site.name)
    sections = {name: group.section for group in plan.groups for name in group.sites}
    for name, names in members.items():
        section = sections[names[0]] if len(names) > 1 else "5.1"
        yield PlannedGroup.model_construct(name=name, section=section, sites=tuple(names))
