"""One template: for the load balancers of the HA pairs of one region, from a topology."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from geoplan.render.cloudformation.balancer import balancer, outputs
from geoplan.render.cloudformation.pairs import BalancedPair, pairs_for
from geoplan.render.cloudformation.parameters import parameters
from geoplan.render.cloudformation.security_groups import balancer_group, conditions, refuse_clashing_ports, unit_rules
from geoplan.render.cloudformation.yaml import Entry, Function, Ref, as_yaml, section

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from geoplan.topology.model import Topology


def render(topology: Topology, site: str | None = None, *others: str) -> str:
    """Return a template in YAML, for named sites or for all that have ``aws``; the same text for the same topology.

    Presumes that the topology's rules hold. Raises :class:`geoplan.errors.GeoplanError` where a template cannot be: see
    :func:`pairs_for`, and for ports and tags that AWS or HA does not bear.
    """
    pairs = pairs_for(topology, () if site is None else (site, *others))
    for pair in pairs:
        refuse_clashing_ports(pair)
    region = pairs[0].balancer.region
    sections = (
        _head(topology, pairs, region),
        section("Parameters", parameters(pairs)),
        section("Rules", _rules(pairs, region)),
        section("Conditions", (entry for pair in pairs for entry in conditions(pair))),
        section("Resources", (entry for pair in pairs for entry in _resources(pair))),
        section("Outputs", (entry for pair in pairs for entry in outputs(pair))),
    )
    return "\n".join(sections)


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


def _rules(pairs: Sequence[BalancedPair], region: str) -> Iterator[Entry]:
    """Yield what CloudFormation refuses before it makes anything."""
    here = Function("Equals", (Ref("AWS::Region"), region))
    yield _assertion("RightRegion", here, f"These subnets, instances and certificates are in {region}: deploy there.")
    for one, other in combinations(pairs, 2):
        different = tuple(
            Function("Not", (Function("Equals", (Ref(one.id(own)), Ref(other.id(its)))),))
            for own in ("MasterSecurityGroupId", "SlaveSecurityGroupId")
            for its in ("MasterSecurityGroupId", "SlaveSecurityGroupId")
        )
        words = "Two pairs cannot share a security group: a group has a rule once, and both would add the same."
        yield _assertion(f"{one.prefix}And{other.prefix}HaveTheirOwnGroups", Function("And", different), words)


def _assertion(name: str, assertion: Function, words: str) -> Entry:
    return Entry(name, {"Assertions": [{"Assert": assertion, "AssertDescription": words}]})


def _resources(pair: BalancedPair) -> Iterator[Entry]:
    yield from balancer(pair)
    yield from balancer_group(pair)
    yield from unit_rules(pair)
