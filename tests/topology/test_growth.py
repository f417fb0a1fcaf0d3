"""Checking takes work that grows linearly with the sites; counted, so that a busy machine changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from geoplan.topology.loader import check_text
from geoplan.topology.rules import sites as rules_for_sites
from tests.growth import growth_of_calls

SMALL, LARGE = 25, 100


def site(number: int, **other: object) -> dict[str, Any]:
    """Write a site with everything that a rule looks at."""
    network = f"{number // 250}.{number % 250}"
    aws = {
        "region": "eu-west-1",
        "vpc_id": f"vpc-{number:08x}",
        "subnets": [{"subnet_id": f"subnet-{number:08x}", "allocation_id": f"eipalloc-{number:08x}"}],
        "listeners": [{"protocol": "TCP", "port": 80}, {"protocol": "TLS", "port": 443}],
    }
    master = {"address": f"10.{network}.1", "nat_address": f"11.{network}.1", "api": f"https://m{number}.example"}
    slave = {"address": f"10.{network}.2", "firmware": "7.2.60.0.22000", "instance_id": f"i-{number:017x}"}
    return {
        "name": f"Site {number}",
        "ha_pair": {"master": master, "slave": slave, "aws": aws},
        "extra_remote_geo_access": [f"12.{network}.1"],
        "cluster": {"name": f"Cluster {number}", "location": {"latitude": 1, "longitude": 2}},
        "virtual_services": [{"name": "web", "port": 80}, {"name": "api", "port": 8443}],
        **other,
    }


def sites(count: int, **other: object) -> list[dict[str, Any]]:
    return [site(number, **other) for number in range(count)]


def standalones(count: int, **unit: str) -> list[dict[str, Any]]:
    return [
        {"name": f"Site {number}", "standalone": {"address": f"10.{number // 250}.{number % 250}.1", **unit}}
        for number in range(count)
    ]


def names(count: int) -> list[str]:
    return [f"Site {number}" for number in range(count)]


DOCUMENTS: dict[str, Callable[[int], dict[str, Any]]] = {
    "one group": lambda count: {"sites": sites(count)},
    "a group for each site": lambda count: {"sites": sites(count), "groups": {name: [name] for name in names(count)}},
    "all in two groups": lambda count: {"sites": sites(count), "groups": {"a": names(count), "b": names(count)}},
    "one name": lambda count: {"sites": sites(count, name="A")},
    "one name of clusters": lambda count: {"sites": sites(count, cluster={"name": "A"})},
    "one address": lambda count: {"sites": standalones(count, address="10.0.0.1")},
    "one URL": lambda count: {"sites": standalones(count, api="https://a.example")},
    "one instance": lambda count: {"sites": standalones(count, instance_id="i-0123456789abcdef0")},
    "one address from outside": lambda count: {"sites": sites(count, extra_remote_geo_access=["10.0.0.1"])},
    "addresses from outside": lambda count: {
        "sites": [site(0, extra_remote_geo_access=[f"12.0.{number}.1" for number in range(count)])]
    },
    "services": lambda count: {
        "sites": [site(0, virtual_services=[{"name": f"s{number}", "port": number + 1} for number in range(count)])]
    },
    "misspelt keys": lambda count: {"sites": [{"nme": name, "standalne": "10.0.0.1"} for name in names(count)]},
    "empty keys": lambda count: {"sites": sites(count, api_port=None)},
    "unknown sites in groups": lambda count: {
        "sites": sites(count),
        "groups": {"a": [name.replace("Site", "Sight") for name in names(count)]},
    },
}


@pytest.mark.parametrize("shape", DOCUMENTS)
def test_work_of_checking_grows_with_the_sites(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules_for_sites, "MAX_COMPARED", 10 * SMALL)
    contents = {count: json.dumps(DOCUMENTS[shape](count)).encode() for count in (SMALL, LARGE)}

    def check(count: int) -> None:
        check_text(contents[count], path="large.yaml", default_name="large")

    assert growth_of_calls(check, small=SMALL, large=LARGE) < 1.15 * LARGE / SMALL


@pytest.mark.parametrize(("compared", "with_suggestion"), [(1, 1), (4, 2), (rules_for_sites.MAX_COMPARED, 3)])
def test_the_sites_that_were_meant_are_looked_for_within_a_limit(
    compared: int, with_suggestion: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules_for_sites, "MAX_COMPARED", compared)
    document = {"sites": standalones(3), "groups": {"a": ["Sight 0", "Sight 1", "Sight 2"]}}
    found = check_text(json.dumps(document).encode(), path="groups.yaml", default_name="groups").diagnostics
    unknown = [each for each in found if each.code == "GEO405"]
    assert len(unknown) == 3
    assert sum("did you mean" in each.hint for each in unknown) == with_suggestion
