"""Topology files that are right."""

from __future__ import annotations

from pathlib import Path

import pytest

from geoplan import InvalidInputError, Topology, UnusableFileError, check_topology, load_topology
from geoplan.topology.loader import check_text
from tests.conftest import TOPOLOGIES


def load(text: str) -> Topology:
    checked = check_text(text.encode(), path="test.yaml", default_name="test")
    assert checked.topology is not None, [str(diagnostic) for diagnostic in checked.diagnostics]
    return checked.topology


@pytest.mark.parametrize("path", sorted(TOPOLOGIES.glob("*.yaml")), ids=lambda path: path.stem)
def test_examples_have_no_faults(path: Path) -> None:
    assert check_topology(path).diagnostics == ()


def test_name_defaults_to_the_files_stem(tmp_path: Path) -> None:
    path = tmp_path / "north.yaml"
    path.write_text("sites: [{name: A, standalone: 172.24.1.5}]")

    assert load_topology(path).name == "north"


def test_names_keep_their_source_text() -> None:
    topology = load(
        "sites:\n"
        "  - {name: NO, standalone: 10.0.0.1}\n"
        "  - {name: 2024, standalone: 10.0.0.2}\n"
        "  - {name: 1e3, standalone: 10.0.0.3}\n"
    )

    assert [site.name for site in topology.sites] == ["NO", "2024", "1e3"]


def test_addresses_keep_their_source_text() -> None:
    topology = load("sites: [{name: A, standalone: 2001:10:20:30:40:50:10:20}, {name: B, standalone: 2001:0DB8::1}]")

    assert [site.units[0].address for site in topology.sites] == ["2001:10:20:30:40:50:10:20", "2001:0DB8::1"]


def test_group_names_and_members_keep_their_source_text() -> None:
    topology = load(
        "sites: [{name: NO, standalone: 10.0.0.1}, {name: 007, standalone: 10.0.0.2}]\ngroups: {1: [NO], 0x2: [007]}"
    )

    assert topology.groups == {"1": ("NO",), "0x2": ("007",)}


def test_unit_is_an_address_or_a_mapping() -> None:
    short = load("sites: [{name: A, standalone: 10.0.0.1}]")
    long = load("sites: [{name: A, standalone: {address: 10.0.0.1}}]")

    assert short == long


@pytest.mark.parametrize("members", ["Dublin, Straße", "dublin, STRASSE", "DUBLIN, strasse"])
def test_groups_name_their_sites_in_any_case(members: str) -> None:
    written = {"Oslo": "10.0.0.3", "Dublin": "10.0.0.1", "Straße": "10.0.0.2"}
    sites = ", ".join(f"{{name: {name}, standalone: {address}}}" for name, address in written.items())
    groups = load(f"sites: [{sites}]\ngroups: {{one: [{members}], two: [OSLO]}}").partner_groups()

    assert [[site.name for site in group.sites] for group in groups] == [["Dublin", "Straße"], ["Oslo"]]


def test_byte_order_mark_is_passed_over() -> None:
    assert check_text(b"\xef\xbb\xbfsites: [{name: A, standalone: 10.0.0.1}]", path="x", default_name="x").topology


def test_extra_access_may_stand_at_several_sites() -> None:
    topology = load(
        "sites:\n"
        "  - {name: A, standalone: 10.0.0.1, extra_remote_geo_access: [10.9.9.9]}\n"
        "  - {name: B, standalone: 10.0.0.2, extra_remote_geo_access: [10.9.9.9]}\n"
    )

    assert [site.extra_remote_geo_access for site in topology.sites] == [("10.9.9.9",)] * 2


def test_error_holds_every_diagnostic() -> None:
    malformed = Path(__file__).parent / "malformed" / "many-faults-at-once.yaml"
    with pytest.raises(InvalidInputError) as raised:
        load_topology(malformed)

    assert raised.value.exit_code == 2
    assert raised.value.diagnostics == check_topology(malformed).diagnostics
    assert len(raised.value.diagnostics) == 12


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableFileError, match=r"cannot read .*nowhere.yaml: No such file or directory"):
        load_topology(tmp_path / "nowhere.yaml")


def test_path_with_null_character_is_refused() -> None:
    with pytest.raises(UnusableFileError, match="cannot read"):
        load_topology("a\0b.yaml")


@pytest.mark.parametrize("stem", ["x" * 200, "   ", "a\tb"])
def test_any_file_name_gives_a_usable_name(stem: str) -> None:
    checked = check_text(b"sites: [{name: A, standalone: 10.0.0.1}]", path="x", default_name=stem)

    assert checked.topology is not None
    assert 0 < len(checked.topology.name) <= 64
