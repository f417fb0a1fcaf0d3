"""HA pairs before GEO: load balancer, HA parameters of both units, and what shows that they work (6.1, 6.2, 8)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from geoplan.plan.ha_model import (
    HaPairSettings,
    HaParameters,
    HealthCheckTiming,
    LoadBalancer,
    PlannedListener,
    PlannedSubnet,
    TargetGroup,
)
from geoplan.plan.model import Action
from geoplan.topology.model import HealthCheck

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.plan.ha_model import HaMode
    from geoplan.plan.model import Section, TargetUnit
    from geoplan.topology.model import Aws, HaPair, Site, Topology

UNIT_OF: dict[Action, TargetUnit] = {
    Action.CREATE_LOAD_BALANCER: "load_balancer",
    Action.SET_MASTER_HA_PARAMETERS: "master",
    Action.SET_SLAVE_HA_PARAMETERS: "slave",
    Action.VERIFY_HA_PAIR: "both",
}
SECTION_OF: dict[Action, Section] = {
    Action.CREATE_LOAD_BALANCER: "6.1",
    Action.SET_MASTER_HA_PARAMETERS: "6.2",
    Action.SET_SLAVE_HA_PARAMETERS: "6.2",
    Action.VERIFY_HA_PAIR: "8",
}


def has_ha_details(topology: Topology) -> bool:
    """Tell whether a topology says enough of its pairs that they are planned unless something else is asked for."""
    return any(site.ha_pair and site.ha_pair.aws for site in topology.sites)


def actions_of(site: Site) -> Iterator[Action]:
    """Yield what makes a site a working pair, in the order of sections 6.1, 6.2 and 8."""
    if site.ha_pair is None:
        return
    if site.ha_pair.aws:
        yield Action.CREATE_LOAD_BALANCER
    yield Action.SET_MASTER_HA_PARAMETERS
    yield Action.SET_SLAVE_HA_PARAMETERS
    yield Action.VERIFY_HA_PAIR


def dependencies_of(site: Site) -> Iterator[tuple[Action, Action]]:
    """Yield what has to be done before what on one site, as (before, after); pairs do not depend on each other."""
    yield from pairwise(actions_of(site))


def settings_of_pairs(topology: Topology, *, every_pair: bool) -> Iterator[HaPairSettings]:
    """Yield what makes each site a pair; unless ``every_pair``, only where the topology says more than its units."""
    for site in topology.sites:
        pair = site.ha_pair
        if pair and (every_pair or pair.health_check or pair.aws):
            yield _settings(site.name, pair, topology.health_check_port_of(site))


def _settings(site: str, pair: HaPair, port: int) -> HaPairSettings:
    check = pair.health_check or HealthCheck()
    timing = HealthCheckTiming(
        port=port,
        interval_seconds=check.interval_seconds,
        healthy_threshold=check.healthy_threshold,
        unhealthy_threshold=check.unhealthy_threshold,
        in_service_seconds=check.in_service_seconds,
        out_of_service_seconds=check.out_of_service_seconds,
    )

    def parameters(mode: HaMode) -> HaParameters:
        own, other = (pair.master, pair.slave) if mode == "master" else (pair.slave, pair.master)
        return HaParameters(
            address=own.address,
            mode=mode,
            preferred_host=pair.preferred_host,
            partner=other.address,
            health_check_port=timing.port,
            all_interfaces=check.all_interfaces,
        )

    return HaPairSettings(
        site=site,
        master=parameters("master"),
        slave=parameters("slave"),
        health_check=timing,
        load_balancer=_load_balancer(pair, pair.aws) if pair.aws else None,
    )


def _load_balancer(pair: HaPair, aws: Aws) -> LoadBalancer:
    listeners = tuple(
        PlannedListener(
            protocol=listener.protocol,
            port=listener.port,
            target=TargetGroup(protocol=listener.target[0], port=listener.target[1]),
            certificate_arn=listener.certificate_arn,
        )
        for listener in aws.listeners
    )
    return LoadBalancer(
        region=aws.region,
        vpc_id=aws.vpc_id,
        scheme=aws.scheme,
        subnets=tuple(
            PlannedSubnet(subnet_id=subnet.subnet_id, allocation_id=subnet.allocation_id) for subnet in aws.subnets
        ),
        listeners=listeners,
        target_groups=tuple(dict.fromkeys(listener.target for listener in listeners)),
        instances=(pair.master.instance_id, pair.slave.instance_id),
        tags=aws.tags,
    )
