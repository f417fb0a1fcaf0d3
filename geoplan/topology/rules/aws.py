"""Rules for the Network Load Balancer in front of a pair (section 6.1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from geoplan.topology.finding import BALANCING, DOCUMENT, WARNING, Finding, rule
from geoplan.topology.types import ACM_ARN
from geoplan.vendor import SSH_PORT, SYNC_PORT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.topology.partial import PartialSite, PartialTopology, Text, Value

# What a target group can be for a listener (Elastic Load Balancing, listeners for Network Load Balancers).
TARGETS_OF_LISTENER = {
    "TCP": ("TCP", "TCP_UDP"),
    "TLS": ("TCP", "TLS"),
    "UDP": ("UDP", "TCP_UDP"),
    "TCP_UDP": ("TCP_UDP",),
}


def _balancers(topology: PartialTopology) -> Iterator[tuple[PartialSite, Value]]:
    yield from ((site, site.balancer) for site in topology.sites if site.balancer)


def _subnets(topology: PartialTopology, scheme: str) -> Iterator[tuple[PartialSite, Value]]:
    """Yield the subnets of load balancers of one scheme, with the site of each."""
    for site, balancer in _balancers(topology):
        if balancer.mapping.get("scheme", "internet-facing") == scheme:
            yield from ((site, subnet) for subnet in balancer.key("subnets").items())


def _listeners(topology: PartialTopology) -> Iterator[tuple[PartialSite, Value]]:
    yield from ((site, each) for site, balancer in _balancers(topology) for each in balancer.key("listeners").items())


@rule(
    "GEO506",
    "An internet-facing load balancer has no Elastic IP",
    severity=WARNING,
    why="Without one its address is AWS's to choose, and changes when the load balancer is made again.",
    source=f"{DOCUMENT}, 6.1",
)
def no_elastic_ip(topology: PartialTopology) -> Iterator[Finding]:
    for site, subnet in _subnets(topology, "internet-facing"):
        subnet_id = subnet.key("subnet_id").text()
        if subnet_id and not subnet.key("allocation_id").text():
            message = f"the load balancer of {site.label} has no Elastic IP in {subnet_id.text}"
            hint = "allocate one and write allocation_id: eipalloc-…, so that its address stays"
            yield Finding(subnet.loc, message, hint)


@rule(
    "GEO507",
    "A load balancer is in one subnet only",
    severity=WARNING,
    why="A subnet lies in one zone, and a pair in one zone is lost with it.",
    source=f"{DOCUMENT}, 6.1",
)
def single_subnet(topology: PartialTopology) -> Iterator[Finding]:
    for site, balancer in _balancers(topology):
        if len(list(balancer.key("subnets").items())) == 1:
            message = f"the load balancer of {site.label} is in one subnet: with that zone, the whole pair is gone"
            hint = "put the units into two zones, and name a subnet of each"
            yield Finding((*balancer.loc, "subnets"), message, hint, at_key=True)


@rule(
    "GEO704",
    "A TLS listener without a certificate",
    why="The load balancer ends TLS itself and has to show one; AWS makes no such listener without it.",
    source=f"{DOCUMENT}, 6.1",
)
def tls_without_certificate(topology: PartialTopology) -> Iterator[Finding]:
    for site, listener in _listeners(topology):
        protocol = listener.key("protocol").text()
        if protocol and protocol.text == "TLS" and "certificate_arn" not in listener.mapping:
            message = f"a TLS listener of {site.label} has no certificate"
            hint = "add certificate_arn: arn:aws:acm:…, or make it a TCP listener"
            yield Finding(protocol.loc, message, hint)


@rule(
    "GEO705",
    "An Elastic IP on an internal load balancer",
    why="An internal one has no public address to put it on, and AWS refuses to make it.",
    source=f"{DOCUMENT}, 6.1",
)
def internal_with_elastic_ip(topology: PartialTopology) -> Iterator[Finding]:
    for site, subnet in _subnets(topology, "internal"):
        if elastic_ip := subnet.key("allocation_id").text():
            message = f"the load balancer of {site.label} is internal, and cannot have an Elastic IP"
            yield Finding(elastic_ip.loc, message, "take the allocation_id out, or write scheme: internet-facing")


@rule(
    "GEO706",
    "Two listeners on one port",
    why="A load balancer has one listener a port; TCP and UDP on one port are one listener of TCP_UDP.",
    source=BALANCING,
)
def listeners_clash(topology: PartialTopology) -> Iterator[Finding]:
    for site, balancer in _balancers(topology):
        taken: dict[int, str] = {}
        for listener in balancer.key("listeners").items():
            port, written = listener.key("port").number(), listener.key("protocol").text()
            if port is None:
                continue
            protocol = written.text if written else "its"
            if port.value in taken:
                first = taken[port.value]
                message = f"two listeners of {site.label} take port {port.value}: {first} and {protocol}"
                both = {first, protocol} == {"TCP", "UDP"}
                hint = "write one listener with protocol: TCP_UDP" if both else "give each its own port"
                yield Finding(port.loc, message, hint)
            taken.setdefault(port.value, protocol)


@rule(
    "GEO707",
    "A certificate that no one is shown",
    why="Only a TLS listener shows a certificate: either the protocol or the certificate is a slip.",
    source=BALANCING,
)
def certificate_without_tls(topology: PartialTopology) -> Iterator[Finding]:
    for site, listener in _listeners(topology):
        certificate, protocol = listener.key("certificate_arn").text(), listener.key("protocol").text()
        if certificate and protocol and protocol.text != "TLS":
            message = f"a {protocol.text} listener of {site.label} has a certificate, which it cannot show"
            yield Finding(certificate.loc, message, "take it out, or write protocol: TLS")


@rule(
    "GEO708",
    "An identifier of AWS is used twice",
    why="An instance is one unit and an Elastic IP has one place, so one of the two is a slip.",
    source=BALANCING,
)
def aws_id_used_twice(topology: PartialTopology) -> Iterator[Finding]:
    users: dict[str, str] = {}
    for site in topology.sites:
        for unit in site.units:
            yield from _second_use(unit.instance_id, users, f"a unit of {site.label}")
        own_subnets: dict[str, str] = {}
        for subnet in site.balancer.key("subnets").items() if site.balancer else ():
            yield from _second_use(subnet.key("allocation_id").text(), users, f"a subnet of {site.label}")
            yield from _second_use(subnet.key("subnet_id").text(), own_subnets, f"the load balancer of {site.label}")


def _second_use(written: Text | None, users: dict[str, str], user: str) -> Iterator[Finding]:
    if written is None:
        return
    if written.text in users:
        message = f"{written.text} is named twice: {users[written.text]} has it already"
        yield Finding(written.loc, message, "name each once, where it belongs")
    users.setdefault(written.text, user)


@rule(
    "GEO709",
    "A certificate of another region",
    why="A load balancer takes certificates of its own region only.",
    source=BALANCING,
)
def certificate_of_another_region(topology: PartialTopology) -> Iterator[Finding]:
    for site, balancer in _balancers(topology):
        region = balancer.key("region").text()
        for listener in balancer.key("listeners").items() if region else ():
            certificate = listener.key("certificate_arn").text()
            arn = re.fullmatch(ACM_ARN, certificate.text) if certificate else None
            if certificate and arn and region and arn["region"] != region.text:
                places = f"{arn['region']}, and the load balancer of {site.label} of {region.text}"
                hint = "name a certificate of the load balancer's region"
                yield Finding(certificate.loc, f"the certificate is of {places}", hint)


@rule(
    "GEO710",
    "A target that its listener cannot have",
    why="What a listener takes can be passed on in certain protocols only; AWS refuses the others.",
    source=BALANCING,
)
def target_does_not_fit(topology: PartialTopology) -> Iterator[Finding]:
    for site, listener in _listeners(topology):
        protocol, target = listener.key("protocol").text(), listener.key("target_protocol").text()
        fitting = TARGETS_OF_LISTENER.get(protocol.text) if protocol else None
        if protocol and target and fitting and target.text in TARGETS_OF_LISTENER and target.text not in fitting:
            message = f"a {protocol.text} listener of {site.label} cannot pass on to the units by {target.text}"
            yield Finding(target.loc, message, f"write target_protocol: {' or '.join(fitting)}")


@rule(
    "GEO711",
    "A listener that passes clients on to a port of HA",
    why="No virtual service may stand on these ports, so clients would reach HA itself, or partners' SSH.",
    source=f"{DOCUMENT}, 6.2.1",
)
def target_on_port_of_ha(topology: PartialTopology) -> Iterator[Finding]:
    for site, listener in _listeners(topology):
        needed = {SYNC_PORT: "synchronisation", SSH_PORT: "GEO over SSH"}
        if site.health_check_port:
            needed[site.health_check_port] = "the health check"
        target = listener.key("target_port").number() or listener.key("port").number()
        protocol = listener.key("target_protocol").text() or listener.key("protocol").text()
        if target and target.value in needed and protocol and protocol.text != "UDP":
            what = needed[target.value]
            message = f"a listener of {site.label} passes clients on to TCP {target.value}, which is for {what}"
            yield Finding(target.loc, message, "name the port of a virtual service as target_port")
