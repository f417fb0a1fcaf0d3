"""Plans against recorded lists."""

from __future__ import annotations

import pytest

from geoplan import InvalidInputError, load_topology, make_plan
from geoplan.plan.recorded import RecordedSite, compare, read_recorded
from tests.conftest import TOPOLOGIES

RECORDED = (TOPOLOGIES / "section-5.4.lists.txt").read_text()


def differences(recorded: str, *, ordered: bool = False) -> list[str]:
    plan = make_plan(load_topology(TOPOLOGIES / "section-5.4.yaml"))
    return [str(found) for found in compare(plan, read_recorded(recorded, "recorded.txt"), ordered=ordered)]


def changed(old: str, new: str) -> str:
    """Return the document's example with the first place that reads ``old`` changed."""
    assert old in RECORDED
    return RECORDED.replace(old, new, 1)


def faults(recorded: str) -> list[tuple[str, int | None, int | None]]:
    with pytest.raises(InvalidInputError) as raised:
        read_recorded(recorded, "recorded.txt")
    return [(fault.code, fault.line, fault.column) for fault in raised.value.diagnostics]


def test_example_of_the_document_is_the_plan() -> None:
    assert differences(RECORDED, ordered=True) == []


def test_missing_and_extra_addresses_are_named_in_one_sentence() -> None:
    assert differences(changed("GEO LoadMaster Partners: 172.24.1.5", "GEO LoadMaster Partners: 10.0.0.1")) == [
        "HA Pair 2: the recorded GEO LoadMaster Partners lacks 172.24.1.5 and has 10.0.0.1, which the plan has not"
    ]


def test_other_unit_of_the_pair_is_recognised() -> None:
    (difference,) = differences(changed("172.24.1.7 172.24.1.8 172.24.1.5", "172.24.1.7 172.24.1.8 172.24.1.6"))
    assert difference == (
        "HA Pair 1: the recorded Remote GEO LoadMaster Access names 172.24.1.6, which the topology has as the slave, "
        "in place of the master 172.24.1.5: either the master is 172.24.1.6, or the record is wrong"
    )


def test_order_counts_only_where_asked_for() -> None:
    recorded = changed("Access: 172.24.1.8 172.24.1.5", "Access: 172.24.1.5 172.24.1.8")
    assert differences(recorded) == []
    (difference,) = differences(recorded, ordered=True)
    assert "another order than the plan: " in difference


def test_order_of_sites_counts_where_asked_for() -> None:
    lines = RECORDED.splitlines()
    recorded = "\n".join(lines[5:10] + lines[:5] + lines[10:])
    assert differences(recorded) == []
    assert differences(recorded, ordered=True) == ["HA Pair 2: the record has the sites in another order"]


def test_another_spelling_is_no_difference() -> None:
    plan = make_plan(load_topology(TOPOLOGIES / "fleet.yaml"))
    recorded = [
        RecordedSite(
            site.name,
            tuple(unit.address.upper() for unit in site.units),
            tuple(address.replace("::", ":0::") for address in site.remote_geo_access),
            site.geo_partners,
        )
        for site in plan.sites
    ]
    assert compare(plan, recorded, ordered=True) == []


def test_units_are_compared_too() -> None:
    assert differences(RECORDED.replace("172.24.1.10\nRemote", "172.24.1.11\nRemote")) == [
        (
            "Standalone LoadMaster 2: the record lacks the unit 172.24.1.10 "
            "and has the unit 172.24.1.11, which the plan has not"
        )
    ]


def test_missing_and_unknown_sites() -> None:
    assert differences(RECORDED.replace("HA Pair 2", "HA Pair 3")) == [
        "HA Pair 2: the record does not have this site",
        "HA Pair 3: the plan does not have this site",
    ]


def test_address_recorded_twice() -> None:
    recorded = RECORDED.replace("GEO LoadMaster Partners: 172.24.1.5", "GEO LoadMaster Partners: 172.24.1.5 172.24.1.5")
    assert differences(recorded) == ["HA Pair 2: the recorded GEO LoadMaster Partners names an address twice"]


def test_blank_lines_commas_and_case_of_labels_are_passed_over() -> None:
    recorded = RECORDED.replace(" 172.24.1.10", ", 172.24.1.10").replace("HA Pair 2\n", "\n  HA Pair 2  \n\n")
    assert differences(recorded.replace("GEO LoadMaster Partners:", "geo loadmaster partners :"), ordered=True) == []


def test_lone_site_has_an_empty_list() -> None:
    plan = make_plan(load_topology(TOPOLOGIES / "section-5.1.yaml"))
    recorded = "HA Pair 1\n172.24.1.5\n172.24.1.6\nRemote GEO LoadMaster Access: 172.24.1.5\nGEO LoadMaster Partners:\n"
    assert compare(plan, read_recorded(recorded, "r"), ordered=True) == []


def test_site_named_like_an_address() -> None:
    recorded = "10.0.0.1\n10.0.0.1\nRemote GEO LoadMaster Access: 10.0.0.1\nGEO LoadMaster Partners:\n"
    assert read_recorded(recorded, "r") == (RecordedSite("10.0.0.1", ("10.0.0.1",), ("10.0.0.1",), ()),)


def test_every_line_that_does_not_fit_is_told_with_its_place() -> None:
    recorded = (
        "A\n"
        "10.0.0.300\n"
        "Remote GEO LoadMaster Access: 10.0.0.1 lm2\n"
        "Remote GEO LoadMaster Access: 10.0.0.1\n"
        "GEO LoadMaster Partners: 10.0.0.2/24\n"
        "A\n"
        "Remote GEO LoadMaster Access:\n"
        "GEO LoadMaster Partners:\n"
        "B\n"
        "10.0.0.2\n"
    )
    assert faults(recorded) == [
        ("GEO601", 2, 1),
        ("GEO601", 3, 40),
        ("GEO602", 4, 1),
        ("GEO601", 5, 26),
        ("GEO602", 8, 1),
        ("GEO602", 10, 1),
    ]


def test_fault_stands_at_its_own_word_not_at_one_like_it() -> None:
    recorded = "A\n10.0.0.1\nRemote GEO LoadMaster Access: 10.0.0.2 Load Load\nGEO LoadMaster Partners:\n"
    assert faults(recorded) == [("GEO601", 3, 40), ("GEO601", 3, 45)]


@pytest.mark.parametrize("recorded", ["", "\n\n", "HA Pair 1\n"])
def test_empty_or_cut_record_is_refused(recorded: str) -> None:
    assert [code for code, _, _ in faults(recorded)] == ["GEO602"]
