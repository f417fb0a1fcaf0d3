"""Who reaches what: the load balancer's security group, and the rules of the units' own groups.

AWS refuses a rule that a group has already. The two units may share a group and two ranges may be the same, which only
the one who deploys knows; so what could be there twice is made on conditions.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from geoplan.errors import GeoplanError
from geoplan.render.cloudformation.balancer import BALANCER_GROUP, name_of, tags
from geoplan.render.cloudformation.pairs import is_ipv6
from geoplan.render.cloudformation.yaml import Entry, Function, GetAtt, OneLine, Ref
from geoplan.vendor import SSH_PORT, SYNC_PORT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.render.cloudformation.pairs import BalancedPair
    from geoplan.topology.model import Unit

MAX_DESCRIPTION = 255
DESCRIPTION_MARKS = set(" ._-:/()#,@[]+=&;{}!$*")  # EC2, AuthorizeSecurityGroupIngress
SYNC = "Sync"
FROM_GROUP = "SourceSecurityGroupId"
OWN_GROUP = "SlaveHasItsOwnGroup"
OPERATOR_IS_NO_CLIENT = {"CidrIp": "OperatorIsNoClient", "CidrIpv6": "OperatorIsNoClientIpv6"}
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
    unless_also_client: bool = False
    """Whether it is one rule with that of the clients where both ranges are the same."""

    @property
    def in_one_group(self) -> tuple[str, ...]:
        """What tells it from other rules once both units are in one group, as the other unit then is."""
        return (self.protocol, str(self.port), self.source_kind, "" if self.name == SYNC else self.source)


class PlacedRule(NamedTuple):
    """A rule of the master's or the slave's group, and on which conditions it is made: all of them."""

    role: str
    rule: Rule
    conditions: tuple[str, ...]


def refuse_clashing_ports(pair: BalancedPair) -> None:
    """Refuse ports that serve two purposes, of which HA or GEO is one; raises :class:`GeoplanError`."""
    needed = {pair.check.port: "the health check", SYNC_PORT: "synchronisation", SSH_PORT: "GEO over SSH"}
    for unit in (pair.master, pair.slave):
        if pair.api_ports[unit.address] == pair.check.port:
            message = (
                f"the API of {unit.address} is on port {pair.check.port}, where '{pair.site}' is asked for its health"
            )
            raise GeoplanError(message, hint="correct the URL under api, or the health check's port")
    for listener in pair.balancer.listeners:
        port = listener.target.port
        if listener.target.protocol != "UDP" and port in needed:
            message = f"a listener of '{pair.site}' passes on to TCP {port}, which the units need for {needed[port]}"
            raise GeoplanError(message, hint="give the listener another target_port (section 6.2.1)")


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
        conditional = {"Condition": pair.id("And".join(placed.conditions))} if placed.conditions else {}
        properties = {
            "GroupId": Ref(pair.id(f"{role}SecurityGroupId")),
            **_ports(rule.protocol, rule.port),
            rule.source_kind: rule.source,
            "Description": description(rule.why),
        }
        body = {"Type": "AWS::EC2::SecurityGroupIngress", **conditional, "Properties": properties}
        yield Entry(pair.id(f"{role}{rule.name}"), body, comment)


def conditions(pair: BalancedPair) -> Iterator[Entry]:
    """Yield the conditions that the rules of a pair name."""
    used = dict.fromkeys(placed.conditions for placed in _placed_rules(pair) if placed.conditions)
    single = dict.fromkeys([OWN_GROUP, *(name for names in used for name in names)])
    different = {
        OWN_GROUP: [Ref(pair.id(f"{role}SecurityGroupId")) for role in ("Master", "Slave")],
        **{OPERATOR_IS_NO_CLIENT[kind]: [Ref(OPERATOR[kind]), Ref(pair.id(CLIENTS[kind]))] for kind in CLIENTS},
    }
    for name in single:
        comment = "AWS refuses a rule that a group has already: what may be one rule twice is made once."
        differ = Function("Not", (Function("Equals", tuple(different[name])),))
        yield Entry(pair.id(name), differ, comment if name == OWN_GROUP else None)
    for names in used:
        if len(names) > 1:
            both = tuple(OneLine(Condition=pair.id(name)) for name in names)
            yield Entry(pair.id("And".join(names)), Function("And", both))


def description(text: str) -> str:
    """Return a text that a security group or one of its rules can have for a description."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    kept = (mark if mark.isalnum() or mark in DESCRIPTION_MARKS else "-" for mark in plain)
    return " ".join("".join(kept).split())[:MAX_DESCRIPTION]


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
    of_slave = list(_rules(pair, pair.slave, other="Master"))
    yield from (PlacedRule("Master", rule, _conditions_of(rule)) for rule in of_master)
    in_one_group = {rule.in_one_group for rule in of_master}
    for rule in of_slave:
        once = (OWN_GROUP,) if rule.in_one_group in in_one_group else ()
        yield PlacedRule("Slave", rule, (*_conditions_of(rule), *once))


def _conditions_of(rule: Rule) -> tuple[str, ...]:
    return (OPERATOR_IS_NO_CLIENT[rule.source_kind],) if rule.unless_also_client else ()


def _rules(pair: BalancedPair, unit: Unit, *, other: str) -> Iterator[Rule]:
    """Yield what a unit lets in, each from where it is needed."""
    other_group = Ref(pair.id(f"{other}SecurityGroupId"))
    yield Rule(SYNC, "tcp", SYNC_PORT, FROM_GROUP, other_group, "Synchronisation of the pair, section 6")
    yield Rule("HealthCheck", "tcp", pair.check.port, FROM_GROUP, _balancer_group_id(pair), "Health check, section 6.1")
    for partner in pair.partners:
        kind = "CidrIpv6" if ":" in partner.network else "CidrIp"
        name = f"SshFrom{partner.network.partition('/')[0].replace('.', 'x').replace(':', 'x')}"
        why = f"GEO partner, {partner.site}" if partner.site else "GEO unit outside this topology"
        yield Rule(name, "tcp", SSH_PORT, kind, partner.network, why)
    yield from _from_operator(pair, unit)
    yield from _from_clients(pair)


def _from_operator(pair: BalancedPair, unit: Unit) -> Iterator[Rule]:
    """Yield the rules for people and for geoplan, which asks each unit itself."""
    kind = operators_kind(unit)
    doubling = {port for protocol, port in _targets(pair) if protocol == "tcp" and kind in dict(clients_of(pair))}
    for name, port, why in (
        ("ApiFromOperator", pair.api_ports[unit.address], "API and web interface"),
        ("HealthCheckFromOperator", pair.check.port, "Health check, for geoplan"),
    ):
        yield Rule(name, "tcp", port, kind, Ref(OPERATOR[kind]), why, unless_also_client=port in doubling)


def _from_clients(pair: BalancedPair) -> Iterator[Rule]:
    """Yield the rules of the target ports: instances see the address of the client, not of the load balancer.

    Unless it is one of IPv4 and the target of IPv6: then they see the load balancer's.
    """
    kind = "CidrIpv6" if pair.over_ipv6 else "CidrIp"
    for protocol, port in _targets(pair):
        name = name_of(protocol, port)
        yield Rule(f"{name}FromClients", protocol, port, kind, Ref(pair.id(CLIENTS[kind])), "Clients")
        if pair.over_ipv6:
            yield Rule(f"{name}FromBalancer", protocol, port, FROM_GROUP, _balancer_group_id(pair), "Clients of IPv4")


def _balancer_group_id(pair: BalancedPair) -> GetAtt:
    return GetAtt(f"{pair.id(BALANCER_GROUP)}.GroupId")


def _targets(pair: BalancedPair) -> list[tuple[str, int]]:
    """Return what the load balancer passes on, as protocols of IP and ports, none twice."""
    targets = pair.balancer.target_groups
    return list(dict.fromkeys((ip, target.port) for target in targets for ip in ip_protocols(target.protocol)))


def _ports(protocol: str, port: int) -> dict[str, object]:
    return {"IpProtocol": protocol, "FromPort": port, "ToPort": port}


def _to(pair: BalancedPair, role: str) -> dict[str, object]:
    return {"DestinationSecurityGroupId": Ref(pair.id(f"{role}SecurityGroupId"))}
