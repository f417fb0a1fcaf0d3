"""SARIF is valid, and says what the check found, where, and nothing that a file wants to get through."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import pytest

from geoplan.render.checks import sarif
from geoplan.topology.checks import CheckedFile, check_files
from geoplan.topology.codes import CODES
from geoplan.wording import is_control
from tests.conftest import TOPOLOGIES
from tests.render.checks.files import PLACES, five_faults, hostile

SCHEMA = json.loads((Path(__file__).parent / "sarif-2.1.0-rtm.5.json").read_text())


def valid_run(files: list[CheckedFile]) -> dict[str, Any]:
    """Return the only run of a log that its schema allows."""
    log = json.loads(sarif.render(files))
    jsonschema.Draft4Validator(SCHEMA).validate(log)
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


def location(of: dict[str, Any]) -> dict[str, Any]:
    (place,) = of["locations"]
    return dict(place["physicalLocation"])


def texts(value: object) -> list[str]:
    """Return every text of a value of JSON, keys too."""
    match value:
        case dict():
            return [text for pair in value.items() for each in pair for text in texts(each)]
        case list():
            return [text for each in value for text in texts(each)]
        case _:
            return [value] if isinstance(value, str) else []


def test_five_faults_are_valid_and_at_their_places(tmp_path: Path) -> None:
    run = valid_run(five_faults(tmp_path))

    found = [(location(each)["region"], each["ruleId"]) for each in run["results"]]
    assert [(region["startLine"], region["startColumn"], rule) for region, rule in found] == PLACES
    assert found[0][0]["endColumn"] == 42 + len("172.24.1.5")
    assert {each["level"] for each in run["results"]} == {"error"}


def test_each_result_names_its_rule(tmp_path: Path) -> None:
    run = valid_run(five_faults(tmp_path))
    rules = run["tool"]["driver"]["rules"]

    assert [rules[each["ruleIndex"]]["id"] for each in run["results"]] == [each["ruleId"] for each in run["results"]]
    assert {rule["shortDescription"]["text"] for rule in rules} == {CODES[code].title for _, _, code in PLACES}


def test_a_file_that_cannot_be_read_makes_the_run_a_failed_one(tmp_path: Path) -> None:
    (ended,) = valid_run(five_faults(tmp_path))["invocations"]

    (told,) = ended["toolExecutionNotifications"]
    assert not ended["executionSuccessful"]
    assert "No such file or directory" in told["message"]["text"]


def test_good_files_are_a_run_without_results() -> None:
    run = valid_run(check_files([str(TOPOLOGIES / "section-5.4.yaml"), str(TOPOLOGIES / "fleet.yaml")]))

    assert run["results"] == []
    assert run["invocations"][0]["executionSuccessful"]


def test_paths_of_the_checkout_stay_relative_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a b.yaml").write_text("sites: 1")

    (result,) = valid_run(check_files(["./a b.yaml"]))["results"]

    assert location(result)["artifactLocation"] == {"uri": "a%20b.yaml", "uriBaseId": "%SRCROOT%"}


def test_nothing_steers_and_no_secret_gets_through(tmp_path: Path) -> None:
    files = hostile(tmp_path)
    run = valid_run(files)

    assert not [text for text in texts(run) if any(map(is_control, text.replace("\n", "")))]
    assert "hunter2" not in json.dumps(run)
    assert {unquote(location(each)["artifactLocation"]["uri"]) for each in run["results"]} == {
        f"file://{files[0].path}"
    }
