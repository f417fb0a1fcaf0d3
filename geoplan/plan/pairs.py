"""HA pairs before GEO: load balancer, HA parameters of both units, and what shows that they work (6.1, 6.2, 8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from geoplan.plan.actions import Action
from geoplan.plan.base import FrozenModel
from geoplan.topology.model import HealthCheck

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.topology.model import Aws, HaPair, Listener, Site, Topology, Unit

HaMode = Literal["master", "slave"]


class HaParameters(FrozenModel):
    """The HA parameters of one unit, which HA does not synchronise (section 6.2)."""

    address: str = Field(description="The unit on which they are set.")
    mode: HaMode
    preferred_host: Literal["master", "none"] = Field(description="Switch to Preferred Server.")
    partner: str = Field(description="The address of the pair's other unit.")
    health_check_port: int
    all_interfaces: bool = Field(description="Whether it answers the health check on every interface.")


class HealthCheckTiming(FrozenModel):
    """How a load balancer checks a pair, and how long that takes; all times in seconds (sections 2 and 6.1)."""

    port: int
    interval_seconds: int
    healthy_threshold: int
    unhealthy_threshold: int
    in_service_seconds: int = Field(description="Until a healthy unit gets traffic: interval times healthy threshold.")
    out_of_service_seconds: int = Field(
        description="Until a failed unit gets no more traffic: interval times unhealthy threshold."
    )

    @property
    def switchover_seconds(self) -> int:
        """How long a failover takes at the load balancer: the one unit out of service, the other in."""
        return max(self.in_service_seconds, self.out_of_service_seconds)


class PlannedSubnet(FrozenModel):
    """A subnet of a load balancer with its Elastic IP."""

    subnet_id: str
    allocation_id: str | None = None


class TargetGroup(FrozenModel):
    """Where a load balancer sends traffic: a protocol and port of both units."""

    protocol: str
    port: int


class PlannedListener(FrozenModel):
    """What a load balancer takes, and the target group that it sends it to."""

    protocol: str
    port: int
    target: TargetGroup
    certificate_arn: str | None = None


class LoadBalancer(FrozenModel):
    """The Network Load Balancer in front of a pair (section 6.1)."""

    region: str
    vpc_id: str
    scheme: Literal["internet-facing", "internal"]
    subnets: tuple[PlannedSubnet, ...]
    listeners: tuple[PlannedListener, ...]
    target_groups: tuple[TargetGroup, ...] = Field(description="One for each protocol and port of the listeners.")
    instances: tuple[str | None, ...] = Field(description="The EC2 instances of master and slave, where known.")
    tags: Mapping[str, str]


class HaPairSettings(FrozenModel):
    """What makes one site an HA pair."""

    site: str
    master: HaParameters
    slave: HaParameters
    health_check: HealthCheckTiming
    load_balancer: LoadBalancer | None = None

    def health_check_seconds(self, action: Action) -> int:
        """Return how long the load balancer's health check makes a step at the site take, in seconds (section 2).

        A new pair is checked until its active unit is in service. While a unit reboots that may be the active one, the
        traffic moves to the other, and with Prefer Master back again.
        """
        match action:
            case Action.VERIFY_HA_PAIR:
                return self.health_check.in_service_seconds
            case Action.REBOOT_MASTER | Action.UPDATE_ACTIVE | Action.UPDATE_REMAINING:
                switchovers = 2 if self.master.preferred_host == "master" else 1
                return switchovers * self.health_check.switchover_seconds
            case _:
                return 0


def has_ha_details(topology: Topology) -> bool:
    """Return whether a topology says enough of its pairs that they are planned unless something else is asked for."""
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


def settings_of_pairs(topology: Topology, *, every_pair: bool) -> Iterator[HaPairSettings]:
    """Yield what makes each site a pair; unless ``every_pair``, only where the topology says more than its units."""
    for site in topology.sites:
        pair = site.ha_pair
        if pair and (every_pair or pair.health_check or pair.aws):
            yield _settings(site.name, pair, topology.health_check_port_of(site))


def _settings(site: str, pair: HaPair, port: int) -> HaPairSettings:
    check = pair.health_check or HealthCheck()

    def parameters(mode: HaMode, own: Unit, other: Unit) -> HaParameters:
        return HaParameters(
            address=own.address,
            mode=mode,
            preferred_host=pair.preferred_host,
            partner=other.address,
            health_check_port=port,
            all_interfaces=check.all_interfaces,
        )

    return HaPairSettings(
        site=site,
        master=parameters("master", pair.master, pair.slave),
        slave=parameters("slave", pair.slave, pair.master),
        health_check=HealthCheckTiming(
            port=port,
            interval_seconds=check.interval_seconds,
            healthy_threshold=check.healthy_threshold,
            unhealthy_threshold=check.unhealthy_threshold,
            in_service_seconds=check.interval_seconds * check.healthy_threshold,
            out_of_service_seconds=check.interval_seconds * check.unhealthy_threshold,
        ),
        load_balancer=_load_balancer(pair, pair.aws) if pair.aws else None,
    )


def _load_balancer(pair: HaPair, aws: Aws) -> LoadBalancer:
    listeners = tuple(map(_listener, aws.listeners))
    return LoadBalancer(
        region=aws.region,
        vpc_id=aws.vpc_id,
        scheme=aws.scheme,
        subnets=tuple(PlannedSubnet(**subnet.model_dump()) for subnet in aws.subnets),
        listeners=listeners,
        target_groups=tuple(dict.fromkeys(listener.target for listener in listeners)),
        instances=(pair.master.instance_id, pair.slave.instance_id),
        tags=aws.tags,
    )


def _listener(listener: Listener) -> PlannedListener:
    """Return a listener with the target group that it passes on to: as it takes it, and what was TLS by TCP."""
    as_taken = "TCP" if listener.protocol == "TLS" else listener.protocol
    return PlannedListener(
        protocol=listener.protocol,
        port=listener.port,
        target=TargetGroup(protocol=listener.target_protocol or as_taken, port=listener.target_port or listener.port),
        certificate_arn=listener.certificate_arn,
    )


def written(parameters: HaParameters) -> tuple[str, ...]:
    """Return what is entered of a unit's HA parameters, in the order of the fields."""
    return (
        parameters.mode,
        parameters.preferred_host,
        parameters.partner,
        str(parameters.health_check_port),
        "yes" if parameters.all_interfaces else "no",
    )
