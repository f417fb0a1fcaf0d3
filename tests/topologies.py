"""Topologies for tests: drawn ones of 1 to 40 sites, with groups, IPv6, NAT; and a large one."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from geoplan import Topology

MAX_SITES = 40

host_numbers = st.integers(1, 2**16 - 2)
letters = st.characters(categories=["L", "N", "P", "S"], exclude_characters="\N{REPLACEMENT CHARACTER}")
api_ports = st.sampled_from([443, 8443, 9443])
IN_AWS = {
    "region": "eu-west-1",
    "vpc_id": "vpc-0a1b2c3d",
    "subnets": [{"subnet_id": "subnet-0a1b2c3d"}],
    "listeners": [{"protocol": "TCP", "port": 80}],
}
names = st.text(letters, min_size=1, max_size=20)


def _address(number: int, family: str) -> str:
    if family == "IPv4":
        return f"10.{number >> 16}.{(number >> 8) & 255}.{number & 255}"
    return f"2001:db8::{number:x}"


@st.composite
def topologies(
    draw: st.DrawFn, *, max_sites: int = MAX_SITES, with_groups: bool = True, with_apis: bool = False
) -> Topology:
    """Draw a topology that keeps all rules; ``with_apis`` some pairs in AWS, and ports and URLs of APIs."""
    count = draw(st.integers(1, max_sites))
    own_names = draw(st.lists(names, min_size=count, max_size=count, unique_by=_folded))
    numbers = iter(draw(st.lists(host_numbers, min_size=4 * count, max_size=4 * count, unique=True)))
    extra = iter(range(2**17, 2**17 + count))
    url_ports = iter(range(20_000, 20_000 + 2 * count))

    def unit() -> dict[str, Any]:
        drawn = {"address": _address(next(numbers), draw(st.sampled_from(["IPv4", "IPv6"])))}
        if draw(st.integers(0, 4)) == 0:
            drawn["nat_address"] = _address(next(numbers), "IPv4")
        if with_apis and draw(st.integers(0, 4)) == 0:
            drawn["api"] = f"https://{draw(_hosts(drawn['address']))}:{next(url_ports)}"
        return drawn

    sites = []
    for name in own_names:
        site: dict[str, Any] = {"name": name}
        if draw(st.booleans()):
            preferred_host = draw(st.sampled_from(["master", "none"]))
            site["ha_pair"] = {"master": unit(), "slave": unit(), "preferred_host": preferred_host}
            if with_apis and draw(st.booleans()):
                site["ha_pair"]["aws"] = IN_AWS
        else:
            site["standalone"] = unit()
        if draw(st.integers(0, 4)) == 0:
            site["extra_remote_geo_access"] = [_address(next(extra), "IPv4")]
        if with_apis and draw(st.integers(0, 4)) == 0:
            site["api_port"] = draw(api_ports)
        sites.append(site)

    document: dict[str, Any] = {"name": "drawn", "sites": sites, "limits": {"max_clusters": max_sites}}
    if with_groups and draw(st.booleans()):
        document["groups"] = draw(_groups(own_names))
    if with_apis and draw(st.integers(0, 4)) == 0:
        document["api_port"] = draw(api_ports)
    return Topology.model_validate(document)


def _hosts(address: str) -> st.SearchStrategy[str]:
    own = f"[{address}]" if ":" in address else address
    return st.sampled_from([own, "bastion.example"])


@st.composite
def _groups(draw: st.DrawFn, site_names: list[str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name in draw(st.permutations(site_names)):
        groups.setdefault(f"group {draw(st.integers(1, 4))}", []).append(name)
    return groups


def _folded(name: str) -> str:
    from geoplan.wording import folded

    return folded(name)


def large_topology(sites: int) -> str:
    """Write a topology of one group, two thirds of it HA pairs."""
    lines = [f"limits: {{max_clusters: {sites}}}", "sites:"]
    for number in range(sites):
        network = f"10.{number // 250}.{number % 250}"
        lines.append(f"  - name: Site {number}")
        if number % 3:
            lines.append(f"    ha_pair: {{master: {network}.5, slave: {network}.6}}")
        else:
            lines.append(f"    standalone: {network}.5")
    return "\n".join(lines)


def topology_of_groups(groups: int) -> Topology:
    """Return so many groups of two pairs and a standalone."""
    return Topology.model_validate(document_of_groups(groups))


def document_of_groups(groups: int) -> dict[str, Any]:
    """Return a file's content with so many groups of two pairs and a standalone."""
    sites: list[dict[str, object]] = []
    for number in range(groups):
        subnet = f"10.{number // 250}.{number % 250}"
        sites += [
            {"name": f"A{number}", "ha_pair": {"master": f"{subnet}.1", "slave": f"{subnet}.2"}},
            {"name": f"B{number}", "ha_pair": {"master": f"{subnet}.3", "slave": f"{subnet}.4"}},
            {"name": f"C{number}", "standalone": f"{subnet}.5"},
        ]
    members = {f"g{number}": [f"{name}{number}" for name in "ABC"] for number in range(groups)}
    return {"sites": sites, "groups": members}
