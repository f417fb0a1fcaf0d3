"""The template deployed, against moto: what boto3 reads back has the values of section 6.1.

moto's balancers know ``Subnets`` alone, no Elastic IPs and no hosted zone, and it makes no rules for what leaves a
group: the variant that is deployed does without them. Its CloudFormation also passes over a balancer's type, and its
listeners then refuse TCP: so all balancers are made network ones. What it cannot show is checked in the template.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import yaml

from geoplan import Topology, load_topology
from geoplan.render import cloudformation
from tests.conftest import TOPOLOGIES
from tests.render.templates import read

pytestmark = pytest.mark.skipif(sys.version_info >= (3, 15), reason="moto needs cfn-lint, which takes no Python 3.15")

EXAMPLE = (TOPOLOGIES / "aws-dublin-ohio.yaml").read_text()


class Region(NamedTuple):
    """A region of moto's, with what stands in it before a deployment."""

    name: str
    ec2: Any
    elbv2: Any
    stacks: Any
    vpc: str
    subnets: tuple[str, str]
    groups: tuple[str, str]
    certificate: str


@pytest.fixture(scope="module")
def amazon() -> Iterator[None]:
    """Let boto3 find moto in this process, and no credentials, profile or endpoint of whoever runs the tests."""
    from moto import mock_aws
    from moto.elbv2.models import ELBv2Backend

    create = ELBv2Backend.create_load_balancer

    def create_network(self: Any, *arguments: Any, **named: Any) -> Any:
        return create(self, *arguments, **{"loadbalancer_type": "network", **named})

    with pytest.MonkeyPatch.context() as patched:
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "AWS_DEFAULT_PROFILE"):
            patched.delenv(name, raising=False)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patched.setenv(name, "testing")
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            patched.setenv(name, "/dev/null")
        patched.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patched.setattr(ELBv2Backend, "create_load_balancer", create_network)
        with mock_aws():
            yield


@pytest.fixture(scope="module")
def dublin(amazon: None) -> tuple[Region, dict[str, Any]]:
    """Deploy Dublin once, for tests that only look."""
    there = region("eu-west-1")
    return there, deployed(there, "Dublin")


def region(name: str) -> Region:
    import boto3

    ec2, elbv2, stacks = (boto3.client(service, region_name=name) for service in ("ec2", "elbv2", "cloudformation"))
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{name}{zone}")["Subnet"]
        for number, zone in enumerate("ab", start=1)
    ]
    groups = [
        ec2.create_security_group(GroupName=role, Description=role, VpcId=vpc)["GroupId"]
        for role in ("master", "slave")
    ]
    one, other = (subnet["SubnetId"] for subnet in subnets)
    acm = boto3.client("acm", region_name=name)
    certificate = acm.request_certificate(DomainName="shop.example.com")["CertificateArn"]
    return Region(name, ec2, elbv2, stacks, vpc, (one, other), (groups[0], groups[1]), certificate)


def example_in(there: Region, site: str) -> Topology:
    """Return the example with a site's VPC, subnets and certificate as moto has them."""

    document = yaml.safe_load(EXAMPLE)
    (aws,) = [each["ha_pair"]["aws"] for each in document["sites"] if each["name"] == site]
    aws["region"], aws["vpc_id"] = there.name, there.vpc
    for subnet, made in zip(aws["subnets"], there.subnets, strict=True):
        subnet["subnet_id"] = made
    for listener in aws["listeners"]:
        if "certificate_arn" in listener:
            listener["certificate_arn"] = there.certificate
    return Topology.model_validate(document)


def for_moto(text: str) -> str:
    """Return the variant of a template that moto understands."""
    import json

    template = read(text)
    kept = {
        name: _with_plain_subnets(body) if body["Type"].endswith("LoadBalancer") else body
        for name, body in template["Resources"].items()
        if not body["Type"].endswith("SecurityGroupEgress")
    }
    outputs = {name: body for name, body in template["Outputs"].items() if "HostedZone" not in name}
    return json.dumps({**template, "Resources": kept, "Outputs": outputs})


def _with_plain_subnets(balancer: dict[str, Any]) -> dict[str, Any]:
    properties = dict(balancer["Properties"])
    mappings = properties.pop("SubnetMappings")
    return {**balancer, "Properties": {**properties, "Subnets": [each["SubnetId"] for each in mappings]}}


def deployed(there: Region, site: str, **given: str) -> dict[str, Any]:
    """Deploy a site's template with the units' groups and ranges, and return what to deploy it with again."""
    values = {
        "MasterSecurityGroupId": there.groups[0],
        "SlaveSecurityGroupId": there.groups[1],
        "OperatorCidr": "198.51.100.0/24",
        "ClientCidr": "10.0.0.0/8",
        **given,
    }
    deployment = {
        "StackName": "geoplan",
        "TemplateBody": for_moto(cloudformation.render(example_in(there, site), site)),
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()],
    }
    there.stacks.create_stack(**deployment)
    (stack,) = there.stacks.describe_stacks(StackName="geoplan")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    return deployment


def rules_of(there: Region, *groups: str) -> list[tuple[Any, ...]]:
    """Return what groups let in: group, protocol, port, source."""
    described = there.ec2.describe_security_groups(GroupIds=list(groups))["SecurityGroups"]
    return sorted(
        (group["GroupId"], each["IpProtocol"], each["FromPort"], source)
        for group in described
        for each in group["IpPermissions"]
        for source in (
            *(found["CidrIp"] for found in each["IpRanges"]),
            *(found["CidrIpv6"] for found in each["Ipv6Ranges"]),
            *(found["GroupId"] for found in each["UserIdGroupPairs"]),
        )
    )


def balancer_of(there: Region) -> dict[str, Any]:
    (balancer,) = there.elbv2.describe_load_balancers()["LoadBalancers"]
    assert isinstance(balancer, dict)
    return balancer


def state_of(there: Region) -> dict[str, Any]:
    """Return everything that a deployment made, as AWS tells it."""
    balancer = balancer_of(there)
    return {
        "balancer": balancer,
        "target groups": there.elbv2.describe_target_groups()["TargetGroups"],
        "listeners": there.elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"],
        "rules": rules_of(there, *there.groups, *balancer["SecurityGroups"]),
        "resources": there.stacks.list_stack_resources(StackName="geoplan")["StackResourceSummaries"],
    }


def test_target_groups_are_as_section_6_1_sets_them_up(dublin: tuple[Region, dict[str, Any]]) -> None:
    there, _ = dublin
    groups = there.elbv2.describe_target_groups()["TargetGroups"]
    assert sorted((group["Protocol"], group["Port"]) for group in groups) == [("TCP", 80), ("TLS", 443), ("UDP", 53)]
    for group in groups:
        assert group["TargetType"] == "instance"
        assert group["VpcId"] == there.vpc
        assert group["HealthCheckProtocol"] == "HTTP"
        assert group["HealthCheckPath"] == "/"
        assert group["HealthCheckPort"] == "8444"
        assert group["HealthyThresholdCount"] == 2
        assert group["UnhealthyThresholdCount"] == 2
        assert group["HealthCheckIntervalSeconds"] == 10
        assert group["Matcher"] == {"HttpCode": "200"}


@pytest.mark.usefixtures("amazon")
def test_thresholds_of_a_pair_are_its_own() -> None:
    there = region("us-east-2")
    deployed(there, "Ohio")
    (group,) = there.elbv2.describe_target_groups()["TargetGroups"]
    assert (group["Protocol"], group["Port"], group["HealthCheckPort"]) == ("TCP", 443, "8444")
    assert (group["HealthCheckIntervalSeconds"], group["HealthyThresholdCount"]) == (20, 10)
    assert group["UnhealthyThresholdCount"] == 4
    assert balancer_of(there)["Scheme"] == "internal"


def test_listeners_forward_to_the_target_group_of_their_target(dublin: tuple[Region, dict[str, Any]]) -> None:
    there, _ = dublin
    balancer = balancer_of(there)
    target_groups = {
        group["TargetGroupArn"]: (group["Protocol"], group["Port"])
        for group in there.elbv2.describe_target_groups()["TargetGroups"]
    }
    listeners = there.elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    shown = {}
    for listener in listeners:
        (action,) = listener["DefaultActions"]
        assert action["Type"] == "forward"
        shown[listener["Protocol"], listener["Port"]] = target_groups[action["TargetGroupArn"]]
    assert shown == {("TCP", 80): ("TCP", 80), ("TLS", 443): ("TLS", 443), ("UDP", 53): ("UDP", 53)}
    (tls,) = [listener for listener in listeners if listener["Protocol"] == "TLS"]
    assert tls["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
    assert [each["CertificateArn"] for each in tls["Certificates"]] == [there.certificate]
    assert balancer["Scheme"] == "internet-facing"
    assert {zone["SubnetId"] for zone in balancer["AvailabilityZones"]} == set(there.subnets)


def expected_rules(group: str, other: str, balancer_group: str) -> list[tuple[Any, ...]]:
    """Return what a unit of Dublin lets in."""
    return [
        (group, "tcp", 6973, other),
        (group, "tcp", 8444, other),
        (group, "tcp", 8444, balancer_group),
        (group, "tcp", 22, "10.20.1.5/32"),
        (group, "tcp", 22, "10.20.2.5/32"),
        (group, "tcp", 22, "10.30.0.5/32"),
        (group, "tcp", 8443, "198.51.100.0/24"),
        (group, "tcp", 8444, "198.51.100.0/24"),
        (group, "tcp", 80, balancer_group),
        (group, "tcp", 443, balancer_group),
        (group, "udp", 53, balancer_group),
    ]


def test_units_of_two_groups_let_in_what_they_need(dublin: tuple[Region, dict[str, Any]]) -> None:
    there, _ = dublin
    (own,) = balancer_of(there)["SecurityGroups"]
    master, slave = there.groups
    assert rules_of(there, master, slave) == sorted(
        [*expected_rules(master, slave, own), *expected_rules(slave, master, own)]
    )
    assert rules_of(there, own) == sorted(
        [(own, "tcp", 80, "10.0.0.0/8"), (own, "tcp", 443, "10.0.0.0/8"), (own, "udp", 53, "10.0.0.0/8")]
    )


@pytest.mark.usefixtures("amazon")
def test_units_of_one_group_get_each_rule_once() -> None:
    there = region("eu-west-2")
    master, slave = there.groups
    deployed(there, "Dublin", SlaveSecurityGroupId=master)
    (own,) = balancer_of(there)["SecurityGroups"]
    assert rules_of(there, master) == sorted(expected_rules(master, master, own))
    assert rules_of(there, slave) == []
    resources = there.stacks.list_stack_resources(StackName="geoplan")["StackResourceSummaries"]
    assert not [each for each in resources if each["LogicalResourceId"].startswith("Slave")]


@pytest.mark.usefixtures("amazon")
def test_operators_who_are_the_clients_reach_api_and_health_check_alone() -> None:
    there = region("eu-west-3")
    master, _ = there.groups
    deployed(there, "Dublin", OperatorCidr="10.0.0.0/8")
    assert [rule for rule in rules_of(there, master) if rule[3] == "10.0.0.0/8"] == [
        (master, "tcp", 8443, "10.0.0.0/8"),
        (master, "tcp", 8444, "10.0.0.0/8"),
    ]


def test_deploying_twice_changes_nothing(dublin: tuple[Region, dict[str, Any]]) -> None:
    there, deployment = dublin
    before = state_of(there)
    again = {**deployment, "TemplateBody": for_moto(cloudformation.render(example_in(there, "Dublin"), "dublin"))}

    with pytest.raises(there.stacks.exceptions.ClientError, match="No updates are to be performed"):
        there.stacks.update_stack(**again)

    assert state_of(there) == before


@pytest.mark.usefixtures("amazon")
def test_a_change_of_the_topology_is_an_update() -> None:
    """Hold the test above to account: moto does tell a template that differs."""
    there = region("eu-central-1")
    deployment = deployed(there, "Dublin")
    changed = deployment["TemplateBody"].replace('"HealthCheckPort": "8444"', '"HealthCheckPort": "8555"')
    assert changed != deployment["TemplateBody"]
    there.stacks.update_stack(**{**deployment, "TemplateBody": changed})


def test_what_moto_does_not_know_stands_in_the_template() -> None:
    template = read(cloudformation.render(load_topology(TOPOLOGIES / "aws-dublin-ohio.yaml"), "dublin"))
    resources = template["Resources"]
    assert resources["Balancer"]["Properties"]["SubnetMappings"] == [
        {"SubnetId": "subnet-0d0b11a1c0ffee011", "AllocationId": "eipalloc-0d0b11a1c0ffee021"},
        {"SubnetId": "subnet-0d0b11a1c0ffee012", "AllocationId": "eipalloc-0d0b11a1c0ffee022"},
    ]
    for name, port in (("TargetGroupTcp80", 80), ("TargetGroupTls443", 443), ("TargetGroupUdp53", 53)):
        assert resources[name]["Properties"]["Targets"] == [
            {"Id": "i-0d0b11a1c0ffee001", "Port": port},
            {"Id": "i-0d0b11a1c0ffee002", "Port": port},
        ]
    assert template["Outputs"]["BalancerHostedZoneId"]["Value"] == {"Fn::GetAtt": ["Balancer", "CanonicalHostedZoneID"]}
