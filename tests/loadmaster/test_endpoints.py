"""The endpoints file, and the access that comes of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoplan.addresses import same_addresses
from geoplan.errors import GeoplanError, NotInLabError, UnusableFileError
from geoplan.loadmaster import (
    CaFile,
    Endpoints,
    Insecure,
    Pinned,
    Secret,
    SystemTrust,
    UnitEndpoint,
    UserPassword,
    load_endpoints,
    unit_connections,
)
from geoplan.loadmaster.endpoints import read_endpoints
from geoplan.loadmaster.ha import look_up
from geoplan.loadmaster.pins import fetch_pins, joined
from geoplan.topology.model import Topology
from tests.loadmaster.support import UNIT, V2, endpoints_of, example, lab, run

PIN = "sha256:" + "ab" * 32
CREDENTIALS = UserPassword("bal", Secret("x"))


def test_what_the_lab_writes_is_read() -> None:
    async def act() -> None:
        async with lab(firmware=V2) as running:
            endpoints = endpoints_of(running)
            assert list(endpoints.units) == list(running.endpoints.units)
            for address, unit in running.endpoints.units.items():
                assert endpoints.unit(address) == UnitEndpoint(unit.api, unit.health, unit.fingerprint)
            assert endpoints.control == running.endpoints.control

    run(act())


def test_a_unit_is_known_in_every_spelling_and_a_new_one_not() -> None:
    endpoints = read_endpoints(f"units: {{2001:DB8:0::5: {{fingerprint: '{PIN}'}}}}".encode(), "f")
    assert endpoints.unit("2001:db8::5").fingerprint == PIN
    assert endpoints.unit("10.0.0.1") == UnitEndpoint()


def test_what_is_written_is_what_is_read() -> None:
    endpoints = Endpoints({UNIT: UnitEndpoint("https://a:1", None, PIN), "::2": UnitEndpoint()}, "http://127.0.0.1:1")
    again = read_endpoints(endpoints.to_yaml().encode(), "f")
    assert (dict(again.units), again.control) == (endpoints.units, endpoints.control)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "the file is not a mapping"),
        ("units: 1", "units is not a mapping"),
        ("other: 1", "unknown key 'other'"),
        ("units: {x: {}}", "units: x: that is not an address"),
        ("units: {10.0.0.1: {apis: x}}", "unknown key 'apis' (did you mean 'api'?); its keys are api, health and"),
        ("units: {10.0.0.1: {api: 'http://a'}}", "units: 10.0.0.1: api: that is not a URL with https://"),
        ("units: {10.0.0.1: {api: 'https://u:p@a'}}", "that is not a URL"),
        ("units: {10.0.0.1: {api: 'https://a:99999'}}", "that is not a URL"),
        ("units: {10.0.0.1: {api: [1]}}", "that is not a URL"),
        ("units: {10.0.0.1: {health: 'ftp://a'}}", "http:// or https://"),
        ("units: {10.0.0.1: {fingerprint: abc}}", "not a SHA-256 fingerprint"),
        ("units: {10.0.0.1: {}, 10.0.0.1: {}}", "given twice"),
        ("units: {", "line 1"),
        ("units:\n  " + "[" * 2000, "line 2: values are nested more than 32 deep"),
    ],
)
def test_a_wrong_file_is_told(content: str, reason: str) -> None:
    with pytest.raises(UnusableFileError) as caught:
        read_endpoints(content.encode(), "pins.yaml")
    assert str(caught.value).startswith("pins.yaml is not a usable endpoints file: ")
    assert reason in str(caught.value)
    assert caught.value.hint


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnusableFileError, match="cannot read"):
        load_endpoints(tmp_path / "none.yaml")


@given(st.binary(max_size=100) | st.text(alphabet="units: {}[]10.,*&!'\n-api", max_size=60).map(str.encode))
def test_no_content_brings_the_reader_down(content: bytes) -> None:
    reason = ""
    try:
        read_endpoints(content, "f")
    except GeoplanError as error:
        reason = str(error)
    assert reason.isprintable()


def test_access_comes_from_the_topology_unless_endpoints_know_better() -> None:
    endpoints = Endpoints({UNIT: UnitEndpoint("https://127.0.0.1:1", "http://127.0.0.1:2", PIN)})
    plain = unit_connections(example(), lambda _: CREDENTIALS)
    known = unit_connections(example(), lambda _: CREDENTIALS, endpoints=endpoints, trust=CaFile("ca.pem"))
    assert list(plain) == ["172.24.1.5", "172.24.1.6", "172.24.1.8", "172.24.1.7", "172.24.1.9", "172.24.1.10"]
    assert (plain[UNIT].api_url, plain[UNIT].health_url) == ("https://172.24.1.5", "http://172.24.1.5:8444")
    assert (plain[UNIT].trust, plain["172.24.1.9"].health_url) == (SystemTrust(), None)
    assert (known[UNIT].api_url, known[UNIT].health_url) == ("https://127.0.0.1:1", "http://127.0.0.1:2")
    assert known[UNIT].trust == Pinned(PIN)
    assert known["172.24.1.6"].trust == CaFile("ca.pem")


def test_a_pin_holds_even_where_all_others_are_trusted_blindly() -> None:
    endpoints = Endpoints({UNIT: UnitEndpoint(fingerprint=PIN)})
    units = unit_connections(example(), lambda _: CREDENTIALS, endpoints=endpoints, trust=Insecure())
    assert (units[UNIT].trust, units["172.24.1.6"].trust) == (Pinned(PIN), Insecure())


@pytest.mark.parametrize(("firmware", "version"), [("7.2.48.9", 1), ("7.2.51.0", 1), ("7.2.52.0", None), (None, None)])
def test_old_firmware_in_the_topology_means_the_old_format(firmware: str | None, version: int | None) -> None:
    unit = {"address": "2001:db8::5", "firmware": firmware, "api": "https://lb.example:8443"}
    topology = Topology.model_validate({"sites": [{"name": "A", "standalone": unit}]})
    (access,) = unit_connections(topology, lambda _: CREDENTIALS).values()
    assert (access.api_version, access.api_url) == (version, "https://lb.example:8443")


@pytest.mark.parametrize("firmware", [None, "7.2.48.3", "7.2.59.4"])
@pytest.mark.parametrize("version", [1, 2])
def test_version_in_the_topology_decides_whatever_the_firmware(firmware: str | None, version: int) -> None:
    unit = {"address": "10.0.0.1", "firmware": firmware, "api_version": version}
    topology = Topology.model_validate({"sites": [{"name": "A", "standalone": unit}]})
    (access,) = unit_connections(topology, lambda _: CREDENTIALS).values()
    assert access.api_version == version


def test_names_are_looked_up_but_for_those_of_a_lab() -> None:
    addresses = [unit.address for site in example().sites for unit in site.units]
    served = {
        each: UnitEndpoint(f"https://127.0.0.1:{port}", "http://127.0.0.1:99", PIN)
        for port, each in enumerate(addresses, 1)
    }
    endpoints = replace(LAB, units=served)
    in_lab = unit_connections(example(), lambda _: CREDENTIALS, endpoints=endpoints)
    real = unit_connections(example(), lambda _: CREDENTIALS, endpoints=replace(endpoints, control=None))
    assert {access.resolve for access in real.values()} == {look_up}
    assert {access.resolve for access in in_lab.values()} == {None}


def test_addresses_compare_as_sets_by_what_they_mean() -> None:
    assert same_addresses(["2001:DB8::5", "10.0.0.1"], ["10.0.0.1", "2001:db8:0::5"])
    assert not same_addresses(["10.0.0.1"], ["10.0.0.1", "10.0.0.2"])


LAB = Endpoints(
    {
        "172.24.1.5": UnitEndpoint("https://127.0.0.1:1", "http://127.0.0.1:2", PIN),
        "172.24.1.6": UnitEndpoint("https://127.0.0.1:3", "http://127.0.0.1:4", PIN),
        "172.24.1.8": UnitEndpoint("https://127.0.0.1:5", None, PIN),
        "172.24.1.9": UnitEndpoint("https://127.0.0.1:7", None, PIN),
        "172.24.1.10": UnitEndpoint(None, None, PIN),
    },
    "http://127.0.0.1:9",
)


def test_unit_that_a_lab_does_not_serve_is_never_reached_at_its_real_address() -> None:
    def no_credentials(address: str) -> UserPassword:
        raise AssertionError(f"asked for the credentials of {address}")

    with pytest.raises(NotInLabError) as caught:
        unit_connections(example(), no_credentials, endpoints=LAB)
    assert caught.value.units == (
        "172.24.1.8 ('HA Pair 2')",  # its health check would be the real one
        "172.24.1.7 ('HA Pair 2')",
        "172.24.1.10 ('Standalone LoadMaster 2')",
    )
    assert "geoplan lab" in (caught.value.hint or "")
    with pytest.raises(NotInLabError):
        asyncio.run(fetch_pins(example(), LAB))
    with pytest.raises(NotInLabError):
        asyncio.run(fetch_pins(example(), Endpoints(), LAB))


def test_file_that_is_no_lab_s_may_leave_units_out() -> None:
    assert len(unit_connections(example(), lambda _: CREDENTIALS, endpoints=replace(LAB, control=None))) == 6


def test_units_of_the_network_never_become_those_of_a_lab() -> None:
    of_network = Endpoints({"172.24.1.5": UnitEndpoint("https://172.24.1.5")})
    assert not joined(of_network, LAB).is_lab
    assert joined(Endpoints(), LAB).is_lab
    assert joined(LAB, of_network).control == LAB.control


def test_what_one_file_leaves_out_comes_from_the_other_in_whatever_spelling_of_the_address() -> None:
    first = Endpoints({"2001:DB8::5": UnitEndpoint(), "10.0.0.1": UnitEndpoint("https://a")})
    second = Endpoints({"2001:db8:0::5": UnitEndpoint("https://b", None, PIN), "10.0.0.1": UnitEndpoint("https://c")})
    both = joined(first, second)
    assert (both.unit("2001:db8::5"), both.unit("10.0.0.1").api) == (UnitEndpoint("https://b", None, PIN), "https://a")
    assert list(both.units) == list(first.units)


def test_lab_is_known_by_its_control_endpoint_and_its_certificates_in_whatever_order_and_spelling() -> None:
    units = {"2001:DB8::5": UnitEndpoint(fingerprint=PIN), "10.0.0.1": UnitEndpoint("https://a")}
    lab = Endpoints(units, "http://127.0.0.1:9")
    same = Endpoints(
        {"10.0.0.1": UnitEndpoint("https://a"), "2001:db8:0::5": UnitEndpoint(fingerprint=PIN)}, "http://127.0.0.1:9"
    )
    others = [
        replace(lab, control="http://127.0.0.1:10"),
        replace(lab, units={**units, "10.0.0.1": UnitEndpoint("https://a", fingerprint=PIN)}),
        replace(lab, units={"10.0.0.1": UnitEndpoint("https://a")}),
    ]
    assert lab.lab_id == same.lab_id
    assert len({lab.lab_id, *(other.lab_id for other in others)}) == 4
    assert replace(lab, control=None).lab_id is None


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("units: []\n", "units"),
        ("units:\n", "units"),
        ("{}\n", "it names no unit"),
        ("units: {}\n", "it names no unit"),
        ("control:\nunits: {172.24.1.5: {api: 'https://127.0.0.1:1'}}\n", "control: it has no value"),
    ],
)
def test_a_file_that_was_emptied_or_cut_off_is_no_way_to_the_real_units(content: str, fault: str) -> None:
    with pytest.raises(UnusableFileError, match=fault):
        read_endpoints(content.encode(), "lab.yaml")
