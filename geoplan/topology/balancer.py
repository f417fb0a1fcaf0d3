"""What stands in front of an HA pair in AWS: the Network Load Balancer and its health check (sections 2 and 6.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from geoplan.topology.base import FrozenModel
from geoplan.topology.values import (
    AllocationId,
    CertificateArn,
    CheckInterval,
    Port,
    Region,
    SubnetId,
    TagKey,
    TagValue,
    Threshold,
    VpcId,
)

ListenerProtocol = Literal["TCP", "UDP", "TCP_UDP", "TLS"]


class HealthCheck(FrozenModel):
    """How the load balancer asks a pair's units which of them is active (section 6.1)."""

    port: Port | None = Field(default=None, description="Default: the topology's health_check_port.")
    all_interfaces: bool = Field(
        default=False, description="Whether units answer it on every interface, as a multi-arm setup needs (6.2)."
    )
    interval_seconds: CheckInterval = Field(default=10, description="From one check to the next.")
    healthy_threshold: Threshold = Field(default=2, description="Checks that succeed until a unit is in service.")
    unhealthy_threshold: Threshold = Field(default=2, description="Checks that fail until a unit is out of service.")

    @property
    def in_service_seconds(self) -> int:
        """How long it takes at least until a healthy unit gets traffic (section 2)."""
        return self.interval_seconds * self.healthy_threshold

    @property
    def out_of_service_seconds(self) -> int:
        """How long it takes at least until a failed unit gets no more traffic (section 2)."""
        return self.interval_seconds * self.unhealthy_threshold


class Subnet(FrozenModel):
    """Where the load balancer has a node, and the Elastic IP of that node."""

    subnet_id: SubnetId
    allocation_id: AllocationId | None = Field(default=None, description="The Elastic IP's; internet-facing only.")


class Listener(FrozenModel):
    """What the load balancer takes from clients, and how it passes it on to the units."""

    protocol: ListenerProtocol
    port: Port
    target_protocol: ListenerProtocol | None = Field(
        default=None, description="How it goes on to the units; default: as it came, and TCP for TLS."
    )
    target_port: Port | None = Field(default=None, description="Default: the listener's port.")
    certificate_arn: CertificateArn | None = Field(default=None, description="What a TLS listener shows to clients.")

    @property
    def target(self) -> tuple[ListenerProtocol, int]:
        """The protocol and port that the units get it on."""
        protocol: ListenerProtocol = "TCP" if self.protocol == "TLS" else self.protocol
        return self.target_protocol or protocol, self.target_port or self.port


class Aws(FrozenModel):
    """The Network Load Balancer of a pair, and where in AWS it stands (section 6.1)."""

    region: Region
    vpc_id: VpcId
    scheme: Literal["internet-facing", "internal"] = "internet-facing"
    subnets: tuple[Subnet, ...] = Field(min_length=1)
    listeners: tuple[Listener, ...] = Field(min_length=1)
    tags: Mapping[TagKey, TagValue] = Field(default_factory=dict)
