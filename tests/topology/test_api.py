"""Where the API of a unit is, and what says so."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from geoplan.topology.api import PortSource, ReachedApi, UnitApi, api_of, apis_of
from geoplan.topology.model import Topology
from geoplan.topology.partial import partial_topology
from tests.topologies import IN_AWS, topologies


def site(*, aws: bool = False, unit: object = "10.1.1.5", **keys: object) -> dict[str, Any]:
    pair = {"master": unit, "slave": "10.1.2.5"}
    return {"name": "A", "ha_pair": {**pair, "aws": IN_AWS} if aws else pair, **keys}


def api_of_master(*sites: dict[str, Any], **top: object) -> UnitApi:
    topology = Topology.model_validate({"sites": sites, **top})
    return api_of(topology, topology.sites[0], topology.sites[0].units[0])


@pytest.mark.parametrize(
    ("written", "top", "expected"),
    [
        (site(), {}, ("https://10.1.1.5", 443, PortSource.DEFAULT)),
        (site(aws=True), {}, ("https://10.1.1.5:8443", 8443, PortSource.AWS)),
        (site(), {"api_port": 9443}, ("https://10.1.1.5:9443", 9443, PortSource.TOPOLOGY)),
        (site(aws=True), {"api_port": 443}, ("https://10.1.1.5", 443, PortSource.TOPOLOGY)),
        (site(aws=True, api_port=443), {"api_port": 9443}, ("https://10.1.1.5", 443, PortSource.SITE)),
        (
            site(aws=True, unit={"address": "10.1.1.5", "api": "https://10.1.1.5"}, api_port=9443),
            {},
            ("https://10.1.1.5", 443, PortSource.API),
        ),
        (site(aws=True, unit="2001:db8::5"), {}, ("https://[2001:db8::5]:8443", 8443, PortSource.AWS)),
    ],
    ids=["default", "aws", "file", "file before aws", "site before file", "unit before site", "IPv6"],
)
def test_what_is_nearest_to_the_unit_says_its_port(
    written: dict[str, Any], top: dict[str, Any], expected: tuple[str, int, PortSource]
) -> None:
    url, port, source = expected

    assert api_of_master(written, **top) == UnitApi(url, port, source, unit_port=port)


@pytest.mark.parametrize(
    ("api", "unit_port"),
    [
        ("https://bastion.example:9001", 8443),  # passed on to the unit, on what port nothing says
        ("https://10.1.2.5:9001", 8443),
        ("https://10.1.1.5:9001", 9001),
    ],
)
def test_a_url_of_another_host_says_nothing_of_the_port_on_the_unit(api: str, unit_port: int) -> None:
    found = api_of_master(site(aws=True, unit={"address": "10.1.1.5", "api": api}))

    assert found == UnitApi(api, 9001, PortSource.API, unit_port)


def test_a_url_on_the_units_own_address_is_known_in_any_spelling() -> None:
    found = api_of_master(site(aws=True, unit={"address": "2001:db8::5", "api": "https://[2001:DB8:0::5]:9001"}))

    assert found.unit_port == 9001


def test_a_standalone_beside_a_pair_in_aws_stays_on_443() -> None:
    topology = Topology.model_validate({"sites": [site(aws=True), {"name": "B", "standalone": "10.2.0.5"}]})

    assert [api.port for api in apis_of(topology).values()] == [8443, 8443, 443]


@given(topologies(with_apis=True))
def test_rules_see_each_unit_where_everything_else_does(topology: Topology) -> None:
    partial = partial_topology(topology.model_dump(mode="json"))
    seen = [(each.api_port_on(unit), each.api_place_of(unit)) for each in partial.sites for unit in each.units]
    used = [api for each in topology.sites for unit in each.units for api in [api_of(topology, each, unit)]]

    assert [port for port, _ in seen] == [api.unit_port for api in used]
    assert [place[1] if place else None for _, place in seen] == [api.port for api in used]


@pytest.mark.parametrize(
    ("url", "port"), [("https://10.1.1.5", 443), ("https://10.1.1.5:8443", 8443), ("https://[2001:db8::5]", 443)]
)
def test_a_port_is_told_whether_the_url_names_it_or_not(url: str, port: int) -> None:
    assert ReachedApi(url, PortSource.API).said_by == f"port {port}, from its api"
