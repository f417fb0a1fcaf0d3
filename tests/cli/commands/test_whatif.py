"""``geoplan whatif``: on paper, and of units of a lab over real sockets."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.code import loaded_by
from tests.conftest import TOPOLOGIES, Geoplan, Outcome
from tests.push.conftest import MakeSite, make_site
from tests.push.support import M1, S1, Site

__all__ = ["make_site"]

EXAMPLE = TOPOLOGIES / "section-5.4.yaml"
NAMES = {"type": "array", "items": {"type": "string"}}
LINKS = {"type": "array", "items": {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2}}
OUTCOME: dict[str, Any] = {
    **dict.fromkeys(
        ("in_geo", "down", "cut_off", "isolated", "briefly", "older", "standbys_behind", "lost_after_repair"), NAMES
    ),
    **dict.fromkeys(("red_links", "parted_links", "red_links_after_repair"), LINKS),
    "until": {"enum": ["nothing lost", "takeover", "repair", "person"]},
    "at_next_failover": {"type": "boolean"},
    "tasks": {"type": "array", "items": {"required": ["kind", "sites", "units", "others", "text"]}},
}
ROW = {
    "type": "object",
    "properties": {
        **OUTCOME,
        "failures": {
            "type": "array",
            "items": {"required": ["kind", "sites", "units", "others", "region", "text"]},
        },
        "starts": {"type": "array", "items": {"type": ["string", "null"]}},
        "fault": {"type": "boolean"},
    },
    "required": [*OUTCOME, "failures", "starts", "fault"],
    "additionalProperties": False,
}
SHAPE = {
    "type": "object",
    "properties": {
        "format": {"const": "geoplan/whatif/1"},
        "now": {"type": "object", "properties": OUTCOME, "required": [*OUTCOME], "additionalProperties": False},
        "units_off": NAMES,
        "rows": {"type": "array", "items": ROW, "minItems": 1},
        "not_told": {
            "type": "array",
            "items": {"properties": {"rows_if_not_there": {"type": "array", "items": ROW}}},
        },
        **dict.fromkeys(
            ("topology", "live", "well", "cases", "possible", "seed", "groups", "starts", "notes", "assumed"), True
        ),
    },
    "required": [
        *("format", "topology", "live", "well", "cases", "possible", "seed", "groups", "starts", "now", "rows"),
        *("units_off", "not_told", "notes", "assumed"),
    ],
    "additionalProperties": False,
}
"""The shape that the README of the package tells."""


def live(geoplan: Geoplan, site: Site, *options: str | Path) -> Outcome:
    return geoplan("whatif", site.topology, "--live", "--endpoints", site.endpoints, *options)


def test_every_single_failure_of_the_documents_example_is_listed(geoplan: Geoplan) -> None:
    shown = geoplan("whatif", EXAMPLE)
    assert shown.code == 0
    assert "all 70 cases from 3 starting states" in shown.stdout
    assert "OK: no single failure cuts off a site that has a unit left." in shown.stdout
    table = geoplan("whatif", EXAMPLE, "--format", "markdown").stdout
    document = yaml.safe_load(EXAMPLE.read_text())
    units = [
        unit for site in document["sites"] for unit in site.get("ha_pair", {None: site.get("standalone")}).values()
    ]
    assert [unit for unit in units if f": {unit} off" not in table] == []
    kinds = ("failover by hand", "both units off", "no network from", "replication broken", "nothing submitted on")
    assert [kind for kind in kinds if kind not in table] == []


@pytest.mark.parametrize("columns", ["60", "80", "200"])
def test_table_fits_the_terminal(geoplan: Geoplan, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    shown = (
        geoplan("whatif", TOPOLOGIES / "eighteen-sites.yaml", "--group", "default").stdout
        or geoplan("whatif", EXAMPLE).stdout
    )
    assert max(map(len, shown.splitlines())) <= int(columns)


def test_json_has_the_shape_that_is_told(geoplan: Geoplan) -> None:
    content = json.loads(geoplan("whatif", EXAMPLE, "--failures", "2", "--format", "json").stdout)
    jsonschema.validate(content, SHAPE)
    assert content["well"]
    assert content["cases"] == content["possible"] == sum(len(row["starts"]) for row in content["rows"])
    readme = (Path(__file__).parents[3] / "geoplan" / "twin" / "README.md").read_text()
    keys = {*content, *content["rows"][0]}
    assert [key for key in sorted(keys) if f"`{key}`" not in readme] == []


@pytest.mark.parametrize("given", ["text", "markdown", "html"])
def test_what_nobody_has_confirmed_is_said_where_it_matters(geoplan: Geoplan, given: str) -> None:
    said = " ".join(geoplan("whatif", EXAMPLE, "--format", given).stdout.replace("\\", "").split())
    assert "links are green again once the network is whole (LINKS_AFTER_CUT)" in said
    assert "if links stay red, submit GEO LoadMaster Partners again" in said


def test_more_cases_than_are_tried_are_drawn_by_a_seed_that_is_printed(
    geoplan: Geoplan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("geoplan.twin.whatif.MOST_CASES", 200)
    options = ("whatif", EXAMPLE, "--failures", "2")
    first, again, other = (geoplan(*options, *more) for more in ((), ("--seed", "1"), ("--seed", "17")))
    assert re.search(r"\d+ of \d{3} cases, drawn with seed 1\b", " ".join(first.stdout.split()))
    assert first.stdout == again.stdout != other.stdout
    assert "drawn with seed 17" in " ".join(other.stdout.split())


def test_pairs_of_failures_are_shown_up_to_a_number(geoplan: Geoplan) -> None:
    shown = geoplan("whatif", EXAMPLE, "--failures", "2").stdout
    assert "all 804 cases" in shown
    assert re.search(r"\d+ pairs of failures that cost less are not shown", " ".join(shown.split()))


def test_markdown_is_a_table_whatever_sites_are_called(geoplan: Geoplan, tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text("sites:\n  - {name: 'a|b*', standalone: 10.0.0.1}\n  - {name: '<i>', standalone: 10.0.0.2}\n")
    shown = geoplan("whatif", path, "-o", tmp_path / "report.md")
    assert shown.code == 0
    rows = [line for line in (tmp_path / "report.md").read_text().splitlines() if line.startswith("|")]
    assert len(rows) > 3
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {4}
    assert "<i>" not in "".join(rows).replace(r"\<i\>", "")


def test_sites_that_stand_together_are_named_as_anywhere(geoplan: Geoplan) -> None:
    shown = geoplan("whatif", EXAMPLE, "--together", "ha-pair-1, Standalone LOADMASTER 1", "--format", "json")
    rows = [row for row in json.loads(shown.stdout)["rows"] if row["failures"][0]["kind"] == "region-off"]
    assert [row["down"] for row in rows] == [["HA Pair 1", "Standalone LoadMaster 1"]]
    unknown = geoplan("whatif", EXAMPLE, "--together", "HA Pair 1,HA Pair 3")
    assert (unknown.code, "did you mean 'HA Pair" in unknown.stderr) == (2, True)
    alone = geoplan("whatif", EXAMPLE, "--together", "HA Pair 1")
    assert (alone.code, "name two sites" in alone.stderr) == (2, True)


@pytest.mark.parametrize("names", [",", "", "HA Pair 1,", ", HA Pair 1", "HA Pair 1,,HA Pair 2"])
def test_name_that_is_missing_is_said_to_be(geoplan: Geoplan, names: str) -> None:
    ended = geoplan("whatif", EXAMPLE, "--together", names)

    assert ended.code == 2
    assert "--together" in ended.stderr
    assert "has no site" not in ended.stderr


def test_one_case_of_one_site_is_told_in_the_singular(geoplan: Geoplan, tmp_path: Path) -> None:
    path = tmp_path / "one.yaml"
    path.write_text("name: one\nsites: [{name: A, standalone: 10.0.0.1}]\n")
    said = geoplan("whatif", path).stdout

    assert "1 site, as planned; the only case from 1 starting state" in said
    assert "Not confirmed" not in said  # a site without partners has no links to come back


def test_one_group_alone(geoplan: Geoplan) -> None:
    content = json.loads(geoplan("whatif", TOPOLOGIES / "fleet.yaml", "--group", "bank", "--format", "json").stdout)
    assert [group["sites"] for group in content["groups"]] == [["Bank Paris", "Bank Madrid"]]


def test_options_that_reach_units_need_live(geoplan: Geoplan, tmp_path: Path) -> None:
    refused = geoplan("whatif", EXAMPLE, "--endpoints", tmp_path / "lab.yaml")
    assert refused.code == 2
    assert "only with --live" in refused.stderr


def test_on_paper_it_needs_nothing_that_reaches_units() -> None:
    loaded = loaded_by("whatif", str(EXAMPLE), "--format", "json")
    assert not loaded & {"httpx", "starlette", "uvicorn", "cryptography"}


def test_a_resubmission_that_was_skipped_is_found_before_its_failover(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.4")
    assert geoplan("push", site.topology, "--endpoints", site.endpoints, "--yes").code == 0
    site.settle()
    pushed = live(geoplan, site)
    site.lab.forget_partners(S1)
    skipped = live(geoplan, site)
    content = json.loads(live(geoplan, site, "--format", "json").stdout)

    assert pushed.code == 0, pushed
    assert "OK: no single failure" in pushed.stdout
    assert skipped.code == 1
    said = " ".join(skipped.stdout.split())
    assert "! HA Pair 1: cut off, though it has a unit left, by: HA Pair 1: failover by hand" in said
    assert f"HA Pair 1: {M1} off" in said
    assert f"submit GEO LoadMaster Partners again on {S1} while it is active" in said.replace("Submit", "submit")
    jsonschema.validate(content, SHAPE)
    assert {tuple(row["cut_off"]) for row in content["rows"] if row["fault"]} == {("HA Pair 1",)}


@pytest.mark.parametrize("spoil", ["off", "password"])
def test_nothing_is_called_well_where_no_unit_told_anything(
    geoplan: Geoplan, make_site: MakeSite, monkeypatch: pytest.MonkeyPatch, spoil: str
) -> None:
    site = make_site("5.3")
    if spoil == "off":
        for address in site.reboots:
            site.lab.power_off(address)
    else:
        monkeypatch.setenv("GEOPLAN_PASSWORD", "another one")
    ended = live(geoplan, site)
    assert (ended.code, ended.stdout) == (2, "")
    assert "no unit told what it holds, so that nothing live can be tried: " in ended.stderr
    assert ("does not accept the" in ended.stderr) == (spoil == "password")


def test_a_slave_that_is_off_is_named_and_what_it_had_is_taken_for_nothing(
    geoplan: Geoplan, make_site: MakeSite
) -> None:
    site = make_site("5.3")
    assert geoplan("push", site.topology, "--endpoints", site.endpoints, "--yes").code == 0
    site.settle()
    site.lab.forget_partners(S1)
    site.lab.power_off(S1)
    ended = live(geoplan, site, "--format", "json")
    content = json.loads(ended.stdout)

    assert ended.code == 1
    jsonschema.validate(content, SHAPE)
    assert content["units_off"] == [S1]
    assert [task["text"] for task in content["now"]["tasks"]] == [f"bring back {S1}"]
    assert [(each["unit"], each["off"]) for each in content["not_told"]] == [(S1, True)]


def test_without_colours_and_journals_nothing_is_taken_as_green(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3", variants=["partners-unknown"])
    assert geoplan("push", site.topology, "--endpoints", site.endpoints, "--yes").code in (0, 1)
    site.settle()
    with_journal = live(geoplan, site)
    for journal in site.journals():
        journal.unlink()
    without = live(geoplan, site)

    assert with_journal.code == 0, with_journal
    assert without.code == 1
    assert f"Not told: the links of {S1} (HA Pair 1)" in " ".join(without.stdout.split())
