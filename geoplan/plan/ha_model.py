"""What makes two units an HA pair in AWS: its load balancer, its HA parameters and the time of its health check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from geoplan.plan.base import FrozenModel

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
