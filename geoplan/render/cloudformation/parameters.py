"""What only the one who deploys knows: the units' security groups, and the ranges of operators and clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.render.cloudformation.security_groups import CLIENTS, OPERATOR, clients_of, operators_kind
from geoplan.render.cloudformation.yaml import Entry, Ref

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from geoplan.render.cloudformation.pairs import BalancedPair

EVERYONE = {"CidrIp": "0.0.0.0/0", "CidrIpv6": "::/0"}
FAMILY = {"CidrIp": "IPv4", "CidrIpv6": "IPv6"}
EXAMPLE = {"CidrIp": "10.0.0.0/16", "CidrIpv6": "2001:db8::/32"}
IPV4, IPV6 = "[0-9]{1,3}([.][0-9]{1,3}){3}/", "[0-9a-fA-F:.]*:[0-9a-fA-F:.]*/"
RANGE = {
    "CidrIp": f"^{IPV4}([0-9]|[12][0-9]|3[0-2])$",
    "CidrIpv6": f"^{IPV6}([0-9]|[1-9][0-9]|1[01][0-9]|12[0-8])$",
}
# The web interface of a LoadMaster is nothing for the whole world.
NARROW_RANGE = {
    "CidrIp": f"^{IPV4}([89]|[12][0-9]|3[0-2])$",
    "CidrIpv6": f"^{IPV6}(1[6-9]|[2-9][0-9]|1[01][0-9]|12[0-8])$",
}
NARROWEST = {"CidrIp": 8, "CidrIpv6": 16}


def parameters(pairs: Sequence[BalancedPair]) -> Iterator[Entry]:
    """Yield the parameters: the operator's ranges, then those of each pair."""
    units = [unit for pair in pairs for unit in (pair.master, pair.slave)]
    for kind in (kind for kind in OPERATOR if kind in {operators_kind(unit) for unit in units}):
        yield _operator_range(kind)
    for pair in pairs:
        for role, _ in pair.units:
            yield _unit_group(pair, role)
        for role, instance in pair.instances.items():
            if isinstance(instance, Ref):
                meaning = f"The instance that is the {role.lower()} of {pair.site}."
                body = {"Type": "AWS::EC2::Instance::Id", "Description": meaning}
                yield Entry(pair.id(f"{role}InstanceId"), body)
        for kind, _ in clients_of(pair):
            yield _client_range(pair, kind)


def _operator_range(kind: str) -> Entry:
    return Entry(
        OPERATOR[kind],
        {
            "Type": "String",
            "Description": f"Where operators and geoplan reach the units from, for example {EXAMPLE[kind]}.",
            "AllowedPattern": NARROW_RANGE[kind],
            "ConstraintDescription": f"a range of {FAMILY[kind]}, /{NARROWEST[kind]} or narrower",
        },
    )


def _unit_group(pair: BalancedPair, role: str) -> Entry:
    other = "slave" if role == "Master" else "master"
    meaning = f"A security group of the {role.lower()} of {pair.site}; it may be the {other}'s as well."
    return Entry(pair.id(f"{role}SecurityGroupId"), {"Type": "AWS::EC2::SecurityGroup::Id", "Description": meaning})


def _client_range(pair: BalancedPair, kind: str) -> Entry:
    internal = pair.balancer.scheme == "internal"
    meaning = f"Where clients of {pair.site} come from" + (", for example the range of its VPC." if internal else ".")
    default = {} if internal else {"Default": EVERYONE[kind]}
    return Entry(
        pair.id(CLIENTS[kind]),
        {
            "Type": "String",
            "Description": meaning,
            **default,
            "AllowedPattern": RANGE[kind],
            "ConstraintDescription": f"a range of {FAMILY[kind]}",
        },
    )
