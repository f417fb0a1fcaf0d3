"""One template: for the load balancers of the HA pairs of one region, from a topology."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple, cast

from geoplan.render.cloudformation.balancer import balancer, outputs
from geoplan.render.cloudformation.limits import require_to_fit
from geoplan.render.cloudformation.pairs import BalancedPair, pairs_for
from geoplan.render.cloudformation.security_groups import (
    CLIENTS,
    OPERATOR,
    balancer_group,
    clients_of,
    conditions,
    operators_kind,
    unit_rules,
)
from geoplan.render.cloudformation.yaml import Entry, Function, Ref, as_yaml, section
from geoplan.topology.rules import require_well_formed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from geoplan.topology.model import Topology

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


class Template(NamedTuple):
    """A template in YAML, and for what it is."""

    text: str
    pairs: tuple[BalancedPair, ...]
    needed_parameters: tuple[str, ...]
    """The names of the parameters that a deployment has to give: those without a default."""

    @property
    def region(self) -> str:
        """The only region in which it can be deployed."""
        return self.pairs[0].balancer.region


def render(topology: Topology, site: str | None = None, *others: str) -> str:
    """Return the text of the template of :func:`make_template`."""
    return make_template(topology, site, *others).text


def make_template(topology: Topology, site: str | None = None, *others: str) -> Template:
    """Return a template, for named sites or for all that have ``aws``; the same text for the same topology.

    Raises :class:`geoplan.errors.InvalidInputError` where the topology breaks its rules, and
    :class:`geoplan.errors.GeoplanError` where a template of these sites cannot be: see :func:`pairs_for` and
    :func:`require_to_fit`. Nothing else is refused: what ``geoplan check`` takes can be built.
    """
    require_well_formed(topology)
    pairs = pairs_for(topology, () if site is None else (site, *others))
    region = pairs[0].balancer.region
    sections = {
        "Parameters": list(_parameters(pairs)),
        "Rules": list(_rules(pairs, region)),
        "Conditions": [entry for pair in pairs for entry in conditions(pair)],
        "Resources": [entry for pair in pairs for entry in _resources(pair)],
        "Outputs": [entry for pair in pairs for entry in outputs(pair)],
    }
    written = (_head(topology, pairs, region), *(section(name, entries) for name, entries in sections.items()))
    text = "\n".join(written)
    require_to_fit(text, {name: len(entries) for name, entries in sections.items()}, pairs)
    needed = tuple(
        entry.id for entry in sections["Parameters"] if "Default" not in cast("dict[str, object]", entry.body)
    )
    return Template(text, pairs, needed)


def _head(topology: Topology, pairs: Sequence[BalancedPair], region: str) -> str:
    of = pairs[0].site if len(pairs) == 1 else f"{len(pairs)} sites"
    return as_yaml(
        {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": f"Network Load Balancing of {of} in {region}, from the topology {topology.name} (geoplan)",
            "Metadata": {
                "Geoplan": {"Topology": topology.name, "Sites": [pair.site for pair in pairs], "Region": region}
            },
        }
    )


def _parameters(pairs: Sequence[BalancedPair]) -> Iterator[Entry]:
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


def _rules(pairs: Sequence[BalancedPair], region: str) -> Iterator[Entry]:
    """Yield what CloudFormation refuses before it makes anything."""
    here = Function("Equals", (Ref("AWS::Region"), region))
    words = f"These subnets, instances and certificates are in {region}: deploy there."
    yield Entry("RightRegion", {"Assertions": [_assertion(here, words)]})
    if len(pairs) > 1:
        yield Entry("PairsHaveTheirOwnGroups", {"Assertions": [_own_groups(*two) for two in combinations(pairs, 2)]})


def _own_groups(one: BalancedPair, other: BalancedPair) -> dict[str, object]:
    different = tuple(
        Function("Not", (Function("Equals", (Ref(one.id(own)), Ref(other.id(its)))),))
        for own in ("MasterSecurityGroupId", "SlaveSecurityGroupId")
        for its in ("MasterSecurityGroupId", "SlaveSecurityGroupId")
    )
    words = (
        f"{one.site} and {other.site} cannot share a security group: a group has a rule once, and both add the same."
    )
    return _assertion(Function("And", different), words)


def _assertion(assertion: Function, words: str) -> dict[str, object]:
    return {"Assert": assertion, "AssertDescription": words}


def _resources(pair: BalancedPair) -> Iterator[Entry]:
    yield from balancer(pair)
    yield from balancer_group(pair)
    yield from unit_rules(pair)
