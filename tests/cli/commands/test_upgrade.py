"""``geoplan upgrade``: the runbook, what is refused, and what live units say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from geoplan import Plan, load_topology
from geoplan.lab.lab import BackgroundLab
from tests.conftest import TOPOLOGIES, Geoplan

TOPOLOGY = TOPOLOGIES / "section-5.4.yaml"
PASSWORD = "correct horse"  # noqa: S105 - the lab's


def with_firmware(folder: Path, version: str, **other: str) -> Path:
    """Write the document's example with this firmware on its units, but another on some, by their last number."""
    document = yaml.safe_load(TOPOLOGY.read_text())

    def unit(address: str) -> dict[str, str]:
        return {"address": address, "firmware": other.get("u" + address.rpartition(".")[2], version)}

    for site in document["sites"]:
        if "ha_pair" in site:
            site["ha_pair"] = {role: unit(address) for role, address in site["ha_pair"].items()}
        else:
            site["standalone"] = unit(site["standalone"])
    path = folder / "example.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


@pytest.fixture
def example(tmp_path: Path) -> Path:
    return with_firmware(tmp_path, "7.2.48.4")


def test_runbook_goes_into_a_pipe(geoplan: Geoplan, example: Path) -> None:
    outcome = geoplan("upgrade", example, "--to", "7.2.59.4")

    assert (outcome.code, outcome.stderr) == (0, "")
    assert outcome.stdout.startswith("# Runbook: two-pairs-two-standalones\n\nThis upgrades 2 HA pairs")
    assert "- [ ] **14. Standalone LoadMaster 2: set the Partner Shared Secret**" in outcome.stdout


def test_downgrade_below_7_2_36_is_refused_with_the_reason(geoplan: Geoplan, example: Path, tmp_path: Path) -> None:
    output = tmp_path / "runbook.html"
    outcome = geoplan("upgrade", example, "--to", "7.2.35.0", "-o", output)

    assert (outcome.code, outcome.stdout, output.exists()) == (2, "", False)
    assert "would become inaccessible and could not be recovered" in outcome.stderr
    assert "hint: the lowest version that these units can go to is 7.2.36.0" in outcome.stderr


@pytest.mark.parametrize(
    ("arguments", "name", "begin"),
    [
        ([], "r.html", "<!doctype html>"),
        ([], "r.md", "# Runbook"),
        ([], "r.json", "{"),
        (["--format", "json"], "r.txt", "{"),
        (["--format", "html"], "-", "<!doctype html>"),
    ],
)
def test_format_is_the_one_asked_for_or_the_ending_of_the_file(
    geoplan: Geoplan, example: Path, arguments: list[str], name: str, begin: str
) -> None:
    output = name if name == "-" else example.with_name(name)
    outcome = geoplan("upgrade", example, "--to", "7.2.59.4", *arguments, "-o", output)
    written = outcome.stdout if name == "-" else Path(output).read_text(encoding="utf-8")

    assert outcome.code == 0
    assert written.startswith(begin)


def test_json_is_a_plan(geoplan: Geoplan, example: Path) -> None:
    outcome = geoplan("upgrade", example, "--to", "7.2.59.4", "--format", "json")
    plan = Plan.model_validate_json(outcome.stdout)

    assert plan.firmware
    assert (plan.firmware.to, plan.firmware.direction, len(plan.steps)) == ("7.2.59.4", "upgrade", 14)


def test_pdf_is_no_format(geoplan: Geoplan, example: Path) -> None:
    assert geoplan("upgrade", example, "--to", "7.2.59.4", "-o", "r.pdf").code == 2


def test_nothing_to_do_is_said_in_words(geoplan: Geoplan, example: Path, tmp_path: Path) -> None:
    output = tmp_path / "r.md"
    outcome = geoplan("upgrade", example, "--to", "7.2.48.4", "-o", output)

    assert (outcome.code, outcome.stdout) == (0, "nothing to do: all 6 units run 7.2.48.4 already\n")
    assert not output.exists()


def test_nothing_to_do_is_a_plan_without_steps_for_programs(geoplan: Geoplan, example: Path) -> None:
    outcome = geoplan("upgrade", example, "--to", "7.2.48.4", "--format", "json")

    assert (outcome.code, json.loads(outcome.stdout)["steps"]) == (0, [])
    assert "nothing to do" in outcome.stderr


@pytest.mark.parametrize("name", ["ha pair 1", "HA PAIR 1", "ha-pair-1"])
def test_site_is_found_in_any_case_or_by_its_slug(geoplan: Geoplan, example: Path, name: str) -> None:
    outcome = geoplan("upgrade", example, "--to", "7.2.59.4", "--site", name, "--format", "json")

    assert {step["site"] for step in json.loads(outcome.stdout)["steps"]} == {"HA Pair 1"}


def test_part_of_a_group_is_warned_of_loudly(geoplan: Geoplan, example: Path) -> None:
    outcome = geoplan("upgrade", example, "--to", "7.2.59.4", "--site", "ha-pair-1", "--site", "ha-pair-2")

    assert "WARNING: Standalone LoadMaster 1 and Standalone LoadMaster 2 stay as they are" in outcome.stdout
    assert "- [ ] **WARNING: it is decided when Standalone LoadMaster 1 and Standalone" in outcome.stdout


def test_unknown_site_is_refused_with_a_suggestion(geoplan: Geoplan, example: Path) -> None:
    outcome = geoplan("upgrade", example, "--to", "7.2.59.4", "--site", "ha-pair-11")

    assert (outcome.code, outcome.stdout) == (2, "")
    assert "no site 'ha-pair-11'" in outcome.stderr
    assert "did you mean 'HA Pair 1'?" in outcome.stderr


def test_firmware_that_nobody_tells_is_refused(geoplan: Geoplan) -> None:
    outcome = geoplan("upgrade", TOPOLOGY, "--to", "7.2.59.4")

    assert (outcome.code, outcome.stdout) == (2, "")
    assert "the present firmware of 172.24.1.5, 172.24.1.6" in outcome.stderr
    assert "--live" in outcome.stderr


def test_pair_of_two_versions_is_brought_to_one(geoplan: Geoplan, tmp_path: Path) -> None:
    outcome = geoplan("upgrade", with_firmware(tmp_path, "7.2.48.4", u6="7.2.59.4"), "--to", "7.2.59.4")

    assert outcome.code == 0
    assert "- [ ] **1. HA Pair 1: update the unit that is left**" in outcome.stdout
    assert "The pair's other unit runs `7.2.59.4` already" in outcome.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing option '--to'"),
        (["--to", "newest"], "'newest' is not a firmware version"),
        (["--to", "7.2.59.4", "--insecure"], "connection options matter only with --live"),
    ],
)
def test_wrong_usage(geoplan: Geoplan, example: Path, arguments: list[str], said: str) -> None:
    outcome = geoplan("upgrade", example, *arguments)

    assert (outcome.code, outcome.stdout) == (2, "")
    assert said in outcome.stderr


# -- live units ------------------------------------------------------------------------------------------------------


@pytest.fixture
def lab() -> Iterator[BackgroundLab]:
    with BackgroundLab(load_topology(TOPOLOGY), firmware="7.2.54.9.22642.RELEASE") as running:
        yield running


@pytest.fixture
def endpoints(lab: BackgroundLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GEOPLAN_USER", lab.credentials.user)
    monkeypatch.setenv("GEOPLAN_PASSWORD", lab.credentials.password)
    path = tmp_path / "lab.yaml"
    path.write_text(lab.endpoints.to_yaml())
    return path


def test_live_units_say_what_they_run(geoplan: Geoplan, endpoints: Path) -> None:
    outcome = geoplan("upgrade", TOPOLOGY, "--to", "7.2.59.4", "--live", "--endpoints", endpoints, "--format", "json")

    assert (outcome.code, outcome.stderr) == (0, "")
    plan = Plan.model_validate_json(outcome.stdout)
    assert plan.firmware
    assert {unit.present for unit in plan.firmware.units} == {"7.2.54.9.22642.RELEASE"}


def test_what_a_unit_runs_goes_before_what_the_file_says(geoplan: Geoplan, endpoints: Path, example: Path) -> None:
    arguments = ["--to", "7.2.54.9", "--live", "--endpoints", endpoints, "--site", "ha-pair-1"]
    outcome = geoplan("upgrade", example, *arguments)

    assert (outcome.code, outcome.stdout) == (0, "nothing to do: all 2 units run 7.2.54.9 already\n")
    assert "172.24.1.5 runs 7.2.54.9.22642.RELEASE, and the file says 7.2.48.4: what it runs counts" in outcome.stderr


@pytest.mark.usefixtures("quick_pauses")
def test_unit_that_does_not_answer_is_not_updated(geoplan: Geoplan, lab: BackgroundLab, endpoints: Path) -> None:
    lab.inject("refuse,unit=172.24.1.9")
    outcome = geoplan("upgrade", TOPOLOGY, "--to", "7.2.59.4", "--live", "--endpoints", endpoints)

    assert (outcome.code, outcome.stdout) == (2, "")
    assert "not every unit says what it runs, and nothing is planned" in outcome.stderr
    assert "172.24.1.9: " in outcome.stderr
    assert "172.24.1.5" not in outcome.stderr
