"""From a topology to its plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.plan import graph as step_graph
from geoplan.plan import pairs as ha
from geoplan.plan.graph import Reboots
from geoplan.plan.lists import cluster_of, pairs_of, settings_of, standalones_of
from geoplan.plan.model import Action, Estimates, Phase, Plan, PlannedGroup
from geoplan.topology.rules import require_well_formed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    import networkx as nx

    from geoplan.plan.graph import Description, StepKey
    from geoplan.topology.model import Timing, Topology


def usual_phases(topology: Topology) -> tuple[Phase, ...]:
    """Return what is planned unless something else is asked for: GEO, after the pairs where these are described."""
    return (Phase.HA, Phase.GEO) if ha.has_ha_details(topology) else (Phase.GEO,)


def make_plan(topology: Topology, phases: Collection[Phase] | None = None) -> Plan:
    """Plan the lists, clusters and ordered steps of a topology (sections 5.1 to 5.4), and its pairs (section 6).

    ``phases`` are the parts of the work to plan, by default those of :func:`usual_phases`; steps of other parts are
    left out, and new firmware is planned by :func:`geoplan.plan.upgrade.make_upgrade` alone. The same topology always
    gives the same plan. Raises :class:`geoplan.InvalidInputError` where a rule is broken, so that no plan is ever made
    from addresses or names that clash.
    """
    require_well_formed(topology)
    groups = topology.partner_groups()
    phases = usual_phases(topology) if phases is None else phases
    graph = step_graph.build_graph(groups, phases)
    timing = topology.timing
    reboots = Reboots((Action.REBOOT_MASTER,), timing.sync_seconds + timing.boot_seconds)
    plan = assemble(topology, graph, step_graph.descriptions_in(groups), reboots)
    if Phase.HA in phases:
        plan = plan.model_copy(update={"ha_pairs": tuple(ha.settings_of_pairs(topology, every_pair=True))})
    return signed(plan)


def assemble(
    topology: Topology,
    graph: nx.DiGraph[StepKey],
    describe: Callable[[StepKey], Description],
    reboots: Reboots,
) -> Plan:
    """Make the plan of a topology whose steps are those of a graph, to be completed and then :func:`signed`."""
    groups = topology.partner_groups()
    settings = {site.name: site for group in groups for site in settings_of(group)}
    slugs = step_graph.slugs_of(site.name for site in topology.sites)
    steps = tuple(step_graph.number_steps(graph, slugs, describe))
    return Plan.model_construct(
        topology=topology.name,
        checksum="",
        groups=tuple(
            PlannedGroup.model_construct(
                name=group.name,
                section=step_graph.section_of(group),
                sites=tuple(site.name for site in group.sites),
            )
            for group in groups
        ),
        sites=tuple(settings[site.name] for site in topology.sites),
        clusters=tuple(
            cluster_of(site, group) for group in groups for site in (*pairs_of(group), *standalones_of(group))
        ),
        steps=steps,
        health_check_port=topology.health_check_port,
        ha_pairs=tuple(ha.settings_of_pairs(topology, every_pair=False)),
        estimates=_estimate(topology.timing, graph, reboots),
    )


def signed(plan: Plan) -> Plan:
    """Return a plan with all that follows from the rest of it: its checksum, and the time of its health checks."""
    checked = sum(map(plan.health_check_seconds, plan.steps))
    estimates = plan.estimates.model_copy(update={"by_hand_seconds": plan.estimates.by_hand_seconds + checked})
    return plan.model_copy(update={"checksum": plan.compute_checksum(), "estimates": estimates})


def _estimate(timing: Timing, graph: nx.DiGraph[StepKey], reboots: Reboots) -> Estimates:
    by_api = sum(map(reboots.seconds_of, graph))
    chain_seconds, chain_steps = step_graph.longest_chain(graph, reboots)
    return Estimates.model_construct(
        **timing.model_dump(),
        by_api_seconds=by_api,
        by_hand_seconds=by_api + len(graph) * timing.manual_step_seconds,
        longest_chain_seconds=chain_seconds,
        longest_chain_steps=chain_steps,
    )
