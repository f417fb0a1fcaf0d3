"""What HA and the load balancer in front of a pair do not bear (sections 6.1 and 6.2.1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from geoplan.topology.finding import Finding
from geoplan.topology.types import ACM_ARN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.topology.partial import PartialService, PartialSite, PartialTopology, Text

SYNC_PORT = 6973  # between the units of a pair (section 6)
SSH_PORT = 22  # between GEO partners, and for the checks of Remote LM clusters

# What a target group can be for a listener (Elastic Load Balancing, listeners for Network Load Balancers).
TARGETS_OF_LISTENER = {
    "TCP": ("TCP", "TCP_UDP"),
    "TLS": ("TCP", "TLS"),
    "UDP": ("UDP", "TCP_UDP"),
    "TCP_UDP": ("TCP_UDP",),
}


def single_subnet(outline: PartialTopology) -> Iterator[Finding]:
    """Find load balancers in one subnet only."""
    for site in outline.sites:
        if site.balancer and len(site.balancer.subnets) == 1:
            message = f"the load balancer of {site.label} is in one subnet: with that zone, the whole pair is gone"
            hint = "put the units into two zones, and name a subnet of each"
            yield Finding((*site.balancer.loc, "subnets"), message, hint, at_key=True)


def no_elastic_ip(outline: PartialTopology) -> Iterator[Finding]:
    """Find internet-facing load balancers with a subnet that has no Elastic IP."""
    for site in outline.sites:
        if site.balancer and site.balancer.scheme == "internet-facing":
            for subnet in site.balancer.subnets:
                if subnet.subnet_id and not subnet.allocation_id:
                    message = f"the load balancer of {site.label} has no Elastic IP in {subnet.subnet_id.text}"
                    hint = "allocate one and write allocation_id: eipalloc-…, so that its address stays"
                    yield Finding(subnet.loc, message, hint)


def service_on_health_check_port(outline: PartialTopology) -> Iterator[Finding]:
    """Find virtual services of pairs on the port of the health check."""
    for site, service, port in _services(outline):
        if _is_pair(site) and port == site.health_check_port:
            message = f"{service.label} of {site.label} takes port {port}, where the pair answers the health check"
            hint = "give the service another port, or the health check: health_check: {port: …}"
            yield Finding(_place(service), message, hint)


def service_on_sync_port(outline: PartialTopology) -> Iterator[Finding]:
    """Find TCP services of pairs on the port over which their units synchronise."""
    for site, service, port in _services(outline):
        if _is_pair(site) and service.protocol == "tcp" and port == SYNC_PORT:
            message = f"{service.label} takes TCP {SYNC_PORT}, over which the units of {site.label} synchronise"
            yield Finding(_place(service), message, "give the service another port")


def service_on_ssh_port(outline: PartialTopology) -> Iterator[Finding]:
    """Find TCP services on port 22 of a unit's own address."""
    for site, service, port in _services(outline):
        own = {unit.address.address for unit in site.units if unit.address}
        on_unit = service.address is None or service.address.address in own
        if on_unit and service.protocol == "tcp" and port == SSH_PORT:
            message = f"{service.label} takes TCP {SSH_PORT} on a unit of {site.label}, where partners reach it by SSH"
            yield Finding(_place(service), message, "give the service another port, or an address of its own")


def tls_without_certificate(outline: PartialTopology) -> Iterator[Finding]:
    """Find TLS listeners that name no certificate."""
    for site in outline.sites:
        for listener in site.balancer.listeners if site.balancer else ():
            if listener.protocol and listener.protocol.text == "TLS" and not listener.has_certificate:
                message = f"a TLS listener of {site.label} has no certificate"
                hint = "add certificate_arn: arn:aws:acm:…, or make it a TCP listener"
                yield Finding(listener.protocol.loc, message, hint)


def internal_with_elastic_ip(outline: PartialTopology) -> Iterator[Finding]:
    """Find internal load balancers with an Elastic IP."""
    for site in outline.sites:
        for subnet in site.balancer.subnets if site.balancer and site.balancer.scheme == "internal" else ():
            if subnet.allocation_id:
                message = f"the load balancer of {site.label} is internal, and cannot have an Elastic IP"
                hint = "take the allocation_id out, or write scheme: internet-facing"
                yield Finding(subnet.allocation_id.loc, message, hint)


def listeners_clash(outline: PartialTopology) -> Iterator[Finding]:
    """Find listeners of one load balancer on one port."""
    for site in outline.sites:
        taken: dict[int, str] = {}
        for listener in site.balancer.listeners if site.balancer else ():
            if listener.port is None:
                continue
            port, protocol = listener.port.value, listener.protocol.text if listener.protocol else "its"
            if port in taken:
                message = f"two listeners of {site.label} take port {port}: {taken[port]} and {protocol}"
                both = {taken[port], protocol} == {"TCP", "UDP"}
                hint = "write one listener with protocol: TCP_UDP" if both else "give each its own port"
                yield Finding(listener.port.loc, message, hint)
            taken.setdefault(port, protocol)


def certificate_without_tls(outline: PartialTopology) -> Iterator[Finding]:
    """Find certificates of listeners that show none."""
    for site in outline.sites:
        for listener in site.balancer.listeners if site.balancer else ():
            if listener.certificate and listener.protocol and listener.protocol.text != "TLS":
                message = f"a {listener.protocol.text} listener of {site.label} has a certificate, which it cannot show"
                yield Finding(listener.certificate.loc, message, "take it out, or write protocol: TLS")


def aws_id_used_twice(outline: PartialTopology) -> Iterator[Finding]:
    """Find instances and Elastic IPs that are named twice, and subnets that one load balancer names twice."""
    users: dict[str, str] = {}
    for site in outline.sites:
        for unit in site.units:
            yield from _second_use(unit.instance_id, users, f"a unit of {site.label}")
        own_subnets: dict[str, str] = {}
        for subnet in site.balancer.subnets if site.balancer else ():
            yield from _second_use(subnet.allocation_id, users, f"a subnet of {site.label}")
            yield from _second_use(subnet.subnet_id, own_subnets, f"the load balancer of {site.label}")


def certificate_of_another_region(outline: PartialTopology) -> Iterator[Finding]:
    """Find certificates of a region in which the load balancer is not."""
    for site in outline.sites:
        for listener in site.balancer.listeners if site.balancer else ():
            arn = re.fullmatch(ACM_ARN, listener.certificate.text) if listener.certificate else None
            region = site.balancer.region if site.balancer else None
            if listener.certificate and arn and region and arn["region"] != region.text:
                message = (
                    f"the certificate is of {arn['region']}, and the load balancer of {site.label} of {region.text}"
                )
                yield Finding(listener.certificate.loc, message, "name a certificate of the load balancer's region")


def target_does_not_fit(outline: PartialTopology) -> Iterator[Finding]:
    """Find listeners that cannot pass on what they take in the protocol that they name."""
    for site in outline.sites:
        for listener in site.balancer.listeners if site.balancer else ():
            if listener.protocol is None or listener.target_protocol is None:
                continue
            protocol, target = listener.protocol.text, listener.target_protocol.text
            fitting = TARGETS_OF_LISTENER.get(protocol)
            if fitting and any(target in targets for targets in TARGETS_OF_LISTENER.values()) and target not in fitting:
                message = f"a {protocol} listener of {site.label} cannot pass on to the units by {target}"
                yield Finding(listener.target_protocol.loc, message, f"write target_protocol: {' or '.join(fitting)}")


def target_on_port_of_ha(outline: PartialTopology) -> Iterator[Finding]:
    """Find listeners that pass clients on to a TCP port at which the units serve HA or GEO."""
    for site in outline.sites:
        needed = {SYNC_PORT: "synchronisation", SSH_PORT: "GEO over SSH"}
        if site.health_check_port:
            needed[site.health_check_port] = "the health check"
        for listener in site.balancer.listeners if site.balancer else ():
            target, protocol = listener.target_port or listener.port, listener.target_protocol or listener.protocol
            if target and target.value in needed and protocol and protocol.text != "UDP":
                what = needed[target.value]
                message = f"a listener of {site.label} passes clients on to TCP {target.value}, which is for {what}"
                yield Finding(target.loc, message, "name the port of a virtual service as target_port")


def _services(outline: PartialTopology) -> Iterator[tuple[PartialSite, PartialService, int]]:
    for site in outline.sites:
        for service in site.virtual_services:
            if service.port:
                yield site, service, service.port.value


def _place(service: PartialService) -> tuple[str | int, ...]:
    return service.port.loc if service.port else service.loc


def _is_pair(site: PartialSite) -> bool:
    return "ha_pair" in site.kinds


def _second_use(written: Text | None, users: dict[str, str], user: str) -> Iterator[Finding]:
    if written is None:
        return
    if written.text in users:
        message = f"{written.text} is named twice: {users[written.text]} has it already"
        yield Finding(written.loc, message, "name each once, where it belongs")
    users.setdefault(written.text, user)
