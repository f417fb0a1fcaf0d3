"""Units as they tell of themselves where a topology is in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from geoplan.addresses import canonical
from geoplan.live.discover.document import draft_of
from geoplan.live.discover.judge import Imported, judged
from geoplan.live.discover.search import Discovery, named_by
from geoplan.live.findings.kinds import generic_command
from geoplan.live.model import REMOTE_LM, GeoCluster, HaFacts, Observation, State
from geoplan.loadmaster.model import HaStatus
from geoplan.plan.model import Phase
from geoplan.plan.planner import make_plan
from geoplan.topology.model import Topology

FIRMWARE = "7.2.59.4.22338.RELEASE"


def units_of(topology: Topology) -> dict[str, Observation]:
    """Return what all units of a topology say once it was pushed; each master is active."""
    plan = make_plan(topology, [Phase.GEO])
    clusters: dict[str, tuple[GeoCluster, ...]] = {}
    for each in plan.clusters:
        place = (each.location.latitude, each.location.longitude) if each.location else (0.0, 0.0)
        made = GeoCluster(each.address, each.name, REMOTE_LM, *place, enabled=True)
        clusters[each.group] = (*clusters.get(each.group, ()), made)
    units: dict[str, Observation] = {}
    for site, settings in zip(topology.sites, map(plan.site, [site.name for site in topology.sites]), strict=True):
        for number, unit in enumerate(settings.units):
            is_standby = number == 1
            found = Observation(
                unit.address,
                site="",
                role="standalone",
                host_name=f"lb-{len(units)}",
                firmware=FIRMWARE,
                boot_time="1767225600",
                geo_enabled=True,
                ssh_access=True,
                remote_geo_access=settings.remote_geo_access,
                geo_partners=settings.geo_partners,
                partner_status=None if is_standby else dict.fromkeys(settings.geo_partners, True),
                clusters=clusters[settings.group],
                fqdns=None if is_standby else (),
            )
            if site.ha_pair:
                status, state = (HaStatus.STANDBY, State.STANDBY) if is_standby else (HaStatus.ACTIVE, State.ACTIVE)
                ha = HaFacts(
                    partner=settings.units[1 - number].address,
                    health_check_port=topology.health_check_port_of(site),
                    prefers_master=site.ha_pair.preferred_host == "master",
                    mode="slave" if is_standby else "master",
                )
                found = replace(found, ha=ha, ha_status=status, state=state, by_health=state, health="200")
            units[unit.address] = found
    return units


def found(units: Mapping[str, Observation]) -> Discovery:
    """Return these units as those that were asked."""
    by_address = {canonical(address): unit for address, unit in units.items()}
    return Discovery(by_address, *named_by(by_address))


def imported(discovery: Discovery, ports: Mapping[str, int] | None = None) -> Imported:
    return judged(discovery, draft_of(discovery, ports or {}, name="geo"), generic_command)


def changed(units: Mapping[str, Observation], address: str, **values: Any) -> dict[str, Observation]:
    return {**units, address: replace(units[address], **values)}
