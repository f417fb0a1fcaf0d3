"""The status as metrics: what is told, what is not told, and that nobody else decides how many there are."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoplan.fact import FACTS
from geoplan.live.findings.collect import examine
from geoplan.live.links import NOTHING_KNOWN
from geoplan.live.model import State
from geoplan.status.prometheus import MAX_LABEL, MAX_VERSIONS, OTHER_VERSION, Drift, Exporter
from tests.status.made import A1, AT, DENIED, M1, M2, PLAN, S1, changed, down, failed_over, status_of, well
from tests.status.metrics import check_metrics, labels_of, value

PAIR = "HA Pair 1"


def test_units_with_which_all_is_well() -> None:
    text = Exporter().text(status_of(well()), is_pushed=False)

    assert value(text, "geoplan_look_timestamp_seconds") == AT.timestamp()
    assert value(text, "geoplan_push_running") == 0
    assert value(text, "geoplan_site_active_units", site=PAIR) == 1
    assert value(text, "geoplan_site_failed_over", site=PAIR) == 0
    assert value(text, "geoplan_unit_up", unit=M1) == 1
    assert value(text, "geoplan_unit_links_green", unit=M1) == value(text, "geoplan_unit_links_planned", unit=M1) == 4
    assert value(text, "geoplan_unit_clusters_in_place", unit=M1) == 4
    assert value(text, "geoplan_unit_clusters_planned", unit=M1) == 4
    assert labels_of(text, "geoplan_findings", "kind") == []
    assert value(text, "geoplan_site_failed_over", site="Standalone LoadMaster 1") is None


def test_failover_with_its_time() -> None:
    facts = failed_over(well())
    seen = {M1: AT - timedelta(seconds=90)}
    text = Exporter().text(status_of(facts, since=seen))

    assert value(text, "geoplan_site_failed_over", site=PAIR) == 1
    assert value(text, "geoplan_site_active_units", site=PAIR) == 1
    assert value(text, "geoplan_unit_state", unit=S1, state="active") == 1
    assert value(text, "geoplan_unit_state", unit=M1, state="active") == 0
    assert value(text, "geoplan_unit_state_age_seconds", unit=M1) == 90
    assert value(text, "geoplan_unit_state_age_seconds", unit=S1) is None
    assert value(text, "geoplan_findings", kind="failed_over", severity="worth mending") == 1


def test_red_link() -> None:
    facts = well()
    colours = dict(facts.units[M1].partner_status or {})
    colours[next(iter(colours))] = False
    text = Exporter().text(status_of(changed(facts, M1, partner_status=colours)))

    assert value(text, "geoplan_unit_links_green", unit=M1) == 3
    assert value(text, "geoplan_unit_links_planned", unit=M1) == 4
    assert value(text, "geoplan_findings", kind="red_partner") == 1


@pytest.mark.parametrize("active", [(), (M1, S1)])
def test_no_active_unit_and_two(active: tuple[str, ...]) -> None:
    facts = changed(well(), M1, S1, state=State.STANDBY)
    facts = changed(facts, *active, state=State.ACTIVE)

    assert value(Exporter().text(status_of(facts)), "geoplan_site_active_units", site=PAIR) == len(active)


def test_what_is_not_told_has_no_sample() -> None:
    facts = down(well(), S1)
    facts = changed(facts, A1, failure=DENIED, firmware=None, partner_status=None, clusters=None)
    facts = changed(facts, M2, partner_status=None, unread=("partner_status",))
    text = Exporter().text(status_of(facts))

    for unit in (S1, A1):
        assert value(text, "geoplan_unit_up", unit=unit) == 0
        for name in ("unit_links_green", "unit_clusters_in_place", "unit_firmware_info"):
            assert value(text, f"geoplan_{name}", unit=unit) is None
    assert value(text, "geoplan_unit_up", unit=M2) == 0
    assert value(text, "geoplan_unit_links_green", unit=M2) is None
    assert value(text, "geoplan_unit_links_planned", unit=M2) == 4
    assert value(text, "geoplan_site_active_units", site="Standalone LoadMaster 1") is None
    assert value(text, "geoplan_push_running") is None


def test_standby_may_refuse_reads() -> None:
    text = Exporter().text(status_of(changed(well(), S1, clusters=None, unread=("clusters",))))

    assert value(text, "geoplan_unit_up", unit=S1) == 1


@given(
    st.lists(
        st.text(max_size=400) | st.from_regex(r"[0-9]+(\.[0-9]+){3}", fullmatch=True),
        min_size=1,
        max_size=MAX_VERSIONS + 4,
        unique=True,
    )
)
def test_unit_that_names_its_firmware_anew_each_time(told: list[str]) -> None:
    exporter, seen = Exporter(), set()
    for firmware in told:
        text = exporter.text(status_of(changed(well(), M1, firmware=firmware)))
        (shown,) = {
            version
            for unit, version in zip(
                labels_of(text, "geoplan_unit_firmware_info", "unit"),
                labels_of(text, "geoplan_unit_firmware_info", "firmware"),
                strict=True,
            )
            if unit == M1
        }
        assert len(shown) <= MAX_LABEL
        seen.add(shown)
    assert len(seen - {OTHER_VERSION}) <= MAX_VERSIONS


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300))
def test_no_name_ends_a_line_or_a_label(name: str) -> None:
    status = status_of(well())
    plain = Exporter().text(status)
    text = Exporter().text(replace(status, topology=name))

    assert len(text.split("\n")) == len(plain.split("\n"))
    assert len(labels_of(text, "geoplan_look_timestamp_seconds", "topology")[0]) <= MAX_LABEL


def test_drift_has_a_time_of_its_own() -> None:
    facts = changed(well(), A1, clusters=())
    report, findings = examine(PLAN, facts, NOTHING_KNOWN, max_clusters=18)
    drift = Drift(report, findings, AT - timedelta(seconds=300))
    text = Exporter().text(status_of(well()), drift)

    assert value(text, "geoplan_diff_timestamp_seconds") == AT.timestamp() - 300
    assert value(text, "geoplan_diff_differences", site="Standalone LoadMaster 1", kind="missing") == 4
    assert value(text, "geoplan_diff_differences", site=PAIR, kind="missing") == 0
    assert value(text, "geoplan_diff_findings", kind="geo_differs") == 1
    assert value(text, "geoplan_findings", kind="geo_differs") is None
    assert labels_of(Exporter().text(status_of(well())), "geoplan_diff_timestamp_seconds", "topology") == []


@pytest.mark.parametrize("name", ["ACTIVE_CODE", "MAX_CLUSTERS"])
def test_help_is_the_ledgers(name: str) -> None:
    (row,) = [fact for fact in FACTS if fact.name == name]
    helps = [line for line in Exporter().text(status_of(well())).split("\n") if line.startswith("# HELP")]

    assert any(row.meaning in line and row.source in line and row.shown in line for line in helps)


def test_promtool_finds_nothing() -> None:
    report, findings = examine(PLAN, changed(well(), A1, clusters=()), NOTHING_KNOWN, max_clusters=18)
    status = replace(status_of(failed_over(well()), since={M1: AT}), topology='a "b"\\c\nd')
    text = Exporter().text(status, Drift(report, findings, AT), is_pushed=True)

    assert check_metrics(text) == ""
    assert check_metrics("# TYPE geoplanLinks_total gauge\ngeoplanLinks_total 1\n") != ""
