"""From a topology to its plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from geoplan.plan import graph as step_graph
from geoplan.plan import pairs as ha
from geoplan.plan.graph import Reboots
from geoplan.plan.lists import cluster_of, pairs_of, settings_of, standalones_of
from geoplan.plan.model import FORMAT, Action, Estimates, Phase, Plan, PlannedGroup, checksum_of
from geoplan.topology.rules import require_well_formed
from geoplan.topology.slugs import slugs_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    import networkx as nx

    from geoplan.plan.firmware_change import FirmwareChange
    from geoplan.plan.graph import Placement, StepKey
    from geoplan.plan.ha_values import HaChange
    from geoplan.plan.model import Change, SiteSettings, Step
    from geoplan.plan.pairs import HaPairSettings
    from geoplan.plan.secret_change import SecretChange
    from geoplan.topology.model import Timing, Topology


def usual_phases(topology: Topology) -> tuple[Phase, ...]:
    """Return what is planned unless something else is asked for: GEO, after the pairs where these are described.

    A part of a topology has what the whole of it has.
    """
    return (Phase.HA, Phase.GEO) if ha.has_ha_details(topology.whole) else (Phase.GEO,)


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
    reboots = Reboots((Action.REBOOT_MASTER,), topology.timing.sync_seconds + topology.timing.boot_seconds)
    steps = StepsToDo(graph, step_graph.placements_in(groups), reboots)
    return plan_of(topology, steps, every_pair=Phase.HA in phases)


class Departure(NamedTuple):
    """What a change adds to the plan of a topology: where it starts, and the sites that leave for good."""

    change: Change
    sites: tuple[SiteSettings, ...] = ()
    ha_changes: tuple[HaChange, ...] = ()


class StepsToDo(NamedTuple):
    """The steps of a plan before they are numbered: what waits for what, where each is done, and what each takes."""

    graph: nx.DiGraph[StepKey]
    place: Callable[[StepKey], Placement]
    reboots: Reboots


def plan_of(  # noqa: PLR0913 - what a plan is of
    topology: Topology,
    to_do: StepsToDo,
    *,
    every_pair: bool = False,
    firmware: FirmwareChange | None = None,
    secret: SecretChange | None = None,
    departure: Departure | None = None,
) -> Plan:
    """Return the plan of a topology with these steps; ``every_pair`` as in :func:`ha.settings_of_pairs`."""
    groups = topology.partner_groups()
    settings = {site.name: site for group in groups for site in settings_of(group)}
    leaving = departure.sites if departure else ()
    slugs = slugs_of((*topology.slugs, *(site.name for site in leaving))) if leaving else topology.slugs
    content = {
        "topology": topology.name,
        "groups": (
            *(
                PlannedGroup.model_construct(
                    name=group.name,
                    section=step_graph.section_of(group),
                    sites=tuple(site.name for site in group.sites),
                )
                for group in groups
            ),
            *(PlannedGroup.model_construct(name=site.group, section="5.1", sites=(site.name,)) for site in leaving),
        ),
        "sites": (*(settings[site.name] for site in topology.sites), *leaving),
        "clusters": tuple(
            cluster_of(site, group) for group in groups for site in (*pairs_of(group), *standalones_of(group))
        ),
        "health_check_port": topology.health_check_port,
        "ha_pairs": tuple(ha.settings_of_pairs(topology, every_pair=every_pair)),
        "firmware": firmware,
        "secret": secret,
        "change": departure.change if departure else None,
        "ha_changes": departure.ha_changes if departure else (),
    }
    return assembled(content, to_do, slugs, topology.timing)


def assembled(content: Mapping[str, Any], to_do: StepsToDo, slugs: Mapping[str, str], timing: Timing) -> Plan:
    """Return the plan with these fields, and with the steps, checksum and times that follow.

    ``slugs`` are those of the sites, by name.
    """
    steps = tuple(step_graph.number_steps(to_do.graph, slugs, to_do.place))
    health_check_seconds = _health_check_seconds(steps, content["ha_pairs"])
    fields = {
        **content,
        "format": FORMAT,
        "steps": steps,
        "estimates": _estimate(timing, to_do, health_check_seconds),
    }
    return Plan.model_construct(checksum=checksum_of(fields), **fields)


def _health_check_seconds(steps: Iterable[Step], ha_pairs: Iterable[HaPairSettings]) -> int:
    by_site = {pair.site: pair for pair in ha_pairs}
    return sum(by_site[step.site].health_check_seconds(step.action) for step in steps if step.site in by_site)


def _estimate(timing: Timing, to_do: StepsToDo, health_check_seconds: int) -> Estimates:
    by_api = sum(map(to_do.reboots.seconds_of, to_do.graph))
    chain_seconds, chain_steps = step_graph.longest_chain(to_do.graph, to_do.reboots)
    return Estimates.model_construct(
        **timing.model_dump(),
        by_api_seconds=by_api,
        by_hand_seconds=by_api + len(to_do.graph) * timing.manual_step_seconds + health_check_seconds,
        longest_chain_seconds=chain_seconds,
        longest_chain_steps=chain_steps,
    )
