"""Parts of a topology: whole groups, by names that people may write in another way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from geoplan import GeoplanError, InvalidInputError, Topology, load_topology, only_groups
from geoplan.topology.names import group_named, site_named
from geoplan.topology.part import groups_of_sites
from geoplan.wording import MAX_LISTED
from tests.conftest import TOPOLOGIES


def fleet() -> Topology:
    return load_topology(TOPOLOGIES / "fleet.yaml")


def of_groups(groups: Mapping[str, Sequence[str]] | None) -> Topology:
    names = [name for members in (groups or {"": ["A", "B"]}).values() for name in members]
    sites = [{"name": name, "standalone": f"10.0.{n >> 8}.{n & 255}"} for n, name in enumerate(names, start=1)]
    return Topology.model_validate({"sites": sites, **({"groups": groups} if groups else {})})


def test_a_part_has_the_sites_of_its_groups_and_no_others_in_the_order_of_the_whole() -> None:
    part = only_groups(fleet(), ["clinic", "shop"])
    assert [site.name for site in part.sites] == [
        *("Shop Dublin", "Shop Frankfurt"),
        *("Clinic Oslo", "Clinic Bergen", "Clinic Tromsø"),
    ]
    assert [group.name for group in part.partner_groups()] == ["shop", "clinic"]
    assert (part.name, part.limits, part.timing) == (fleet().name, fleet().limits, fleet().timing)


@pytest.mark.parametrize("written", ["SHOP", " shop", "\N{FULLWIDTH LATIN CAPITAL LETTER S}hop"])
def test_names_are_compared_as_those_of_a_topology_are(written: str) -> None:
    assert [site.name for site in only_groups(fleet(), [written]).sites] == ["Shop Dublin", "Shop Frankfurt"]


def test_a_group_can_be_named_by_its_slug() -> None:
    assert group_named(of_groups({"Süd & West": ["A"], "Nord": ["B"]}), "süd-west") == "Süd & West"


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("shpo", "did you mean 'shop'? The groups are: shop, bank, clinic, laboratory"),
        ("lab", "did you mean 'laboratory'? The groups are: shop, bank, clinic, laboratory"),
        ("x", "the groups are: shop, bank, clinic, laboratory"),
        ("", "the groups are: shop, bank, clinic, laboratory"),
    ],
)
def test_a_name_that_no_group_has_is_refused_with_those_that_there_are(written: str, hint: str) -> None:
    with pytest.raises(GeoplanError) as raised:
        only_groups(fleet(), ["shop", written], place="fleet.yaml")
    assert (str(raised.value), raised.value.hint) == (f"fleet.yaml has no group '{written}'", hint)
    assert raised.value.exit_code == 2


def test_of_very_many_names_the_first_are_told() -> None:
    many = of_groups({f"group {number}": [f"site {number}"] for number in range(500)})
    for find in (group_named, site_named):
        with pytest.raises(GeoplanError) as raised:
            find(many, "?" * 5000)
        assert f"and {500 - MAX_LISTED} more" in (raised.value.hint or "")
        assert len(f"{raised.value} {raised.value.hint}") < 40 * MAX_LISTED


def test_where_a_file_writes_no_groups_that_is_said() -> None:
    with pytest.raises(GeoplanError, match=r"my\.yaml has no group 'default': this file writes no groups"):
        only_groups(of_groups(None), ["default"], place="my.yaml")


def test_a_part_of_no_group_is_refused() -> None:
    with pytest.raises(GeoplanError, match="none is named"):
        only_groups(fleet(), [])


def test_a_part_can_be_narrowed_again_and_stays_part_of_the_whole() -> None:
    whole = fleet()
    part = only_groups(only_groups(whole, ["shop", "bank"]), ["bank"])
    assert part == only_groups(whole, ["bank"])
    assert part.whole is whole
    with pytest.raises(GeoplanError, match="has no group 'clinic'"):
        only_groups(part, ["clinic"])


def test_a_fault_in_another_group_makes_every_part_unusable() -> None:
    broken = of_groups({"one": ["A"], "two": ["B"]})
    broken = broken.model_copy(update={"sites": (*broken.sites, *broken.sites[1:])})
    with pytest.raises(InvalidInputError):
        only_groups(broken, ["one"])


def test_sites_are_told_with_their_groups() -> None:
    assert groups_of_sites(fleet(), ["laboratory", "SHOP FRANKFURT"]) == {
        "Shop Frankfurt": "shop",
        "Laboratory": "laboratory",
    }
    with pytest.raises(GeoplanError) as raised:
        groups_of_sites(fleet(), ["Shop Dublim"], place="fleet.yaml")
    assert str(raised.value) == "fleet.yaml has no site 'Shop Dublim'"
    assert (raised.value.hint or "").startswith("did you mean 'Shop Dublin'? The sites are: Shop Dublin, ")
