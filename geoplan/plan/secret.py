"""The Partner Shared Secret set on every unit: group by group, of each first the pairs, then the standalones."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import networkx as nx

from geoplan.plan.actions import ACTIONS, Action, Phase, Situation
from geoplan.plan.graph import Placement, Reboots, StepKey, section_of, with_places
from geoplan.plan.lists import pairs_of, standalones_of
from geoplan.plan.model import StepTarget
from geoplan.plan.planner import StepsToDo, plan_of
from geoplan.plan.secret_change import SecretChange
from geoplan.topology.rules import require_well_formed

if TYPE_CHECKING:
    from geoplan.plan.model import Plan
    from geoplan.topology.model import Topology


def make_rotation(topology: Topology, *, goes_back: bool = False) -> Plan:
    """Plan the Partner Shared Secret on every unit of a topology, one site after the other.

    A pair is one step: both of its units are sent it back to back, since HA may part them in between. Raises
    :class:`geoplan.InvalidInputError` where the topology breaks a rule.
    """
    require_well_formed(topology)
    situations = {
        site.name: Situation(site, section_of(group)) for group in topology.partner_groups() for site in group.sites
    }
    keys = [
        StepKey(site.name, Action.ROTATE_PARTNER_SECRET)
        for group in topology.partner_groups()
        for site in (*pairs_of(group), *standalones_of(group))
    ]
    graph: nx.DiGraph[StepKey] = nx.DiGraph()
    graph.add_nodes_from(with_places(keys, Phase.SECRET))
    graph.add_edges_from(pairwise(keys))  # never two sites at once, over all groups

    def place(key: StepKey) -> Placement:
        situation = situations[key.site]
        unit = ACTIONS[key.action].unit_at(situation.site)
        assert unit, key  # noqa: S101 - for the type checker: the row names it
        return Placement(StepTarget(site=key.site, unit=unit), situation)

    return plan_of(topology, StepsToDo(graph, place, Reboots((), 0.0)), secret=SecretChange(goes_back=goes_back))
