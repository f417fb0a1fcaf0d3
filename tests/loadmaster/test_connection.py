"""Where a unit is reached, and what is said where it is not: which port, why that one, and how to name another."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import httpx
import pytest
from hypothesis import given

from geoplan.errors import UnitError, UnusableFileError
from geoplan.live.model import failure_of
from geoplan.loadmaster import (
    Endpoints,
    LoadMaster,
    Retries,
    Secret,
    UnitConnection,
    UnitEndpoint,
    UserPassword,
    unit_connections,
)
from geoplan.loadmaster.connection import require_one_api_each
from geoplan.loadmaster.pins import PinState, fetch_pins
from geoplan.topology.api import PortSource, apis_of
from geoplan.topology.model import Topology
from tests.loadmaster.support import run
from tests.topologies import IN_AWS, topologies

MASTER = "10.1.1.5"
IN_REACH = {"master": MASTER, "slave": "10.1.2.5"}

OF_TOPOLOGIES = [source for source in PortSource if source is not PortSource.OPTION]
SITES: dict[PortSource, tuple[dict[str, Any], dict[str, Any]]] = {
    PortSource.DEFAULT: ({"ha_pair": IN_REACH}, {}),
    PortSource.AWS: ({"ha_pair": {**IN_REACH, "aws": IN_AWS}}, {}),
    PortSource.TOPOLOGY: ({"ha_pair": IN_REACH}, {"api_port": 9443}),
    PortSource.SITE: ({"ha_pair": IN_REACH, "api_port": 9444}, {"api_port": 9443}),
    PortSource.API: ({"ha_pair": {**IN_REACH, "master": {"address": MASTER, "api": "https://10.1.1.5:9445"}}}, {}),
    PortSource.ENDPOINTS: ({"ha_pair": IN_REACH, "api_port": 9444}, {}),
}
SAID: dict[PortSource, tuple[int, str, str]] = {
    PortSource.DEFAULT: (443, "the default", "write api_port: PORT on its site"),
    PortSource.AWS: (8443, "the default of a pair with aws", "write api_port: PORT on its site"),
    PortSource.TOPOLOGY: (9443, "from api_port at the top of the topology", "or write api_port: PORT on its site"),
    PortSource.SITE: (9444, "from api_port of its site", "correct api_port of its site"),
    PortSource.API: (9445, "from its api", "correct its api in the topology"),
    PortSource.ENDPOINTS: (9446, "from the endpoints file", "correct its api in the endpoints file"),
}


def connection_by(source: PortSource) -> UnitConnection:
    site, top = SITES[source]
    topology = Topology.model_validate({"sites": [{"name": "A", **site}], **top})
    endpoints = Endpoints({MASTER: UnitEndpoint("https://10.1.1.5:9446")} if source is PortSource.ENDPOINTS else {})
    return unit_connections(topology, lambda _: UserPassword("bal", Secret("pw")), endpoints=endpoints)[MASTER]


def failure_with(connection: UnitConnection, transport: httpx.AsyncBaseTransport) -> UnitError:
    async def act() -> UnitError:
        async with LoadMaster(connection, transport=transport, retries=Retries(attempts=1)) as unit:
            with pytest.raises(UnitError) as raised:
                await unit.firmware()
        return raised.value

    return asyncio.run(act())


@pytest.mark.parametrize("source", OF_TOPOLOGIES)
def test_a_refused_port_is_named_with_why_it_was_used_and_how_to_name_another(source: PortSource) -> None:
    tried: list[tuple[str, int]] = []

    async def refuse(request: httpx.Request) -> httpx.Response:
        tried.append((request.url.host, request.url.port or 443))
        raise httpx.ConnectError("refused") from ConnectionRefusedError()

    port, why, change = SAID[source]
    error = failure_with(connection_by(source), httpx.MockTransport(refuse))

    assert f"(port {port}, {why}): connection refused" in str(error)
    assert change in (error.hint or "")
    assert failure_of(error).hint == error.hint  # so that status and diff say it as well
    assert set(tried) == {(MASTER, port)}  # never at another port, be it the usual one


@pytest.mark.parametrize("source", OF_TOPOLOGIES)
def test_a_page_in_place_of_the_api_is_told_with_the_port(source: PortSource) -> None:
    async def page(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, html="<html><title>Shop</title></html>")

    port, why, change = SAID[source]
    error = failure_with(connection_by(source), httpx.MockTransport(page))

    assert f"port {port}, {why}" in (error.hint or "")
    assert change in (error.hint or "")
    assert failure_of(error).hint == error.hint


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_trust_says_it_too() -> None:
    port = free_port()
    topology = Topology.model_validate({"sites": [{"name": "A", "standalone": MASTER}]})
    known = Endpoints({MASTER: UnitEndpoint(f"https://127.0.0.1:{port}")})

    async def act() -> None:
        (unit,) = await fetch_pins(topology, known)
        assert unit.state is PinState.UNREACHABLE
        assert f"(port {port}, from the endpoints file): connection refused" in str(unit)
        assert "hint: check that the unit is up" in str(unit)
        assert unit.as_dict()["hint"] == unit.hint

    run(act())


@given(topologies(max_sites=6, with_apis=True))
def test_every_unit_is_reached_where_the_topology_says_and_told_why(topology: Topology) -> None:
    connections = unit_connections(topology, lambda _: UserPassword("bal", Secret("pw")))

    for address, api in apis_of(topology).items():
        assert (connections[address].api_url, connections[address].port_source) == (api.url, api.source)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://[::ffff:10.0.0.9]:443", "have one API"),
        ("https://0xa000009", "have one API"),
        ("https://167772169:8443", "the address of 10.0.0.9"),
        ("https://10.0.0.9.:9001", "the address of 10.0.0.9"),
    ],
)
def test_a_url_at_another_units_address_is_refused_in_every_spelling(url: str, words: str) -> None:
    with pytest.raises(UnusableFileError, match=words):
        require_one_api_each({"10.0.0.9": "https://10.0.0.9", "10.0.0.1": url})
    with pytest.raises(UnusableFileError, match=words):
        require_one_api_each({"10.0.0.1": url, "10.0.0.9": "https://10.0.0.9"})


def test_units_behind_one_host_are_told_apart_by_their_ports() -> None:
    require_one_api_each({"10.0.0.1": "https://127.0.0.1:9001", "10.0.0.2": "https://0x7f000001:9002"})
