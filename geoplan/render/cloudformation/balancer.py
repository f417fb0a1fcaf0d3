"""The load balancer, its target groups and its listeners (section 6.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.aws import fits_tag
from geoplan.render.cloudformation.yaml import Entry, GetAtt, OneLine, Ref
from geoplan.vendor import ACTIVE_CODE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.plan.pairs import PlannedListener, PlannedSubnet, TargetGroup
    from geoplan.render.cloudformation.pairs import BalancedPair

BALANCER = "Balancer"
BALANCER_GROUP = "BalancerSecurityGroup"
HEALTH_CHECK_PATH = "/"  # section 6.1
DEFAULT_TIMEOUT_SECONDS = 6  # of health checks by HTTP (Elastic Load Balancing)

# TLS 1.3, and 1.2 with forward secrecy alone: what the console of AWS suggests. CloudFormation's default is of 2016.
TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"

CROSS_ZONE = "One unit alone is active, in one zone. Across zones, the addresses of the other zones lead to it as well."
TARGET_GROUP = (
    "Section 6.1. Only the active unit answers the health check with 200, the standby with 503: clients get to the "
    "active unit alone."
)


def balancer(pair: BalancedPair) -> Iterator[Entry]:
    """Yield the load balancer, a target group for each distinct protocol and port of targets, and the listeners."""
    yield Entry(pair.id(BALANCER), _resource("LoadBalancer", _balancer_properties(pair)), CROSS_ZONE)
    for number, target in enumerate(pair.balancer.target_groups):
        properties = _target_group_properties(pair, target)
        comment = None if number else TARGET_GROUP
        yield Entry(target_group_id(pair, target), _resource("TargetGroup", properties), comment)
    for listener in pair.balancer.listeners:
        properties = _listener_properties(pair, listener)
        yield Entry(pair.id(f"Listener{name_of(listener.protocol, listener.port)}"), _resource("Listener", properties))


def outputs(pair: BalancedPair) -> Iterator[Entry]:
    """Yield what DNS records and other stacks need to know."""
    yield _output(
        pair.id("BalancerDnsName"), "The load balancer's name in DNS.", GetAtt(f"{pair.id(BALANCER)}.DNSName")
    )
    yield _output(
        pair.id("BalancerHostedZoneId"),
        "The zone of that name, for alias records in Route 53.",
        GetAtt(f"{pair.id(BALANCER)}.CanonicalHostedZoneID"),
    )
    for target in pair.balancer.target_groups:
        group = target_group_id(pair, target)
        yield _output(f"{group}Arn", f"The target group of {target.protocol} {target.port}.", Ref(group))


def tags(pair: BalancedPair) -> list[OneLine]:
    """Return the tags of what belongs to a pair: its own, and a Name unless they have one."""
    name = "".join(mark if fits_tag(mark) else "-" for mark in pair.site)
    named = {"Name": name, **pair.balancer.tags}
    return [OneLine(Key=key, Value=value) for key, value in named.items()]


def target_group_id(pair: BalancedPair, target: TargetGroup) -> str:
    """Return the logical id of a target group."""
    return pair.id(f"TargetGroup{name_of(target.protocol, target.port)}")


def name_of(protocol: str, port: int) -> str:
    """Return how a protocol and port are written in logical ids."""
    return f"{protocol.title().replace('_', '')}{port}"


def _balancer_properties(pair: BalancedPair) -> dict[str, object]:
    attributes = [OneLine(Key="load_balancing.cross_zone.enabled", Value="true")]
    properties: dict[str, object] = {
        "Type": "network",
        "Scheme": pair.balancer.scheme,
        "SubnetMappings": [_subnet_mapping(subnet) for subnet in pair.balancer.subnets],
        "SecurityGroups": [GetAtt(f"{pair.id(BALANCER_GROUP)}.GroupId")],
    }
    if pair.over_ipv6:
        properties["IpAddressType"] = "dualstack"
        if any("UDP" in listener.protocol for listener in pair.balancer.listeners):
            properties["EnablePrefixForIpv6SourceNat"] = "on"
    return {**properties, "LoadBalancerAttributes": attributes, "Tags": tags(pair)}


def _subnet_mapping(subnet: PlannedSubnet) -> OneLine:
    mapping = OneLine(SubnetId=subnet.subnet_id)
    if subnet.allocation_id:
        mapping["AllocationId"] = subnet.allocation_id
    return mapping


def _target_group_properties(pair: BalancedPair, target: TargetGroup) -> dict[str, object]:
    check = pair.check
    properties: dict[str, object] = {"VpcId": pair.balancer.vpc_id, "TargetType": "instance"}
    if pair.over_ipv6:
        properties["IpAddressType"] = "ipv6"
    properties |= {
        "Protocol": target.protocol,
        "Port": target.port,
        "HealthCheckProtocol": "HTTP",
        "HealthCheckPath": HEALTH_CHECK_PATH,
        "HealthCheckPort": str(check.port),
        "HealthyThresholdCount": check.healthy_threshold,
        "UnhealthyThresholdCount": check.unhealthy_threshold,
        "HealthCheckIntervalSeconds": check.interval_seconds,
    }
    if check.interval_seconds <= DEFAULT_TIMEOUT_SECONDS:  # a check ends before the next begins
        properties["HealthCheckTimeoutSeconds"] = check.interval_seconds - 1
    properties["Matcher"] = OneLine(HttpCode=str(ACTIVE_CODE))
    properties["Targets"] = [OneLine(Id=instance, Port=target.port) for instance in pair.instances.values()]
    if "UDP" not in target.protocol:  # with UDP it is always so, and cannot be set
        properties["TargetGroupAttributes"] = [OneLine(Key="preserve_client_ip.enabled", Value="true")]
    return {**properties, "Tags": tags(pair)}


def _listener_properties(pair: BalancedPair, listener: PlannedListener) -> dict[str, object]:
    group = Ref(target_group_id(pair, listener.target))
    properties: dict[str, object] = {
        "LoadBalancerArn": Ref(pair.id(BALANCER)),
        "Protocol": listener.protocol,
        "Port": listener.port,
    }
    if listener.protocol == "TLS":
        properties["SslPolicy"] = TLS_POLICY
        properties["Certificates"] = [OneLine(CertificateArn=listener.certificate_arn)]
    return {**properties, "DefaultActions": [OneLine(Type="forward", TargetGroupArn=group)]}


def _resource(kind: str, properties: dict[str, object]) -> dict[str, object]:
    return {"Type": f"AWS::ElasticLoadBalancingV2::{kind}", "Properties": properties}


def _output(name: str, meaning: str, value: object) -> Entry:
    return Entry(name, {"Description": meaning, "Value": value})
