"""``geoplan plan``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from geoplan import Plan, load_topology, make_plan
from tests.conftest import TOPOLOGIES, Geoplan

EXAMPLE = TOPOLOGIES / "section-5.4.yaml"


def test_plan_from_standard_input_is_called_stdin(geoplan: Geoplan) -> None:
    outcome = geoplan("plan", "-", "--format", "json", stdin="sites: [{name: A, standalone: 10.0.0.1}]")

    assert json.loads(outcome.stdout)["topology"] == "stdin"


def test_warnings_go_to_standard_error_and_do_not_stop_a_plan(geoplan: Geoplan) -> None:
    mixed = "sites: [{name: A, standalone: 10.0.0.1}, {name: B, standalone: 2001:db8::1}]"
    outcome = geoplan("plan", "-", "--format", "json", stdin=mixed)

    assert outcome.code == 0
    assert "warning: GEO504" in outcome.stderr
    assert len(json.loads(outcome.stdout)["sites"]) == 2


def test_plan_as_json_has_the_keys_of_the_design(geoplan: Geoplan) -> None:
    plan = json.loads(geoplan("plan", EXAMPLE, "--format", "json").stdout)

    keys = ["format", "topology", "checksum", "groups", "sites", "clusters", "steps"]
    assert list(plan)[: len(keys)] == keys
    assert plan["format"] == "geoplan/plan/1"
    assert set(plan["groups"][0]) >= {"name", "section", "sites"}
    assert set(plan["sites"][0]) >= {"name", "kind", "group", "units", "remote_geo_access", "geo_partners"}
    assert set(plan["sites"][0]["units"][0]) >= {"address", "role"}
    assert set(plan["clusters"][0]) >= {"group", "site", "name", "address", "type"}
    step_keys = {"number", "id", "action", "site", "on", "after", "section", "why", "note"}
    assert set(plan["steps"][0]) >= step_keys
    assert plan["steps"][0]["on"] == {"site": "HA Pair 1", "unit": "active"}
    assert plan["steps"][0]["id"] == "ha-pair-1/set-remote-geo-access"


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_plan_is_read_back_to_an_equal_one(form: str, geoplan: Geoplan) -> None:
    written = geoplan("plan", EXAMPLE, "--format", form).stdout
    read = Plan.model_validate_json(written) if form == "json" else Plan.model_validate(yaml.safe_load(written))

    assert read == make_plan(load_topology(EXAMPLE))


def _file(tmp_path: Path, name: str, groups: dict[str, dict[str, str]]) -> Path:
    sites = [{"name": site, "standalone": address} for own in groups.values() for site, address in own.items()]
    content = {"name": name, "sites": sites, "groups": {group: [*own] for group, own in groups.items()}}
    path = tmp_path / f"{name}.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


X, Y = {"A": "10.0.0.1", "B": "10.0.0.2"}, {"C": "10.0.1.1", "D": "10.0.1.2"}


def test_an_older_state_that_shares_no_unit_is_refused(geoplan: Geoplan, tmp_path: Path) -> None:
    old, new = _file(tmp_path, "old", {"y": Y}), _file(tmp_path, "new", {"x": X})
    for command in ("plan", "runbook", "diagram"):
        refused = geoplan(command, new, "--from", old)
        assert refused.code == 2, refused
        assert "'old' and 'new' have no unit in common: C, D would leave" in refused.stderr
        assert geoplan(command, new, "--from", old, "--retire", "y").code == 2


def test_a_group_that_is_in_no_file_any_more_is_retired_by_its_name(geoplan: Geoplan, tmp_path: Path) -> None:
    old, new = _file(tmp_path, "old", {"x": X, "y": Y}), _file(tmp_path, "new", {"x": X})
    refused = geoplan("plan", new, "--from", old)
    assert refused.code == 2
    assert "no unit of group 'y' is in 'new': C, D would leave" in refused.stderr
    assert "to retire these groups: --retire y" in refused.stderr
    assert geoplan("plan", new, "--from", old, "--retire", "y").code == 0
    wrong = geoplan("plan", new, "--from", old, "--retire", "y", "--retire", "x")
    assert "'x' is no group of 'old' of which all sites leave" in wrong.stderr


TWO = TOPOLOGIES / "section-5.3.yaml"


def test_many_files_are_planned_one_after_the_other(geoplan: Geoplan) -> None:
    for form in ("text", "markdown"):
        one, two = (geoplan("plan", path, "--format", form).stdout for path in (EXAMPLE, TWO))

        assert geoplan("plan", EXAMPLE, TWO, "--format", form) == (0, f"{one}\n{two}", "")


def test_many_plans_as_json_and_yaml_are_each_the_plan_of_its_file(geoplan: Geoplan, tmp_path: Path) -> None:
    alone = [json.loads(geoplan("plan", path, "--format", "json").stdout) for path in (EXAMPLE, TWO)]

    whole = json.loads(geoplan("plan", EXAMPLE, TWO, "--format", "json").stdout)
    assert whole == {
        "format": "geoplan/plans/1",
        "plans": [{"path": str(path), "plan": plan} for path, plan in zip((EXAMPLE, TWO), alone, strict=True)],
    }
    assert geoplan("plan", EXAMPLE, TWO, "-o", tmp_path / "plans.yaml").code == 0
    assert list(yaml.safe_load_all((tmp_path / "plans.yaml").read_text())) == alone


def test_name_of_a_file_breaks_no_format(geoplan: Geoplan, tmp_path: Path) -> None:
    hostile = tmp_path / 'a"\n---\nx: [1.yaml'
    hostile.write_bytes(TWO.read_bytes())

    whole = json.loads(geoplan("plan", hostile, TWO, "--format", "json").stdout)
    assert [each["path"] for each in whole["plans"]] == [str(hostile), str(TWO)]
    assert len(list(yaml.safe_load_all(geoplan("plan", hostile, TWO, "--format", "yaml").stdout))) == 2


@pytest.mark.parametrize("order", [1, -1])
def test_of_many_files_all_are_planned_or_none(order: int, geoplan: Geoplan, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text("sites: 1\n")
    faulty = [tmp_path / "one.yaml", EXAMPLE, tmp_path / "two.yaml"][::order]

    outcome = geoplan("plan", *faulty, "-o", tmp_path / "plans.md")

    assert (outcome.code, outcome.stdout) == (2, "")
    assert not (tmp_path / "plans.md").exists()
    assert f"{tmp_path / 'one.yaml'}:1:8: error: GEO101" in outcome.stderr
    assert f"{tmp_path / 'two.yaml'}:1:8: error: GEO101" in outcome.stderr
    unreadable = geoplan("plan", EXAMPLE, "nowhere.yaml", *faulty)
    assert (unreadable.code, unreadable.stdout) == (2, "")
    assert "cannot read nowhere.yaml" in unreadable.stderr
    assert unreadable.stderr.count("error: GEO101") == len(("one", "two")), "what is missing hides no fault of others"


@pytest.mark.parametrize(
    "options",
    [("--live",), ("--from", TWO), ("--group", "shop"), ("--format", "lists"), ("--format", "lists", "-o", "x")],
)
def test_what_is_of_one_plan_is_refused_for_many(options: tuple[str | Path, ...], geoplan: Geoplan) -> None:
    outcome = geoplan("plan", EXAMPLE, TWO, *options)

    assert outcome.code == 2
    assert "give one TOPOLOGY" in outcome.stderr


def test_none_of_the_files_that_are_read_is_replaced(geoplan: Geoplan, tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_bytes(TWO.read_bytes())

    assert geoplan("plan", EXAMPLE, mine, "-o", mine).code == 2
    assert mine.read_bytes() == TWO.read_bytes()
