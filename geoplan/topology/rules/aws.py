"""Rules for the Network Load Balancer in front of a pair (section 6.1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from geoplan.aws import LISTENERS, REGION, TAGS, fits_tag, partition_of
from geoplan.diagnostics import presentable
from geoplan.topology.finding import BALANCING, DOCUMENT, WARNING, Finding, rule
from geoplan.topology.types import ACM_ARN, IAM_ARN
from geoplan.vendor import SSH_PORT, SYNC_PORT
from geoplan.wording import shorten

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
    "GEO509",
    "A load balancer with more listeners than AWS makes by default",
    severity=WARNING,
    why="Unless AWS has raised the quota of your account, it makes so many listeners and refuses the next one.",
    source=LISTENERS.source,
)
def many_listeners(topology: PartialTopology) -> Iterator[Finding]:
    for site, balancer in _balancers(topology):
        listeners = list(balancer.key("listeners").items())
        if len(listeners) > LISTENERS.most:
            message = f"the load balancer of {site.label} has {len(listeners)} listeners; the default quota of AWS is "
            hint = "see Service Quotas in your account, or make a second pair for some of them"
            yield Finding(listeners[LISTENERS.most].loc, f"{message}{LISTENERS.most}", hint)


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
        if region is None or not re.fullmatch(REGION, region.text):
            continue
        own = {"region": region.text, "partition": partition_of(region.text).name}
        for listener in balancer.key("listeners").items():
            certificate = listener.key("certificate_arn").text()
            arn = _arn(certificate.text) if certificate else {}
            other = next((kind for kind in arn if arn[kind] != own[kind]), None)
            if certificate and other:
                places = f"{other} {arn[other]}, and the load balancer of {site.label} of {own[other]}"
                hint = f"name a certificate of the load balancer's {other}"
                yield Finding(certificate.loc, f"the certificate is of {places}", hint)


def _arn(certificate: str) -> dict[str, str]:
    """Return the region and the partition that the ARN of a certificate names; those of IAM name no region."""
    found = re.fullmatch(ACM_ARN, certificate) or re.fullmatch(IAM_ARN, certificate)
    return found.groupdict() if found else {}


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
    "A listener that passes clients on to a port that the units need",
    why="No virtual service may be on these ports: clients would reach HA itself, partners' SSH or the web interface.",
    source=f"{DOCUMENT}, 6.2.1",
)
def target_on_port_of_units(topology: PartialTopology) -> Iterator[Finding]:
    for site, listener in _listeners(topology):
        needed = dict.fromkeys(map(site.api_port_on, site.units), "the API and the web interface") | {
            SYNC_PORT: "synchronisation",
            SSH_PORT: "GEO over SSH",
            site.health_check_port: "the health check",
        }
        target = listener.key("target_port").number() or listener.key("port").number()
        protocol = listener.key("target_protocol").text() or listener.key("protocol").text()
        if target and target.value in needed and protocol and protocol.text != "UDP":
            what = needed[target.value]
            message = f"a listener of {site.label} passes clients on to TCP {target.value}, which is for {what}"
            yield Finding(target.loc, message, "name the port of a virtual service as target_port")


@rule(
    "GEO714",
    "Tags that AWS does not take",
    why="One of them is enough for AWS to make neither the load balancer nor its target groups.",
    source=f"{BALANCING}, Tag; {TAGS.source}",
)
def tags_that_aws_refuses(topology: PartialTopology) -> Iterator[Finding]:
    for site, balancer in _balancers(topology):
        tags = balancer.key("tags")
        count = len(tags.mapping.keys() | {"Name"})
        if count > TAGS.most:
            name = "" if "Name" in tags.mapping else ", the Name that geoplan adds included"
            message = f"the load balancer of {site.label} has {count} tags{name}; AWS takes {TAGS.most}"
            yield Finding(tags.loc, message, "take some out", at_key=True)
        for key in tags.mapping:
            for text, at_key in ((key, True), (tags.mapping[key], False)):
                wrong = next((mark for mark in text if not fits_tag(mark)), None) if isinstance(text, str) else None
                if wrong:
                    tag = presentable(shorten(str(key)))
                    message = f"the tag '{tag}' of {site.label} has {wrong!r} in it, which AWS refuses"
                    hint = "write it with letters, digits, spaces and _ . : / = + - @ alone"
                    yield Finding((*tags.loc, str(key)), message, hint, at_key)
