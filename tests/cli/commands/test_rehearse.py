"""``geoplan rehearse``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.conftest import Geoplan

FEW = ("--seeds", "1", "--jobs", "1")


@pytest.fixture
def two_standalones(tmp_path: Path) -> Path:
    sites = [{"name": f"S{number}", "standalone": f"10.0.{number}.1"} for number in (1, 2)]
    path = tmp_path / "two.yaml"
    path.write_text(yaml.safe_dump({"sites": sites}))
    return path


def test_all_of_a_rehearsal_fits_60_columns(
    two_standalones: Path, geoplan: Geoplan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    ended = geoplan("rehearse", two_standalones, *FEW)

    assert (ended.code, ended.stderr) == (0, "")
    assert "No promise was broken." in ended.stdout
    assert "links green: 1 of 1" in ended.stdout
    assert "cases were played" in ended.stdout
    assert [line for line in ended.stdout.splitlines() if len(line) > 60] == []


def test_json_counts_what_was_played(two_standalones: Path, geoplan: Geoplan) -> None:
    told = json.loads(geoplan("rehearse", two_standalones, *FEW, "--format", "json").stdout)
    faults = told["cases"]["single faults"]

    assert told["format"] == "geoplan/rehearsal/1"
    assert told["broken"] == []
    assert told["seeds"] == [0, 0]
    ended = sum(faults[way] for way in ("at_once", "resumed", "refused", "finished"))
    assert faults["total"] == faults["played"] == ended > 0
    assert {unit["unit"] for unit in told["planned"]["units"]} == {"10.0.1.1", "10.0.2.1"}


def test_markdown_has_the_table_and_the_timeline(two_standalones: Path, geoplan: Geoplan, tmp_path: Path) -> None:
    ended = geoplan("rehearse", two_standalones, *FEW, "-o", tmp_path / "tonight.md")
    written = (tmp_path / "tonight.md").read_text()

    assert ended.code == 0
    assert "| single faults |" in written
    assert "done and verified" in written


@pytest.mark.parametrize("which", [("--case", "1:kill-after"), ("--seed", "3")])
def test_one_case_is_told_run_by_run(which: tuple[str, str], two_standalones: Path, geoplan: Geoplan) -> None:
    ended = geoplan("rehearse", two_standalones, *which)

    assert ended.code == 0
    assert "run 1: " in ended.stdout
    assert "\\u000a" not in ended.stdout


def test_a_broken_promise_ends_with_1_and_says_how_to_see_it_again(
    two_standalones: Path, geoplan: Geoplan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("geoplan.twin.stage.Stage.check_pairs", lambda stage: stage.watch.say("one is broken"))
    monkeypatch.setattr("geoplan.cli.commands.rehearse.TOLD_AFTER", 1)
    ended = geoplan("rehearse", two_standalones, *FEW)

    assert ended.code == 1
    assert "BROKEN in planned" in ended.stdout

    ended = geoplan("rehearse", two_standalones, "--seed", "3", "--format", "json")
    assert ended.code == 1
    assert json.loads(ended.stdout)["broken"] == ["one is broken"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--seed", "1", "--case", "1:reset"), "contradict"),
        (("--case", "1:resets"), "1:reset"),
        (("--seed-by-api",), "--from"),
    ],
)
def test_wrong_usage(words: tuple[str, ...], said: str, two_standalones: Path, geoplan: Geoplan) -> None:
    ended = geoplan("rehearse", two_standalones, *words)

    assert ended.code == 2
    assert said in ended.stderr


def test_a_plan_is_no_old_to_rehearse_from(two_standalones: Path, geoplan: Geoplan, tmp_path: Path) -> None:
    plan = tmp_path / "old.json"
    geoplan("plan", two_standalones, "--format", "json", "-o", plan)
    ended = geoplan("rehearse", two_standalones, "--from", plan)

    assert ended.code == 2
    assert "give as OLD the topology" in ended.stderr


def topology_file(folder: Path, name: str, *sites: str) -> Path:
    """Write sites, each as its name and its addresses with colons between."""
    written = []
    for site in sites:
        called, *addresses = site.split(":")
        pair = {"ha_pair": {"master": addresses[0], "slave": addresses[-1]}}
        written.append({"name": called, **(pair if addresses[1:] else {"standalone": addresses[0]})})
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({"sites": written, "timing": {"boot_seconds": 20, "sync_seconds": 5}}))
    return path


def test_a_change_begins_with_units_as_the_old_file_has_them(tmp_path: Path, geoplan: Geoplan) -> None:
    old = topology_file(tmp_path, "old", "A:10.0.1.1:10.0.1.2", "B:10.0.2.1", "C:10.0.3.1")
    new = topology_file(tmp_path, "new", "A:10.0.1.1:10.0.1.2", "B:10.0.2.1", "D:10.0.4.1")
    ended = geoplan("rehearse", new, "--from", old, "--case", "D:seed-deleted", "--format", "json")
    told = json.loads(ended.stdout)

    assert (ended.code, told["broken"]) == (0, [])
    assert (told["format"], told["case"]) == ("geoplan/rehearsed-case/1", "D:seed-deleted")
    assert {unit["unit"] for unit in told["units"]} >= {"10.0.3.1", "10.0.4.1"}  # who leaves, and who joins


def test_the_push_as_planned_is_a_picture(tmp_path: Path, geoplan: Geoplan) -> None:
    path = topology_file(tmp_path, "one", "A:10.0.1.1:10.0.1.2", "B:10.0.2.1")
    ended = geoplan("rehearse", path, "-o", tmp_path / "tonight.svg")
    drawn = (tmp_path / "tonight.svg").read_text()

    assert ended.code == 0
    assert "10.0.1.1 of A is down from" in drawn
    assert drawn == geoplan("rehearse", path, "--format", "svg").stdout


def test_options_that_reach_units_matter_only_with_live_ones(two_standalones: Path, geoplan: Geoplan) -> None:
    ended = geoplan("rehearse", two_standalones, "--insecure")

    assert ended.code == 2
    assert "--from live" in ended.stderr


def test_one_seed_is_told_in_the_singular(two_standalones: Path, geoplan: Geoplan) -> None:
    said = geoplan("rehearse", two_standalones, "--seeds", "1", "--first-seed", "3").stdout

    assert "Draw: seed 3." in said
