"""Who reaches what: the load balancer's security group, and the rules of the units' own groups.

Clients reach the units through the load balancer alone: the units' rules name its group, which AWS honours although the
units see the address of the client (Elastic Load Balancing, security groups of Network Load Balancers).

AWS refuses a rule that a group has already. The two units may share a group, which only the one who deploys knows; so
what could be there twice is made on a condition.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from geoplan.aws import DESCRIPTION_LENGTH
from geoplan.render.cloudformation.balancer import BALANCER_GROUP, name_of, tags
from geoplan.render.cloudformation.pairs import is_ipv6
from geoplan.render.cloudformation.yaml import Entry, Function, GetAtt, Ref
from geoplan.vendor import SSH_PORT, SYNC_PORT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.render.cloudformation.pairs import BalancedPair
    from geoplan.topology.model import Unit

DESCRIPTION_MARKS = set(" ._-:/()#,@[]+=&;{}!$*")  # EC2, AuthorizeSecurityGroupIngress
FROM_GROUP = "SourceSecurityGroupId"
OWN_GROUP = "SlaveHasItsOwnGroup"
OPERATOR = {"CidrIp": "OperatorCidr", "CidrIpv6": "OperatorCidrIpv6"}
CLIENTS = {"CidrIp": "ClientCidr", "CidrIpv6": "ClientCidrIpv6"}


class Rule(NamedTuple):
    """Something that a unit lets in."""

    name: str
    """How it is called behind the unit's role."""
    protocol: str
    port: int
    source_kind: str
    """The property that names where it comes from."""
    source: str
    why: str
    from_other_unit: bool = False

    @property
    def in_one_group(self) -> tuple[str, ...]:
        """What tells it from other rules once both units are in one group, as the other unit then is."""
        return (self.protocol, str(self.port), self.source_kind, "" if self.from_other_unit else self.source)


class PlacedRule(NamedTuple):
    """A rule of the master's or the slave's group, and whether it is made only if the slave has a group of its own."""

    role: str
    rule: Rule
    in_own_group_only: bool


def balancer_group(pair: BalancedPair) -> Iterator[Entry]:
    """Yield the load balancer's security group: in from clients, out to the units."""
    group = pair.id(BALANCER_GROUP)
    listening = [(protocol, each.port) for each in pair.balancer.listeners for protocol in ip_protocols(each.protocol)]
    ingress = [
        {**_ports(protocol, port), kind: Ref(pair.id(parameter)), "Description": "Clients"}
        for kind, parameter in clients_of(pair)
        for protocol, port in listening
    ]
    egress = [("tcp", pair.check.port, "Health check"), *((*target, "Traffic of clients") for target in _targets(pair))]
    properties = {
        "GroupDescription": description(f"Network Load Balancer of {pair.site}"),
        "VpcId": pair.balancer.vpc_id,
        "SecurityGroupIngress": ingress,
        "SecurityGroupEgress": [
            {**_ports(protocol, port), **_to(pair, "Master"), "Description": description(why)}
            for protocol, port, why in egress
        ],
        "Tags": tags(pair),
    }
    comment = "The load balancer's own group: what clients may ask for, and what goes on to the units."
    yield Entry(group, {"Type": "AWS::EC2::SecurityGroup", "Properties": properties}, comment)
    for protocol, port, why in egress:
        yield Entry(
            pair.id(f"BalancerToSlave{name_of(protocol, port)}"),
            {
                "Type": "AWS::EC2::SecurityGroupEgress",
                "Condition": pair.id(OWN_GROUP),
                "Properties": {
                    "GroupId": GetAtt(f"{group}.GroupId"),
                    **_ports(protocol, port),
                    **_to(pair, "Slave"),
                    "Description": description(why),
                },
            },
        )


def unit_rules(pair: BalancedPair) -> Iterator[Entry]:
    """Yield the rules of the units' groups, the master's and then the slave's."""
    commented = set()
    for placed in _placed_rules(pair):
        rule, role = placed.rule, placed.role
        comment = None if role in commented else f"What reaches the {role.lower()}, and from where."
        commented.add(role)
        conditional = {"Condition": pair.id(OWN_GROUP)} if placed.in_own_group_only else {}
        properties = {
            "GroupId": Ref(pair.id(f"{role}SecurityGroupId")),
            **_ports(rule.protocol, rule.port),
            rule.source_kind: rule.source,
            "Description": description(rule.why),
        }
        body = {"Type": "AWS::EC2::SecurityGroupIngress", **conditional, "Properties": properties}
        yield Entry(pair.id(f"{role}{rule.name}"), body, comment)


def most_rules_of_a_group(pair: BalancedPair) -> Iterator[tuple[str, int]]:
    """Yield whose security groups of a pair get how many rules in one direction and one version of IP, at most."""
    of_units = list(_placed_rules(pair))
    own = ([placed.rule for placed in of_units if placed.role == role] for role in ("Master", "Slave"))
    shared = [placed.rule for placed in of_units if not placed.in_own_group_only]
    yield "the units", max(_count_of_a_version(rules) for rules in (*own, shared))
    incoming = sum(len(ip_protocols(each.protocol)) for each in pair.balancer.listeners)
    outgoing = 2 * (len(_targets(pair)) + 1)  # to each unit, and the health check
    yield "the load balancer", max(incoming, outgoing)


def _count_of_a_version(rules: list[Rule]) -> int:
    """Return how many rules there are of IPv4 or of IPv6, whichever are more; one for a group counts in both."""
    return max(sum(rule.source_kind in (kind, FROM_GROUP) for rule in rules) for kind in ("CidrIp", "CidrIpv6"))


def conditions(pair: BalancedPair) -> Iterator[Entry]:
    """Yield the condition that the rules of a pair name."""
    groups = tuple(Ref(pair.id(f"{role}SecurityGroupId")) for role in ("Master", "Slave"))
    comment = "AWS refuses a rule that a group has already: what may be one rule twice is made once."
    yield Entry(pair.id(OWN_GROUP), Function("Not", (Function("Equals", groups),)), comment)


def description(text: str) -> str:
    """Return a text that a security group or one of its rules can have for a description."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    kept = (mark if mark.isalnum() or mark in DESCRIPTION_MARKS else "-" for mark in plain)
    return " ".join("".join(kept).split())[: DESCRIPTION_LENGTH.most]


def ip_protocols(protocol: str) -> tuple[str, ...]:
    """Return the protocols of IP that a listener's or target group's protocol is made of."""
    return {"UDP": ("udp",), "TCP_UDP": ("tcp", "udp")}.get(protocol, ("tcp",))


def clients_of(pair: BalancedPair) -> list[tuple[str, str]]:
    """Return the property and the parameter of each family of addresses in which the load balancer has clients."""
    return [(kind, CLIENTS[kind]) for kind in CLIENTS if kind == "CidrIp" or pair.over_ipv6]


def operators_kind(unit: Unit) -> str:
    """Return which property the operator's range goes into: the family of the unit's own address."""
    return "CidrIpv6" if is_ipv6(unit) else "CidrIp"


def _placed_rules(pair: BalancedPair) -> Iterator[PlacedRule]:
    of_master = list(_rules(pair, pair.master, other="Slave"))
    yield from (PlacedRule("Master", rule, in_own_group_only=False) for rule in of_master)
    in_one_group = {rule.in_one_group for rule in of_master}
    for rule in _rules(pair, pair.slave, other="Master"):
        yield PlacedRule("Slave", rule, in_own_group_only=rule.in_one_group in in_one_group)


def _rules(pair: BalancedPair, unit: Unit, *, other: str) -> Iterator[Rule]:
    """Yield what a unit lets in, each from where it is needed."""
    yield from _from_other_unit(pair, Ref(pair.id(f"{other}SecurityGroupId")))
    yield from _from_balancer(pair)
    for partner in pair.partners:
        kind = "CidrIpv6" if ":" in partner.network else "CidrIp"
        name = f"SshFrom{partner.network.partition('/')[0].replace('.', 'x').replace(':', 'x')}"
        why = f"GEO partner, {partner.site}" if partner.site else "GEO unit outside this topology"
        yield Rule(name, "tcp", SSH_PORT, kind, partner.network, why)
    yield from _from_operator(pair, unit)


def _from_other_unit(pair: BalancedPair, other_group: Ref) -> Iterator[Rule]:
    """Yield the rules for the pair's other unit: a unit that cannot ask it whether it is active becomes active too."""
    for name, port, why in (
        ("Sync", SYNC_PORT, "Synchronisation of the pair, section 6"),
        ("HealthCheckFromOtherUnit", pair.check.port, "Health check by the other unit"),
    ):
        yield Rule(name, "tcp", port, FROM_GROUP, other_group, why, from_other_unit=True)


def _from_balancer(pair: BalancedPair) -> Iterator[Rule]:
    """Yield the rules for the load balancer: its health check, and what it passes on from clients."""
    group = GetAtt(f"{pair.id(BALANCER_GROUP)}.GroupId")
    yield Rule("HealthCheck", "tcp", pair.check.port, FROM_GROUP, group, "Health check, section 6.1")
    for protocol, port in _targets(pair):
        name = f"{name_of(protocol, port)}FromBalancer"
        yield Rule(name, protocol, port, FROM_GROUP, group, "Clients, through the load balancer")


def _from_operator(pair: BalancedPair, unit: Unit) -> Iterator[Rule]:
    """Yield the rules for people and for geoplan, which asks each unit itself."""
    kind = operators_kind(unit)
    for name, port, why in (
        ("ApiFromOperator", pair.api_ports[unit.address], "API and web interface"),
        ("HealthCheckFromOperator", pair.check.port, "Health check, for geoplan"),
    ):
        yield Rule(name, "tcp", port, kind, Ref(OPERATOR[kind]), why)


def _targets(pair: BalancedPair) -> list[tuple[str, int]]:
    """Return what the load balancer passes on, as protocols of IP and ports, none twice."""
    targets = pair.balancer.target_groups
    return list(dict.fromkeys((ip, target.port) for target in targets for ip in ip_protocols(target.protocol)))


def _ports(protocol: str, port: int) -> dict[str, object]:
    return {"IpProtocol": protocol, "FromPort": port, "ToPort": port}


def _to(pair: BalancedPair, role: str) -> dict[str, object]:
    return {"DestinationSecurityGroupId": Ref(pair.id(f"{role}SecurityGroupId"))}
