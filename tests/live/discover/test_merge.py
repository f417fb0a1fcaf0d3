"""What is found is put into a file of somebody's: all of it is there then, and nothing of the file has gone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan import Topology
from geoplan.errors import GeoplanError
from geoplan.live.discover.document import draft_of
from geoplan.live.discover.judge import Imported, judged
from geoplan.live.discover.merge import merged
from geoplan.live.findings.kinds import FindingKind, generic_command
from geoplan.plan.model import Phase, Plan
from geoplan.plan.planner import make_plan
from geoplan.topology.loader import check_text
from geoplan.topology.writer import topology_text
from tests.live.discover.estates import found, units_of
from tests.topologies import topologies

M1, S1, M2, S2, A = "10.0.1.1", "10.0.1.2", "10.0.2.1", "10.0.2.2", "10.0.3.1"
DOCUMENT: dict[str, Any] = {
    "sites": [
        {"name": "One", "ha_pair": {"master": M1, "slave": S1}},
        {"name": "Two", "ha_pair": {"master": M2, "slave": S2}},
        {"name": "Three", "standalone": A, "extra_remote_geo_access": ["10.0.9.9"]},
    ]
}


def load(text: str) -> Topology:
    checked = check_text(text.encode(), path="mine", default_name="mine")
    assert checked.topology is not None, (text, checked.diagnostics)
    return checked.topology


def merge(text: str, live: Topology) -> tuple[str, Imported]:
    discovery = found(units_of(live))
    both = merged(text, load(text), draft_of(discovery, {}, name="geo"), discovery)
    return both.text, judged(discovery, both.draft, generic_command)


def plain(topology: Topology) -> dict[str, Any]:
    """Return a topology as it is written, without NAT."""
    content: dict[str, Any] = topology.model_dump(exclude_none=True, exclude_unset=True, mode="json")
    for site in content["sites"]:
        for unit in (*site.get("ha_pair", {}).values(), site.get("standalone")):
            if isinstance(unit, dict):
                unit.pop("nat_address", None)
    return content


def part(content: dict[str, Any], kept: Sequence[int]) -> dict[str, Any]:
    """Return a topology with some of its sites."""
    sites = [content["sites"][number] for number in kept]
    names = {site["name"] for site in sites}
    groups = {
        group: mine
        for group, members in content.get("groups", {}).items()
        if (mine := [m for m in members if m in names])
    }
    return {**content, "sites": sites, **({"groups": groups} if groups else {})}


def lists_of(plan: Plan) -> dict[tuple[str, ...], tuple[frozenset[str], frozenset[str]]]:
    return {
        tuple(unit.address for unit in site.units): (frozenset(site.remote_geo_access), frozenset(site.geo_partners))
        for site in plan.sites
    }


@given(content=topologies(max_sites=7).map(plain), data=st.data())
def test_part_of_an_estate_becomes_the_whole_one(content: dict[str, Any], data: st.DataObject) -> None:
    everything = Topology.model_validate(content)
    numbers = st.lists(st.integers(0, len(content["sites"]) - 1), min_size=1, unique=True)
    mine = part(content, data.draw(numbers))
    text, imported = merge(topology_text(mine), everything)

    assert load(text) == imported.topology
    assert lists_of(make_plan(imported.topology, [Phase.GEO])) == lists_of(make_plan(everything, [Phase.GEO]))
    names = [site["name"] for site in mine["sites"]]
    assert [site.name for site in imported.topology.sites][: len(names)] == names


def test_file_that_says_it_all_stays_letter_by_letter() -> None:
    text = "# ours\n" + topology_text(DOCUMENT) + "# the end\n"
    written, imported = merge(text, Topology.model_validate(DOCUMENT))
    assert written == text
    assert imported.to_mend == ()
    assert imported.unconfirmed == {}, "a unit from outside that the file has is known"


def unlike(imported: Imported) -> list[tuple[object, ...]]:
    return [each.loc for each in imported.to_mend if each.finding.kind is FindingKind.UNITS_DIFFER]


ALONE = {"name": "My one", "standalone": M1}
OTHER_SLAVE = {"name": "One", "ha_pair": {"master": M1, "slave": "10.0.1.99"}}


@pytest.mark.parametrize("first", [ALONE, OTHER_SLAVE])
def test_units_and_kind_of_a_site_stay_as_the_file_has_them(first: dict[str, Any]) -> None:
    mine = topology_text({"sites": [first, *DOCUMENT["sites"][1:]]})
    written, imported = merge(mine, Topology.model_validate(DOCUMENT))
    assert load(written).sites == load(mine).sites
    assert unlike(imported) == [("sites", 0)]
    (comment,) = [line for line in written.splitlines() if line not in mine.splitlines()]
    assert comment.strip().startswith("# units_differ: the file has ")
    assert merge(written, Topology.model_validate(DOCUMENT))[0] == written, "it is said once"


def test_pair_of_the_file_stays_where_its_units_say_that_they_are_none() -> None:
    alone = {"name": "One", "standalone": M1}, {"name": "One B", "standalone": S1}
    live = Topology.model_validate({"sites": [*alone, *DOCUMENT["sites"][1:]]})
    mine = topology_text(DOCUMENT)
    written, imported = merge(mine, live)
    assert load(written).sites == load(mine).sites
    assert unlike(imported) == [("sites", 0)] * 2


@settings(max_examples=25)
@given(live=topologies(max_sites=5).map(plain), other=topologies(max_sites=5).map(plain))
def test_no_unit_of_a_file_changes_whatever_units_say(live: dict[str, Any], other: dict[str, Any]) -> None:
    """Two estates that have nothing to do with each other may share addresses."""
    mine = load(topology_text(other))
    try:
        written, _ = merge(topology_text(other), Topology.model_validate(live))
    except GeoplanError:
        return
    kept = load(written).sites[: len(mine.sites)]
    assert [(site.name, [unit.address for unit in site.units]) for site in kept] == [
        (site.name, [unit.address for unit in site.units]) for site in mine.sites
    ]


def test_place_and_nat_address_come_into_a_site_that_lacks_them() -> None:
    nat = {**DOCUMENT["sites"][2], "standalone": {"address": A, "nat_address": "203.0.113.9"}}
    placed = {**DOCUMENT["sites"][0], "cluster": {"location": {"latitude": 53.35, "longitude": -6.26}}}
    live = Topology.model_validate({"sites": [placed, DOCUMENT["sites"][1], nat]})
    written, imported = merge(topology_text(DOCUMENT), live)
    assert imported.to_mend == ()
    assert [unit.nat_address for unit in load(written).sites[2].units] == ["203.0.113.9"]
    assert load(written).sites[0].cluster.location == live.sites[0].cluster.location


def test_new_group_comes_beside_the_sites_that_had_none() -> None:
    live = Topology.model_validate({**DOCUMENT, "groups": {"a": ["One", "Two"], "b": ["Three"]}})
    written, _ = merge(topology_text({"sites": DOCUMENT["sites"][:2]}), live)
    assert load(written).groups == {"group-1": ("One", "Two"), "group-2": ("Three",)}
