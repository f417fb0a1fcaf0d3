"""The status as metrics: what is told, what is not told, and that nobody else decides how many there are."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from geoplan.fact import FACTS
from geoplan.live.findings.collect import examine
from geoplan.live.links import NOTHING_KNOWN
from geoplan.live.model import State
from geoplan.status.model import Drift, Seen, Status
from geoplan.status.prometheus import MAX_LABEL, MAX_VERSIONS, OTHER_VERSION, Exporter
from tests.conftest import ROOT
from tests.status.made import A1, A2, AT, DENIED, M1, M2, PLAN, S1, changed, down, failed_over, status_of, well
from tests.status.metrics import check, check_metrics, labels_of, promtool, value

PAIR = "HA Pair 1"
ALONE = replace(status_of(well()), sites=status_of(well()).sites[-1:])


def text_of(status: Status, drift: Drift | None = None, *, is_pushed: bool | None = None) -> str:
    return Exporter().text(Seen(status, drift, is_pushed))


def test_units_with_which_all_is_well() -> None:
    text = text_of(status_of(well()), is_pushed=False)

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
    text = text_of(status_of(facts, since=seen))

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
    text = text_of(status_of(changed(facts, M1, partner_status=colours)))

    assert value(text, "geoplan_unit_links_green", unit=M1) == 3
    assert value(text, "geoplan_unit_links_planned", unit=M1) == 4
    assert value(text, "geoplan_findings", kind="red_partner") == 1


@pytest.mark.parametrize("active", [(), (M1, S1)])
def test_no_active_unit_and_two(active: tuple[str, ...]) -> None:
    facts = changed(well(), M1, S1, state=State.STANDBY)
    facts = changed(facts, *active, state=State.ACTIVE)

    assert value(text_of(status_of(facts)), "geoplan_site_active_units", site=PAIR) == len(active)


def test_what_is_not_told_has_no_sample() -> None:
    facts = down(well(), S1)
    facts = changed(facts, A1, failure=DENIED, firmware=None, partner_status=None, clusters=None)
    facts = changed(facts, M2, partner_status=None, unread=("partner_status",))
    text = text_of(status_of(facts))

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
    text = text_of(status_of(changed(well(), S1, clusters=None, unread=("clusters",))))

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
    site, unit = ALONE.sites[0], ALONE.sites[0].units[0]
    for firmware in told:
        status = replace(ALONE, sites=(replace(site, units=(replace(unit, firmware=firmware),)),))
        (shown,) = labels_of(exporter.text(Seen(status)), "geoplan_unit_firmware_info", "firmware")
        assert len(shown) <= MAX_LABEL
        seen.add(shown)
    assert len(seen - {OTHER_VERSION}) <= MAX_VERSIONS


@given(st.text(st.characters(exclude_categories=[]), min_size=1, max_size=300))
def test_no_name_ends_a_line_or_a_label(name: str) -> None:
    status = status_of(well())
    plain = text_of(status)
    text = text_of(replace(status, topology=name))

    assert len(text.split("\n")) == len(plain.split("\n"))
    assert len(labels_of(text, "geoplan_look_timestamp_seconds", "topology")[0]) <= MAX_LABEL


def test_drift_has_a_time_of_its_own() -> None:
    facts = changed(well(), A1, clusters=())
    report, findings = examine(PLAN, facts, NOTHING_KNOWN, max_clusters=18)
    drift = Drift(report, findings, AT - timedelta(seconds=300))
    text = text_of(status_of(well()), drift)

    assert value(text, "geoplan_diff_timestamp_seconds") == AT.timestamp() - 300
    assert value(text, "geoplan_diff_differences", site="Standalone LoadMaster 1", kind="missing") == 4
    assert value(text, "geoplan_diff_differences", site=PAIR, kind="missing") == 0
    assert value(text, "geoplan_diff_findings", kind="geo_differs") == 1
    assert value(text, "geoplan_findings", kind="geo_differs") is None
    assert labels_of(text_of(status_of(well())), "geoplan_diff_timestamp_seconds", "topology") == []


@pytest.mark.parametrize("name", ["ACTIVE_CODE", "MAX_CLUSTERS"])
def test_help_is_the_ledgers(name: str) -> None:
    (row,) = [fact for fact in FACTS if fact.name == name]
    helps = [line for line in text_of(status_of(well())).split("\n") if line.startswith("# HELP")]

    assert any(row.meaning in line and row.source in line and row.shown in line for line in helps)


def test_promtool_finds_nothing() -> None:
    report, findings = examine(PLAN, changed(well(), A1, clusters=()), NOTHING_KNOWN, max_clusters=18)
    status = replace(status_of(failed_over(well()), since={M1: AT}), topology='a "b"\\c\nd')
    text = text_of(status, Drift(report, findings, AT), is_pushed=True)

    assert check_metrics(text) == ""
    assert check_metrics("# TYPE geoplanLinks_total gauge\ngeoplanLinks_total 1\n") != ""


README = (ROOT / "geoplan" / "status" / "README.md").read_text()


def shown_in_readme(key: str) -> str:
    """Return the YAML of the README that begins with a key."""
    blocks = re.findall(r"^```yaml\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    (shown,) = [block for block in blocks if block.startswith(f"{key}:")]
    return str(shown)


def everything() -> str:
    """Return metrics with a sample of each name, of units with which nothing is well."""
    facts = down(failed_over(well()), A1)
    colours = dict.fromkeys(facts.units[M2].partner_status or {}, False)
    facts = changed(facts, M2, partner_status=colours)
    report, findings = examine(PLAN, changed(well(), A2, clusters=()), NOTHING_KNOWN, max_clusters=18)
    return text_of(status_of(facts, since={M1: AT}), Drift(report, findings, AT), is_pushed=False)


def test_readme_names_every_metric() -> None:
    named = set(re.findall(r"`(geoplan_\w+)`", README))

    assert named == {
        sample.name for family in text_string_to_metric_families(everything()) for sample in family.samples
    }


def test_promtool_takes_the_rules_and_the_configuration_of_the_readme(tmp_path: Path) -> None:
    rules, config = tmp_path / "geoplan-rules.yml", tmp_path / "prometheus.yml"
    rules.write_text(shown_in_readme("groups"))
    config.write_text(shown_in_readme("scrape_configs"))

    assert check("rules", "--lint-fatal", str(rules)) == ""
    assert check("config", "--lint-fatal", str(config)) == ""
    rules.write_text(shown_in_readme("groups").replace("unless on", "unless of", 1))
    assert check("rules", str(rules)) != ""


ALERTS = {"GeoplanNotOneActiveUnit", "GeoplanFailedOver", "GeoplanUnitDoesNotTell", "GeoplanFinding", "GeoplanDrift"}


@pytest.mark.parametrize(
    ("text", "firing"),
    [
        (everything(), ALERTS),
        (text_of(status_of(down(failed_over(well()), A1)), is_pushed=True), set()),
        (text_of(status_of(well()), is_pushed=False), set()),
    ],
    ids=["nothing is well", "during a push", "all is well"],
)
def test_alerts_fire_where_they_should(text: str, firing: set[str], tmp_path: Path) -> None:
    """Have Prometheus's own engine evaluate the rules on what is written, an hour long."""
    (tmp_path / "geoplan-rules.yml").write_text(shown_in_readme("groups"))
    series = [
        {"series": line.rpartition(" ")[0], "values": f"{line.rpartition(' ')[2]}x60"}
        for line in text.splitlines()
        if not line.startswith(("#", "geoplan_look_timestamp"))
    ]
    test = {
        "interval": "1m",
        "input_series": series,
        "promql_expr_test": [
            {
                "expr": 'group by (alertname) (ALERTS{alertstate="firing", alertname!="GeoplanSeesNothing"})',
                "eval_time": "30m",
                "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(firing)],
            }
        ],
    }
    file = tmp_path / "test.yml"
    file.write_text(json.dumps({"rule_files": ["geoplan-rules.yml"], "tests": [test]}))
    ended = subprocess.run([promtool(), "test", "rules", str(file)], capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stdout + ended.stderr
