"""The topology that a plan describes, for whoever has no more than a plan: a journal, or an older state.

A plan holds no URLs; what else is known of its units is given beside it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from geoplan.addresses import canonical
from geoplan.plan.change_graph import site_of
from geoplan.plan.ha_change import ha_values_before
from geoplan.topology.api import api_of
from geoplan.topology.model import DEFAULT_GROUP, Cluster, HealthCheck, Timing, Topology
from geoplan.vendor import MAX_NAME_LENGTH

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from geoplan.plan.ha_values import HaValues
    from geoplan.plan.model import ClusterDefinition, Plan, SiteSettings
    from geoplan.topology.model import Site, Unit


class KnownUnit(NamedTuple):
    """What is known of a unit beside what a plan says: where its API and its health check answer."""

    unit: Unit
    health_check_port: int


def known_units(topology: Topology) -> dict[str, KnownUnit]:
    """Return what a topology says of its units, by their canonical addresses; each with the URL of its API."""
    return {
        canonical(unit.address): KnownUnit(
            unit.model_copy(update={"api": api_of(topology, site, unit).url}), topology.health_check_port_of(site)
        )
        for site in topology.sites
        for unit in site.units
    }


def topology_before(plan: Plan, found: Mapping[str, ClusterDefinition]) -> Topology:
    """Return the topology that a change came from, as far as its plan has it; clusters by site as they were found."""
    assert plan.change  # noqa: S101 - only a change came from anywhere
    clusters = {cluster.site: cluster for cluster in plan.change.old_clusters} | dict(found)
    held = {site.name: ha_values_before(plan, site) for site in plan.change.old_sites}
    return _described(plan, plan.change.old_topology, plan.change.old_sites, clusters.get, _Known({}, held))


def topology_of(plan: Plan, known: Mapping[str, KnownUnit], *, with_leaving: bool) -> Topology:
    """Return the topology that a plan leads to; with those that leave, each is a site alone."""
    leaving = plan.change.leaving if plan.change and not with_leaving else ()
    clusters = {cluster.site: cluster for cluster in plan.clusters}
    sites = [site for site in plan.sites if site.name not in leaving]
    held = {change.site: change.after for change in plan.ha_changes}
    return _described(plan, plan.topology, sites, clusters.get, _Known(known, held))


class _Known(NamedTuple):
    """What is known of units beside their addresses."""

    units: Mapping[str, KnownUnit]
    ha: Mapping[str, HaValues]
    """The HA parameters of pairs, by the sites' names."""


def _described(
    plan: Plan,
    name: str,
    sites: Sequence[SiteSettings],
    cluster_of: Callable[[str], ClusterDefinition | None],
    known: _Known,
) -> Topology:
    groups: defaultdict[str, list[str]] = defaultdict(list)
    described = []
    own = {
        canonical(each) for site in sites for unit in site.units for each in (unit.address, unit.nat_address) if each
    }
    for settings in sites:
        groups[settings.group].append(settings.name)
        described.append(_site(settings, cluster_of(settings.name), known, own, plan.health_check_port))
    names = {group: group if len(group) <= MAX_NAME_LENGTH else f"group {n}" for n, group in enumerate(groups, 1)}
    return Topology(
        name=name,
        sites=tuple(described),
        groups=None if {*groups} == {DEFAULT_GROUP} else {names[each]: tuple(groups[each]) for each in groups},
        health_check_port=plan.health_check_port,
        timing=timing_of(plan),
    )


def timing_of(plan: Plan) -> Timing:
    """Return the times that a plan's topology gave."""
    return Timing(**{field: getattr(plan.estimates, field) for field in Timing.model_fields})


def _site(
    settings: SiteSettings,
    cluster: ClusterDefinition | None,
    known: _Known,
    own: Collection[str],
    usual_port: int,
) -> Site:
    extra = [each for each in settings.remote_geo_access if canonical(each) not in own]
    shown = Cluster(name=cluster.name, location=cluster.location) if cluster else Cluster()
    site = site_of(settings).model_copy(update={"extra_remote_geo_access": tuple(extra), "cluster": shown})
    units = [_unit(unit, known.units) for unit in site.units]
    if site.ha_pair is None:
        return site.model_copy(update={"standalone": units[0]})
    check = _health_check(settings, units, known, usual_port)
    pair = site.ha_pair.model_copy(update={"master": units[0], "slave": units[1], "health_check": check})
    return site.model_copy(update={"ha_pair": pair})


def _health_check(settings: SiteSettings, units: Sequence[Unit], known: _Known, usual_port: int) -> HealthCheck | None:
    """Return how a pair is asked for its health, where that is not as usual."""
    if held := known.ha.get(settings.name):
        is_usual = held.health_check_port == usual_port and held.all_interfaces is None
        return None if is_usual else HealthCheck(port=held.health_check_port, all_interfaces=bool(held.all_interfaces))
    ports = {found.health_check_port for unit in units if (found := known.units.get(canonical(unit.address)))}
    return HealthCheck(port=min(ports)) if ports - {usual_port} else None


def _unit(unit: Unit, known: Mapping[str, KnownUnit]) -> Unit:
    found = known.get(canonical(unit.address))
    if found is None:
        return unit
    return found.unit.model_copy(update={"address": unit.address, "nat_address": unit.nat_address})
