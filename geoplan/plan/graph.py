"""The steps of a plan as a graph of what waits for what, and the order in which they are done."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import networkx as nx

from geoplan.plan import pairs as ha
from geoplan.plan.actions import ACTIONS, LOOKS, Action, Phase, Situation
from geoplan.plan.lists import pairs_of, standalones_of
from geoplan.plan.model import Step, StepTarget

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from geoplan.plan.actions import GeoSection
    from geoplan.topology.model import Group, Site


class StepKey(NamedTuple):
    """What a step is, before it has a place in the order: a node of the graph."""

    site: str
    action: Action
    turn: int = 1
    """Which one it is, where a site has a step of its kind twice."""


class Reboots(NamedTuple):
    """The steps that reboot a unit, and how long each takes; and how long those take that look at what is unlinked."""

    actions: tuple[Action, ...]
    seconds: float
    look_seconds: float = 0.0

    def seconds_of(self, key: StepKey) -> float:
        """Return how long a step waits for a unit, or for replication, in seconds."""
        if key.action in LOOKS:
            return self.look_seconds
        return self.seconds if key.action in self.actions else 0.0


class Placement(NamedTuple):
    """Where a step is done, and the situation that its words depend on."""

    on: StepTarget
    situation: Situation


def section_of(group: Group) -> GeoSection:
    """Return the section of the document whose procedure a group follows."""
    match len(pairs_of(group)), len(standalones_of(group)):
        case (1, 0) | (0, 1):
            return "5.1"
        case (2, 0):
            return "5.2"
        case (1, 1):
            return "5.3"
        case _:
            return "5.4"


def build_graph(groups: Sequence[Group], phases: Collection[Phase] = (Phase.GEO,)) -> nx.DiGraph[StepKey]:
    """Build the graph of all groups' steps; an edge leads from a step to one that waits for it.

    Each node carries its ``place``: the phase, the group's number and the step's number in the order of section 6 or
    of sections 5.2 to 5.4. The number of edges grows linearly with the sites.
    """
    graph: nx.DiGraph[StepKey] = nx.DiGraph()
    for number, group in enumerate(groups):
        if Phase.HA in phases:
            graph.add_nodes_from(with_places(_ha_keys(group), Phase.HA, number))
            graph.add_edges_from(_ha_dependencies(group))
        if Phase.GEO in phases:
            graph.add_nodes_from(with_places(_keys_in_order(group), Phase.GEO, number))
            graph.add_edges_from(_dependencies(group))
        if Phase.HA in phases and Phase.GEO in phases:
            first_list = _lists_in_order(group)[0]
            graph.add_edges_from(
                (StepKey(site.name, Action.VERIFY_HA_PAIR), StepKey(site.name, first_list)) for site in pairs_of(group)
            )
    return graph


def with_places(
    keys: Iterable[StepKey], phase: Phase, group: int = 0
) -> Iterator[tuple[StepKey, dict[str, tuple[int, int, int]]]]:
    """Yield nodes of the graph: steps of one phase and one group, given in their order, each with its place."""
    number = list(Phase).index(phase)
    for position, key in enumerate(keys):
        yield key, {"place": (number, group, position)}


def _ha_keys(group: Group) -> Iterator[StepKey]:
    """Yield the steps that make the group's pairs, pair by pair."""
    for site in pairs_of(group):
        yield from (StepKey(site.name, action) for action in ha.actions_of(site))


def _ha_dependencies(group: Group) -> Iterator[tuple[StepKey, StepKey]]:
    for site in pairs_of(group):
        yield from pairwise(StepKey(site.name, action) for action in ha.actions_of(site))


def steps_of_group(group: Group) -> tuple[list[StepKey], list[tuple[StepKey, StepKey]]]:
    """Return the steps that make a group's GEO system of nothing, in their order, and what waits for what."""
    return list(_keys_in_order(group)), list(_dependencies(group))


def in_order(graph: nx.DiGraph[StepKey]) -> list[StepKey]:
    """Return the steps in the order in which they are done, the same on every run."""
    places = nx.get_node_attributes(graph, "place")
    return list(nx.lexicographical_topological_sort(graph, key=places.__getitem__))


def longest_chain(graph: nx.DiGraph[StepKey], reboots: Reboots) -> tuple[float, int]:
    """Return the time in seconds and the number of steps of the longest chain of steps that wait for one another."""
    reached: dict[StepKey, tuple[float, int]] = {}
    for step in nx.topological_sort(graph):
        seconds, steps = max((reached[before] for before in graph.predecessors(step)), default=(0.0, 0))
        reached[step] = (seconds + reboots.seconds_of(step), steps + 1)
    return max(reached.values(), default=(0.0, 0))


def _keys_in_order(group: Group) -> Iterator[StepKey]:
    """Yield the group's steps in the order in which sections 5.2 to 5.4 name them."""
    pairs, standalones = pairs_of(group), standalones_of(group)
    for site in (*pairs, *standalones):
        yield from (StepKey(site.name, action) for action in _lists_in_order(group))
    if len(group.sites) > 1 and pairs:
        for site in pairs:
            yield StepKey(site.name, Action.REBOOT_MASTER)
            yield StepKey(site.name, Action.RESUBMIT_GEO_PARTNERS)
        for site in standalones:
            yield StepKey(site.name, Action.RESUBMIT_GEO_PARTNERS)
    for site in (*pairs, *standalones):
        yield StepKey(site.name, Action.ADD_CLUSTER)


def _lists_in_order(group: Group) -> tuple[Action, Action]:
    """Return which of a site's lists is entered first.

    A site alone empties its partners, and then takes from its access list whoever was one: a unit that still saw it as
    its partner but could not reach it would only fail. Elsewhere lists grow, and access goes first.
    """
    lists = (Action.SET_REMOTE_GEO_ACCESS, Action.SET_GEO_PARTNERS)
    return lists if len(group.sites) > 1 else (lists[1], lists[0])


def _dependencies(group: Group) -> Iterator[tuple[StepKey, StepKey]]:
    """Yield what has to be done before what, as (before, after)."""
    by_action: dict[Action, list[StepKey]] = defaultdict(list)
    for key in _keys_in_order(group):
        by_action[key.action].append(key)

    first_lists, last_lists = (by_action[action] for action in _lists_in_order(group))
    reboots, resubmissions = by_action[Action.REBOOT_MASTER], by_action[Action.RESUBMIT_GEO_PARTNERS]
    clusters = by_action[Action.ADD_CLUSTER]
    of_pairs, of_standalones = resubmissions[: len(reboots)], resubmissions[len(reboots) :]

    yield from zip(first_lists, last_lists, strict=True)
    if reboots:
        yield from ((step, reboots[0]) for step in last_lists)
        yield from zip(reboots, of_pairs, strict=True)
        yield from zip(of_pairs, reboots[1:], strict=False)
        yield from ((of_pairs[-1], step) for step in of_standalones)
    yield from ((step, clusters[0]) for step in of_standalones or of_pairs[-1:] or last_lists)
    yield from pairwise(clusters)


def number_steps(
    graph: nx.DiGraph[StepKey], slugs: Mapping[str, str], place: Callable[[StepKey], Placement]
) -> Iterator[Step]:
    """Yield the steps of the graph as the plan holds them; ``slugs`` gives each site's part of the ids."""
    places: dict[StepKey, tuple[int, int, int]] = nx.get_node_attributes(graph, "place")

    def identify(key: StepKey) -> str:
        identity = f"{slugs[key.site]}/{key.action.replace('_', '-')}"
        return identity if key.turn == 1 else f"{identity}-{key.turn}"

    for number, key in enumerate(in_order(graph), start=1):
        row, (on, situation) = ACTIONS[key.action], place(key)
        yield Step(
            number=number,
            id=identify(key),
            action=key.action,
            site=key.site,
            on=on,
            after=tuple(map(identify, sorted(graph.predecessors(key), key=places.__getitem__))),
            section=row.section or situation.section,
            why=row.why_in(situation),
            note=row.note_in(situation),
        )


def placements_in(groups: Iterable[Group]) -> Callable[[StepKey], Placement]:
    """Return what places the steps that make pairs and GEO systems of the groups.

    Clusters are added on a group's first pair, or without a pair on its first standalone.
    """
    hosts: dict[str, Site] = {}
    situations: dict[str, Situation] = {}
    for group in groups:
        section, first = section_of(group), (*pairs_of(group), *standalones_of(group))[0]
        for site in group.sites:
            hosts[site.name], situations[site.name] = first, Situation(site, section)

    def place(key: StepKey) -> Placement:
        situation = situations[key.site]
        host = hosts[key.site] if key.action is Action.ADD_CLUSTER else situation.site
        unit = ACTIONS[key.action].unit_at(host)
        assert unit, key  # noqa: S101 - these phases have no action on a unit of another role at each site
        return Placement(StepTarget(site=host.name, unit=unit), situation)

    return place
