"""The template for CloudFormation: section 6.1, and each thing let in only from where it is needed."""

from __future__ import annotations

import itertools
import subprocess
import sys
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from syrupy.assertion import SnapshotAssertion

from geoplan import GeoplanError, Topology, load_topology
from geoplan.errors import InvalidInputError
from geoplan.render import cloudformation
from geoplan.render.cloudformation import make_template
from geoplan.render.cloudformation.security_groups import most_rules_of_a_group
from geoplan.topology.loader import check_text
from tests.conftest import ROOT, TOPOLOGIES
from tests.render.templates import (
    INTERNAL,
    lint,
    one_pair,
    over_ipv6,
    pair,
    read,
    require_linter,
    template_of,
    topology,
    variants,
)

EXAMPLE = TOPOLOGIES / "aws-dublin-ohio.yaml"
VARIANTS = variants()
LINTER = f"{sys.executable} -c 'import sys; from cfnlint.runner import main; sys.argv = [\"cfn-lint\"]; main()'"


def of_type(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {name: body["Properties"] for name, body in template["Resources"].items() if body["Type"].endswith(kind)}


def parameters_of(template: dict[str, Any]) -> list[str]:
    return list(template["Parameters"])


def holds(template: dict[str, Any], condition: str | None, values: dict[str, str]) -> bool:
    """Return whether a condition holds for values of the parameters, as CloudFormation would."""

    def value(of: Any) -> Any:
        match of:
            case {"Ref": name}:
                return values[name]
            case {"Condition": name}:
                return value(template["Conditions"][name])
            case {"Fn::Not": [one]}:
                return not value(one)
            case {"Fn::Equals": [one, other]}:
                return value(one) == value(other)
            case {"Fn::And": several}:
                return all(map(value, several))
        return of

    return condition is None or bool(value({"Condition": condition}))


def rules_made(template: dict[str, Any], values: dict[str, str]) -> list[tuple[Any, ...]]:
    """Return the rules of units that a deployment with these values makes: group, protocol, port, source."""

    def value(of: Any) -> Any:
        return values[of["Ref"]] if isinstance(of, dict) and "Ref" in of else str(of)

    made = []
    for body in template["Resources"].values():
        if body["Type"] == "AWS::EC2::SecurityGroupIngress" and holds(template, body.get("Condition"), values):
            rule = body["Properties"]
            (source,) = (rule[key] for key in ("CidrIp", "CidrIpv6", "SourceSecurityGroupId") if key in rule)
            assert rule["FromPort"] == rule["ToPort"]
            made.append((value(rule["GroupId"]), rule["IpProtocol"], rule["FromPort"], value(source)))
    return made


DISTINCT = {
    "MasterSecurityGroupId": "sg-master",
    "SlaveSecurityGroupId": "sg-slave",
    "OperatorCidr": "198.51.100.0/24",
    "OperatorCidrIpv6": "2001:db8:1::/48",
    "ClientCidr": "203.0.113.0/24",
    "ClientCidrIpv6": "2001:db8:2::/48",
}
BALANCER_GROUP = "{'Fn::GetAtt': ['BalancerSecurityGroup', 'GroupId']}"


@pytest.mark.parametrize("site", ["Dublin", "Ohio"])
def test_example(site: str, snapshot: SnapshotAssertion) -> None:
    assert cloudformation.render(load_topology(EXAMPLE), site) == snapshot


@pytest.mark.parametrize("site", ["Dublin", "Ohio"])
def test_linter_has_nothing_to_say_of_the_example(site: str) -> None:
    assert lint(cloudformation.render(load_topology(EXAMPLE), site)) == []


@pytest.mark.parametrize("name", VARIANTS)
def test_linter_has_nothing_to_say(name: str) -> None:
    assert lint(cloudformation.render(VARIANTS[name])) == []


def test_linter_has_something_to_say_of_a_mistake() -> None:
    text = cloudformation.render(VARIANTS["internal"])
    assert "E3002" in "".join(lint(text.replace("HealthCheckPath", "HealthCheckPth")))


def test_linter_reads_what_the_command_prints() -> None:
    require_linter()
    command = f"{sys.executable} -m geoplan export cloudformation {EXAMPLE} --site dublin | {LINTER}"
    ended = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_text_is_the_same_each_time() -> None:
    for trial in VARIANTS.values():
        assert cloudformation.render(trial) == cloudformation.render(trial.model_copy(deep=True))


def test_elastic_ips_are_those_of_the_subnets() -> None:
    (balancer,) = of_type(template_of(one_pair()), "LoadBalancer").values()
    assert (balancer["Type"], balancer["Scheme"]) == ("network", "internet-facing")
    assert balancer["SubnetMappings"] == [
        {"SubnetId": "subnet-00000011", "AllocationId": "eipalloc-00000011"},
        {"SubnetId": "subnet-00000012", "AllocationId": "eipalloc-00000012"},
    ]


def test_internal_balancer_has_subnets_without_elastic_ips_and_asks_who_its_clients_are() -> None:
    template = template_of(one_pair(**INTERNAL))
    (balancer,) = of_type(template, "LoadBalancer").values()
    assert balancer["Scheme"] == "internal"
    assert balancer["SubnetMappings"] == [{"SubnetId": "subnet-00000011"}, {"SubnetId": "subnet-00000012"}]
    assert "Default" not in template["Parameters"]["ClientCidr"]
    assert template_of(one_pair())["Parameters"]["ClientCidr"]["Default"] == "0.0.0.0/0"


def test_standby_in_one_zone_does_not_cut_its_address_off() -> None:
    (balancer,) = of_type(template_of(one_pair()), "LoadBalancer").values()
    assert {"Key": "load_balancing.cross_zone.enabled", "Value": "true"} in balancer["LoadBalancerAttributes"]


def test_each_distinct_target_has_one_target_group() -> None:
    template = template_of(VARIANTS["every protocol"])
    groups = of_type(template, "TargetGroup")
    assert [(name, each["Protocol"], each["Port"]) for name, each in groups.items()] == [
        ("TargetGroupTcp8080", "TCP", 8080),
        ("TargetGroupUdp514", "UDP", 514),
        ("TargetGroupTcpUdp53", "TCP_UDP", 53),
        ("TargetGroupTcp443", "TCP", 443),
        ("TargetGroupTls444", "TLS", 444),
    ]
    listeners = {each["Port"]: each["DefaultActions"] for name, each in of_type(template, "V2::Listener").items()}
    assert listeners[80] == listeners[81] == [{"Type": "forward", "TargetGroupArn": {"Ref": "TargetGroupTcp8080"}}]
    assert listeners[53] == listeners[54] == [{"Type": "forward", "TargetGroupArn": {"Ref": "TargetGroupTcpUdp53"}}]


def test_targets_are_the_instances_of_both_units_on_the_target_port() -> None:
    listeners = [{"protocol": "TCP", "port": 443, "target_port": 8080}]
    (group,) = of_type(template_of(one_pair(listeners=listeners)), "TargetGroup").values()
    assert group["TargetType"] == "instance"
    assert group["Targets"] == [{"Id": "i-00000011", "Port": 8080}, {"Id": "i-00000012", "Port": 8080}]


def test_instances_that_the_topology_does_not_know_are_parameters() -> None:
    template = template_of(VARIANTS["instances unknown"])
    (group,) = of_type(template, "TargetGroup").values()
    assert group["Targets"] == [
        {"Id": {"Ref": "MasterInstanceId"}, "Port": 80},
        {"Id": {"Ref": "SlaveInstanceId"}, "Port": 80},
    ]
    assert {template["Parameters"][name]["Type"] for name in ("MasterInstanceId", "SlaveInstanceId")} == {
        "AWS::EC2::Instance::Id"
    }
    assert not {"MasterInstanceId", "SlaveInstanceId"} & set(parameters_of(template_of(one_pair())))


def test_health_check_is_the_pairs() -> None:
    (group,) = of_type(template_of(VARIANTS["checked often"]), "TargetGroup").values()
    assert group["HealthCheckPort"] == "8555"
    assert (group["HealthCheckIntervalSeconds"], group["HealthCheckTimeoutSeconds"]) == (5, 4)
    assert (group["HealthyThresholdCount"], group["UnhealthyThresholdCount"]) == (2, 3)


def test_health_check_port_of_the_topology_holds_where_the_pair_has_none() -> None:
    trial = topology({"name": "Dublin", "ha_pair": pair()}, health_check_port=8666)
    (group,) = of_type(template_of(trial), "TargetGroup").values()
    assert group["HealthCheckPort"] == "8666"
    assert ("sg-master", "tcp", 8666, BALANCER_GROUP) in rules_made(template_of(trial), DISTINCT)


def test_tls_listener_shows_its_certificate_under_a_policy_of_today() -> None:
    listeners = of_type(template_of(VARIANTS["every protocol"]), "V2::Listener")
    shown = {name: (each.get("Certificates"), each.get("SslPolicy")) for name, each in listeners.items()}
    certificates, policy = shown["ListenerTls443"]
    assert certificates
    assert certificates[0]["CertificateArn"].startswith("arn:aws:acm:eu-west-1:")
    assert policy == "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
    assert shown["ListenerTcp80"] == (None, None)


def test_units_let_in_only_what_is_needed_from_where_it_is_needed() -> None:
    trial = topology(
        {"name": "Dublin", "ha_pair": pair(listeners=[{"protocol": "TCP_UDP", "port": 53}])},
        {"name": "Ohio", "ha_pair": {"master": "10.2.1.5", "slave": "10.2.2.5"}},
        {"name": "Elsewhere", "standalone": "10.9.9.9"},
        groups={"one": ["Dublin", "Ohio"], "two": ["Elsewhere"]},
    )
    assert sorted(rules_made(template_of(trial), DISTINCT)) == sorted(
        rule
        for group, other in (("sg-master", "sg-slave"), ("sg-slave", "sg-master"))
        for rule in (
            (group, "tcp", 6973, other),
            (group, "tcp", 8444, other),
            (group, "tcp", 8444, BALANCER_GROUP),
            (group, "tcp", 22, "10.2.1.5/32"),
            (group, "tcp", 22, "10.2.2.5/32"),
            (group, "tcp", 8443, "198.51.100.0/24"),
            (group, "tcp", 8444, "198.51.100.0/24"),
            (group, "tcp", 53, BALANCER_GROUP),
            (group, "udp", 53, BALANCER_GROUP),
        )
    )


def test_health_check_port_is_open_between_units_that_share_a_group_too() -> None:
    one = {**DISTINCT, "SlaveSecurityGroupId": "sg-master"}
    made = rules_made(template_of(one_pair()), one)
    assert [rule for rule in made if rule[2] == 8444] == [
        ("sg-master", "tcp", 8444, "sg-master"),
        ("sg-master", "tcp", 8444, BALANCER_GROUP),
        ("sg-master", "tcp", 8444, "198.51.100.0/24"),
    ]


def test_partners_come_by_the_address_that_they_show() -> None:
    made = rules_made(template_of(VARIANTS["partners"]), DISTINCT)
    assert [source for group, _, port, source in made if port == 22 and group == "sg-master"] == [
        "10.2.0.5/32",
        "172.24.1.5/32",
        "2001:db8::9/128",
    ]


def test_balancer_lets_clients_in_on_listener_ports_and_passes_on_to_targets_and_health_check() -> None:
    template = template_of(one_pair(listeners=[{"protocol": "TCP", "port": 443, "target_port": 8080}]))
    (group,) = of_type(template, "EC2::SecurityGroup").values()
    assert [(rule["IpProtocol"], rule["FromPort"], rule["CidrIp"]) for rule in group["SecurityGroupIngress"]] == [
        ("tcp", 443, {"Ref": "ClientCidr"})
    ]
    assert [(rule["FromPort"], rule["DestinationSecurityGroupId"]) for rule in group["SecurityGroupEgress"]] == [
        (8444, {"Ref": "MasterSecurityGroupId"}),
        (8080, {"Ref": "MasterSecurityGroupId"}),
    ]
    assert [
        (rule["FromPort"], rule["DestinationSecurityGroupId"])
        for rule in of_type(template, "SecurityGroupEgress").values()
    ] == [(8444, {"Ref": "SlaveSecurityGroupId"}), (8080, {"Ref": "SlaveSecurityGroupId"})]


def test_over_ipv6_every_part_is_of_ipv6() -> None:
    template = template_of(VARIANTS["over IPv6"])
    (balancer,) = of_type(template, "LoadBalancer").values()
    assert (balancer["IpAddressType"], balancer["EnablePrefixForIpv6SourceNat"]) == ("dualstack", "on")
    assert {each["IpAddressType"] for each in of_type(template, "TargetGroup").values()} == {"ipv6"}
    of_master = {rule[1:] for rule in rules_made(template, DISTINCT) if rule[0] == "sg-master"}
    assert of_master == {
        ("tcp", 6973, "sg-slave"),
        ("tcp", 8444, "sg-slave"),
        ("tcp", 8444, BALANCER_GROUP),
        ("tcp", 22, "2001:db8::9/128"),
        ("tcp", 8443, "2001:db8:1::/48"),
        ("tcp", 8444, "2001:db8:1::/48"),
        *((protocol, port, BALANCER_GROUP) for protocol, port in (("tcp", 443), ("tcp", 53), ("udp", 53))),
    }


def test_api_port_of_a_url_on_the_units_own_address_is_open_to_operators() -> None:
    made = rules_made(template_of(VARIANTS["API on a port of its own"]), DISTINCT)
    assert ("sg-master", "tcp", 9443, "198.51.100.0/24") in made
    assert ("sg-slave", "tcp", 8443, "198.51.100.0/24") in made


protocols = st.sampled_from(["TCP", "UDP", "TCP_UDP"])
listeners = st.lists(st.tuples(protocols, st.integers(1, 9)), min_size=1, max_size=5, unique_by=lambda drawn: drawn[1])
target_ports = st.sampled_from([53, 80, 443, 9443])
api_ports = st.sampled_from([8443, 9444])


@st.composite
def balanced(draw: st.DrawFn) -> Topology:
    """Draw a topology of pairs that are all in one region, with families, partners, APIs and listeners that clash."""
    sites: list[dict[str, Any]] = []
    for number in range(1, draw(st.integers(1, 3)) + 1):
        drawn = [
            {"protocol": protocol, "port": port, "target_port": draw(target_ports)}
            for protocol, port in draw(listeners)
        ]
        ha_pair = pair(number, listeners=drawn)
        for place, role in enumerate(("master", "slave"), start=1):
            if draw(st.booleans()):
                ha_pair[role]["address"] = f"2001:db8:{number}::{place}"
            elif draw(st.booleans()):
                ha_pair[role]["api"] = f"https://{ha_pair[role]['address']}:{draw(api_ports)}"
        sites.append({"name": draw(st.sampled_from(["A", "Æ", "b c", "東"])) + str(number), "ha_pair": ha_pair})
    if draw(st.booleans()):
        sites.append({"name": "Far", "standalone": {"address": "10.9.0.5", "nat_address": "2001:DB8::9"}})
    return topology(*sites)


@settings(max_examples=40)
@given(balanced(), st.data())
def test_no_deployment_makes_a_rule_twice_or_leaves_one_out(trial: Topology, data: st.DataObject) -> None:
    """Whatever the groups and ranges: the rules are those of distinct ones, with these put in their places."""
    template = template_of(trial)
    names = parameters_of(template)
    distinct = dict(zip(names, names, strict=True))
    ranges = {name: name.endswith("Ipv6") for name in names if "Cidr" in name}
    values = dict(distinct)
    for name, of_ipv6 in ranges.items():
        values[name] = data.draw(st.sampled_from(["2001:db8::/32", "::/0"] if of_ipv6 else ["10.0.0.0/8", "0.0.0.0/0"]))
    for name in names:
        if name.endswith("SlaveSecurityGroupId") and data.draw(st.booleans()):
            values[name] = values[name.replace("Slave", "Master")]
    made = rules_made(template, values)
    assert len(made) == len(set(made))
    assert set(made) == {tuple(values.get(part, part) for part in rule) for rule in rules_made(template, distinct)}


odd_ports = st.sampled_from([53, 80, 443, 8080, 8443, 8444, 22, 6973])
odd_texts = st.sampled_from(["a", "Z 9", "_.:/=+-@", "Köln", "(", "a&b", "\N{SNOWMAN}", "\u2028", "Name"])


@st.composite
def odd(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a topology as a file holds it, with ports and tags of which AWS or a LoadMaster may not take some."""
    listener = st.fixed_dictionaries({"protocol": protocols, "port": odd_ports}, optional={"target_port": odd_ports})
    names = draw(st.permutations(["A", "B and C", "A and B", "C"]))
    sites = []
    for number in range(1, draw(st.integers(1, 2)) + 1):
        ha_pair = pair(
            number,
            listeners=draw(st.lists(listener, min_size=1, max_size=3, unique_by=lambda drawn: drawn["port"])),
            tags=draw(st.dictionaries(odd_texts, odd_texts, max_size=1)),
        )
        if draw(st.integers(0, 2)) == 2:
            ha_pair["health_check"] = {"port": draw(odd_ports)}
        if draw(st.integers(0, 2)) == 2:
            ha_pair["slave"]["api"] = f"https://10.{number}.2.5:{draw(odd_ports)}"
        sites.append({"name": names[number], "ha_pair": ha_pair})
    return {"name": "odd", "sites": sites}


@settings(max_examples=150)
@given(odd())
def test_what_check_accepts_is_exported_and_nothing_else_is(document: dict[str, Any]) -> None:
    checked = check_text(yaml.safe_dump(document).encode(), path="odd.yaml", default_name="odd")
    if checked.topology is not None:
        assert template_of(checked.topology)["Resources"]
        return
    try:
        unchecked = Topology.model_validate(document)
    except ValidationError:
        return
    with pytest.raises(InvalidInputError):
        cloudformation.render(unchecked)


@settings(max_examples=40)
@given(balanced())
def test_groups_get_as_many_rules_as_are_counted(trial: Topology) -> None:
    made = make_template(trial)
    template = read(made.text)
    resources = template["Resources"]
    for whole in made.pairs:
        counted = dict(most_rules_of_a_group(whole))
        groups = {role: {"Ref": whole.id(f"{role}SecurityGroupId")} for role in ("Master", "Slave")}
        of_units = [
            sum(
                rule.get("GroupId") == group and (kind in rule or "SourceSecurityGroupId" in rule)
                for rule in of_type(template, "SecurityGroupIngress").values()
            )
            for group in groups.values()
            for kind in ("CidrIp", "CidrIpv6")
        ]
        own = resources[whole.id("BalancerSecurityGroup")]["Properties"]
        to_slave = [name for name in resources if name.startswith(whole.id("BalancerToSlave"))]
        incoming = sum("CidrIp" in rule for rule in own["SecurityGroupIngress"])
        assert counted["the load balancer"] == max(incoming, len(own["SecurityGroupEgress"]) + len(to_slave))
        assert max(of_units) <= counted["the units"] <= max(of_units) + 1  # shared, one group has both API ports


@settings(max_examples=40)
@given(balanced())
def test_clients_reach_units_through_the_load_balancer_alone(trial: Topology) -> None:
    template = template_of(trial)
    ranges = {name: name for name in parameters_of(template)}
    passed_on = {group["Port"] for group in of_type(template, "TargetGroup").values()}
    reached = set()
    for _, protocol, port, source in rules_made(template, ranges):
        assert "Client" not in source
        if "Balancer" in source and port != 8444:
            assert port in passed_on
            reached.add(port)
        elif "OperatorCidr" not in source:
            assert (protocol, port) in {("tcp", 22), ("tcp", 6973), ("tcp", 8444)}
    assert reached == passed_on


@settings(max_examples=40)
@given(balanced())
def test_every_name_is_one_that_cloudformation_takes_and_leads_somewhere(trial: Topology) -> None:
    template = template_of(trial)
    named = [*template["Parameters"], *template["Resources"]]
    assert len(named) == len(set(named))
    for name in itertools.chain(named, template["Conditions"], template["Rules"], template["Outputs"]):
        assert name.isascii()
        assert name.isalnum()
    referred = set(_references(template))
    assert set(template["Parameters"]) <= referred
    assert referred <= {*named, "AWS::Region"}


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["Ref"]] if "Ref" in value else [value["Fn::GetAtt"][0]] if "Fn::GetAtt" in value else []
        return own + [name for inner in value.values() for name in _references(inner)]
    return [name for inner in value for name in _references(inner)] if isinstance(value, list) else []


def test_pairs_of_one_region_share_a_template_with_names_of_their_own() -> None:
    template = template_of(VARIANTS["several in a region"])
    assert list(of_type(template, "LoadBalancer")) == ["DublinBalancer", "DublinNorthBalancer", "Site3Balancer"]
    assert [name for name in parameters_of(template) if name.startswith("Operator")] == [
        "OperatorCidr",
        "OperatorCidrIpv6",
    ]
    assert len(template["Rules"]["PairsHaveTheirOwnGroups"]["Assertions"]) == 3


def test_names_that_could_be_put_together_in_two_ways_are_no_trouble() -> None:
    names = ["A", "B and C", "A and B", "C"]
    template = template_of(topology(*({"name": name, "ha_pair": pair(place)} for place, name in enumerate(names, 1))))
    assert len(template["Rules"]["PairsHaveTheirOwnGroups"]["Assertions"]) == 6


def test_stack_is_refused_in_another_region() -> None:
    template = template_of(one_pair())
    (assertion,) = template["Rules"]["RightRegion"]["Assertions"]
    assert assertion["Assert"] == {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]}
    assert "eu-west-1" in assertion["AssertDescription"]
    assert "eu-west-1" in template["Description"]


@pytest.mark.parametrize("name", ["Dublin", "DUBLIN", " dublin ", "dublin"])
def test_site_is_found_by_its_name_in_any_case(name: str) -> None:
    example = load_topology(EXAMPLE)
    assert cloudformation.render(example, name) == cloudformation.render(example, "Dublin")


def test_site_is_found_by_its_slug_after_all_names() -> None:
    trial = topology(
        {"name": "Data centre 1", "ha_pair": pair(1)},
        {"name": "x", "ha_pair": pair(2)},
        {"name": "data-centre-1", "ha_pair": pair(3)},
    )
    assert template_of(trial, "data-centre-1")["Metadata"]["Geoplan"]["Sites"] == ["data-centre-1"]
    alone = topology({"name": "Data centre 1", "ha_pair": pair(1)})
    assert template_of(alone, "Data-Centre-1")["Metadata"]["Geoplan"]["Sites"] == ["Data centre 1"]


@pytest.mark.parametrize(
    ("site", "told", "hint"),
    [
        ("Dubln", "no site 'Dubln'", "did you mean 'Dublin'?"),
        ("zzz", "no site 'zzz'", "Dublin, Ohio"),
        ("", "no site ''", "Dublin, Ohio"),
        ("singapore-data-centre", "'Singapore data centre' is a standalone", "Dublin, Ohio"),
        (None, "Dublin in eu-west-1, Ohio in us-east-2", "--site dublin or --site ohio"),
    ],
)
def test_site_that_cannot_be_is_refused(site: str | None, told: str, hint: str) -> None:
    with pytest.raises(GeoplanError, match=told) as refused:
        cloudformation.render(load_topology(EXAMPLE), site)
    assert hint in (refused.value.hint or "")
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("site", ["HA Pair 1", None])
def test_pair_without_aws_is_refused_with_what_to_add(site: str | None) -> None:
    with pytest.raises(GeoplanError, match="what it has in AWS") as refused:
        cloudformation.render(load_topology(TOPOLOGIES / "section-5.4.yaml"), site)
    for key in ("aws:", "region", "vpc_id", "subnets", "listeners"):
        assert key in (refused.value.hint or "")


@pytest.mark.parametrize(("port", "use"), [(22, "SSH"), (6973, "synchronisation"), (8444, "health check")])
def test_target_on_a_port_that_the_units_need_is_refused(port: int, use: str) -> None:
    listener = {"protocol": "TCP_UDP", "port": 80, "target_port": port}
    with pytest.raises(GeoplanError, match=use):
        cloudformation.render(one_pair(listeners=[listener]))
    by_udp = one_pair(listeners=[{**listener, "protocol": "UDP"}])
    assert f"Port: {port}" in cloudformation.render(by_udp)


def test_api_on_the_health_check_port_is_refused() -> None:
    ha_pair = pair()
    ha_pair["slave"]["api"] = "https://10.1.2.5:8444"
    with pytest.raises(GeoplanError, match="the API of the slave of 'Dublin' is on port 8444"):
        cloudformation.render(topology({"name": "Dublin", "ha_pair": ha_pair}))


def test_tag_that_load_balancers_cannot_have_is_refused() -> None:
    with pytest.raises(GeoplanError, match="'&'"):
        cloudformation.render(one_pair(tags={"Team": "sales & support"}))


def test_tags_are_the_topologys_and_a_name() -> None:
    (balancer,) = of_type(template_of(one_pair(tags={"Team": "sales"})), "LoadBalancer").values()
    assert balancer["Tags"] == [{"Key": "Name", "Value": "Dublin"}, {"Key": "Team", "Value": "sales"}]
    (balancer,) = of_type(template_of(one_pair(tags={"Name": "own"})), "LoadBalancer").values()
    assert balancer["Tags"] == [{"Key": "Name", "Value": "own"}]


@pytest.mark.parametrize("value", ["no", "0o17", "12:30:45", "", "2001-01-01", "null", " a ", "1e3"])
def test_texts_stay_texts(value: str) -> None:
    (balancer,) = of_type(template_of(one_pair(tags={"Kind": value})), "LoadBalancer").values()
    assert {"Key": "Kind", "Value": value} in balancer["Tags"]


def test_ipv6_units_give_the_same_rules_whatever_the_spelling() -> None:
    trial = topology(
        {"name": "Dublin", "ha_pair": over_ipv6(), "extra_remote_geo_access": ["2001:DB8:0:0::8"]},
        {"name": "Far", "standalone": "2001:0DB8::0:9"},
    )
    made = rules_made(template_of(trial), DISTINCT)
    assert [rule for rule in made if rule[:3] == ("sg-master", "tcp", 22)] == [
        ("sg-master", "tcp", 22, "2001:db8::9/128"),
        ("sg-master", "tcp", 22, "2001:db8::8/128"),
    ]
