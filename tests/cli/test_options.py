"""``--from OLD`` on every command that plans."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from geoplan import Plan
from tests.conftest import Geoplan

TWO = """\
name: two
sites:
  - {name: A, ha_pair: {master: 10.0.0.1, slave: 10.0.0.2}}
  - {name: B, standalone: 10.0.0.3}
"""
FOUR = (
    TWO.replace("name: two", "name: four")
    + """\
  - {name: C, ha_pair: {master: 10.0.0.5, slave: 10.0.0.6}}
  - {name: D, standalone: 10.0.0.7}
"""
)
COMMANDS = ("plan", "runbook", "diagram")


@pytest.fixture
def two(tmp_path: Path) -> Path:
    path = tmp_path / "two.yaml"
    path.write_text(TWO)
    return path


@pytest.fixture
def four(tmp_path: Path) -> Path:
    path = tmp_path / "four.yaml"
    path.write_text(FOUR)
    return path


def test_plan_file_as_old_gives_the_change_that_its_topology_gives(two: Path, four: Path, geoplan: Geoplan) -> None:
    old = two.with_suffix(".json")
    geoplan("plan", two, "--format", "json", "-o", old)
    by_topology, by_plan = (geoplan("plan", four, "--from", start, "--format", "json") for start in (two, old))

    assert (by_plan.code, by_plan.stdout) == (0, by_topology.stdout)
    assert Plan.model_validate_json(by_plan.stdout).change


@pytest.mark.parametrize("indent", [None, 4])
def test_plan_file_may_be_laid_out_in_another_way(
    indent: int | None, two: Path, four: Path, geoplan: Geoplan, tmp_path: Path
) -> None:
    written = json.loads(geoplan("plan", two, "--format", "json").stdout)
    old = tmp_path / "old"
    old.write_text(json.dumps(written, indent=indent))

    assert geoplan("plan", four, "--from", old).code == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_old_from_standard_input(command: str, four: Path, geoplan: Geoplan) -> None:
    assert geoplan(command, four, "--from", "-", stdin=TWO).code == 0
    outcome = geoplan(command, "-", "--from", "-", stdin=TWO)
    assert outcome.code == 2
    assert "cannot both be standard input" in outcome.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_plan_that_was_edited_is_refused_with_its_place(
    command: str, two: Path, four: Path, geoplan: Geoplan, tmp_path: Path
) -> None:
    old = tmp_path / "old.json"
    old.write_text(geoplan("plan", two, "--format", "json").stdout.replace("10.0.0.3", "10.0.0.4"))
    outcome = geoplan(command, four, "--from", old)

    assert (outcome.code, outcome.stdout) == (2, "")
    assert f"{old}:4: " in outcome.stderr
    assert "checksum does not fit" in outcome.stderr


@pytest.mark.parametrize(
    "text",
    [
        '{"format": "geoplan/plan/1"',
        '{"format": "geoplan/plan/1"}',
        '{"format": "geoplan/plan/2", "topology": "x"}',
        "format: geoplan/plan/1\ntopology: x\n",
        '{"format": "geoplan/plan/1", "x": ' + "[" * 50_000,
        "sites: 1",
        "",
        "\x00",
    ],
)
def test_old_that_is_neither_is_refused(text: str, four: Path, geoplan: Geoplan, tmp_path: Path) -> None:
    old = tmp_path / "old.json"
    old.write_text(text)
    outcome = geoplan("plan", four, "--from", old)

    assert (outcome.code, outcome.stdout) == (2, "")
    assert str(old) in outcome.stderr
    assert "hint: " in outcome.stderr


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--from", "nowhere.yaml"), "cannot read nowhere.yaml"),
        (("--replaced", "10.0.0.1"), "--replaced matters only with --from"),
        (("--clean-leaving",), "--clean-leaving matters only with --from"),
        (("--retire", "x"), "--retire matters only with --from"),
        (("--from", "TWO", "--replaced", "10.0.0.9"), "no site has the unit 10.0.0.9"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    command: str, options: tuple[str, ...], said: str, tmp_path: Path, geoplan: Geoplan
) -> None:
    four, two = tmp_path / "four.yaml", tmp_path / "TWO"
    four.write_text(FOUR)
    two.write_text(TWO)
    outcome = geoplan(command, four, *(two if option == "TWO" else option for option in options))

    assert (outcome.code, outcome.stdout) == (2, "")
    assert said in outcome.stderr


@pytest.mark.parametrize("command", ["plan", "runbook"])
def test_change_is_one_of_geo_alone(command: str, two: Path, four: Path, geoplan: Geoplan) -> None:
    usual, named = (geoplan(command, four, "--from", two, *more) for more in ((), ("--phase", "geo")))
    assert usual == named
    for phase in ("ha", "all"):
        outcome = geoplan(command, four, "--from", two, "--phase", phase)
        assert (outcome.code, outcome.stdout) == (2, "")
        assert f"leave --phase {phase} out" in outcome.stderr


def test_output_never_replaces_the_old_file(two: Path, four: Path, geoplan: Geoplan) -> None:
    assert geoplan("plan", four, "--from", two, "-o", two).code == 2
    assert two.read_text() == TWO


def grouped(text: str, **groups: str) -> str:
    return text + "".join(("groups:\n", *(f"  {name}: [{members}]\n" for name, members in groups.items())))


def test_one_group_is_changed_alone_or_names_the_others_that_it_needs(geoplan: Geoplan, tmp_path: Path) -> None:
    old, smaller, moved = (tmp_path / f"{name}.yaml" for name in ("old", "smaller", "moved"))
    old.write_text(grouped(FOUR, x="A, B", y="C, D"))
    smaller.write_text(grouped(FOUR.replace("  - {name: D, standalone: 10.0.0.7}\n", ""), x="A, B", y="C"))
    moved.write_text(grouped(FOUR, x="A, B, D", y="C"))

    alone = geoplan("plan", smaller, "--from", old, "--group", "y", "--format", "json")
    assert alone.code == 0, alone
    assert {site["name"] for site in json.loads(alone.stdout)["sites"]} == {"C", "D"}
    for command in COMMANDS:
        refused = geoplan(command, moved, "--from", old, "--group", "x")
        assert (refused.code, refused.stdout) == (2, "")
        assert "sites of x were partners of 'C', which is in 'y' now" in refused.stderr
        assert "--group x --group y" in refused.stderr
    whole = geoplan("plan", moved, "--from", old, "--format", "json")
    assert geoplan("plan", moved, "--from", old, "--group", "y", "--group", "x", "--format", "json").code == whole.code
