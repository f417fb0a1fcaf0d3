"""``geoplan check``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import TOPOLOGIES, Geoplan

EXAMPLE = TOPOLOGIES / "section-5.4.yaml"


def test_check_of_a_good_file(geoplan: Geoplan) -> None:
    assert geoplan("check", EXAMPLE) == (0, f"{EXAMPLE}: OK: no errors\n", "")


@pytest.mark.parametrize("code", ["GEO408", "geo408", "408"])
def test_check_explains_a_code(code: str, geoplan: Geoplan) -> None:
    outcome = geoplan("check", "--explain", code)

    assert outcome.code == 0
    assert outcome.stdout.startswith("GEO408 (error): A group has too many sites\n")
    assert "Source: GEO Feature Description" in outcome.stdout


def test_check_of_an_empty_code(geoplan: Geoplan) -> None:
    outcome = geoplan("check", "--explain", "")

    assert outcome.code == 2
    assert "it is empty" in outcome.stderr


def test_check_of_an_unknown_code(geoplan: Geoplan) -> None:
    outcome = geoplan("check", "--explain", "GEO999")

    assert outcome.code == 2
    assert "no diagnostic has the code 'GEO999'" in outcome.stderr


def test_missing_file_exits_2_and_says_what_to_do(geoplan: Geoplan) -> None:
    outcome = geoplan("check", "nowhere.yaml")

    assert outcome.code == 2
    assert outcome.stdout == ""
    assert outcome.stderr.splitlines() == [
        "geoplan: error: cannot read nowhere.yaml: No such file or directory",
        "  hint: check the path and its permissions",
    ]


def test_directory_is_no_topology(geoplan: Geoplan, tmp_path: Path) -> None:
    outcome = geoplan("plan", tmp_path)

    assert outcome.code == 2
    assert "Is a directory" in outcome.stderr


def test_fault_on_standard_input(geoplan: Geoplan) -> None:
    outcome = geoplan("plan", "-", stdin="sites: 1")

    assert outcome.code == 2
    assert outcome.stderr.startswith("stdin:1:8: error: GEO101 ")


FAULTY = "sites:\n  - name: A\n    ha_pair: {master: 172.24.1.5, slave: 172.24.1.5}\n"


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    path = tmp_path / "faulty.yaml"
    path.write_text(FAULTY)
    return path


def test_many_files_are_checked_each_by_itself(geoplan: Geoplan, faulty: Path) -> None:
    outcome = geoplan("check", faulty, EXAMPLE, faulty)

    alone = geoplan("check", faulty).stdout
    assert outcome == (1, f"{alone}{EXAMPLE}: OK: no errors\n{alone}3 files: 1 OK and 2 with errors\n", "")


def test_many_good_files(geoplan: Geoplan) -> None:
    outcome = geoplan("check", EXAMPLE, "-", stdin=EXAMPLE.read_text())

    assert outcome == (0, f"{EXAMPLE}: OK: no errors\nstdin: OK: no errors\n2 files: 2 OK\n", "")


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_file_that_cannot_be_read_keeps_no_other_from_being_checked(
    order: tuple[int, ...], geoplan: Geoplan, faulty: Path
) -> None:
    given: tuple[str | Path, ...] = (faulty, "nowhere.yaml", EXAMPLE)
    outcome = geoplan("check", *(given[number] for number in order))

    assert outcome.code == 2
    assert f"{faulty}: 1 error\n" in outcome.stdout
    assert f"{EXAMPLE}: OK: no errors\n" in outcome.stdout
    assert outcome.stdout.endswith("3 files: 1 OK, 1 with errors and 1 not readable\n")
    assert outcome.stderr.startswith("geoplan: error: cannot read nowhere.yaml: No such file or directory\n  hint: ")


def test_each_file_that_cannot_be_read_is_named(geoplan: Geoplan) -> None:
    outcome = geoplan("check", "nowhere.yaml", EXAMPLE, "elsewhere.yaml")

    assert outcome.code == 2
    assert outcome.stderr.splitlines()[:3] == [
        "geoplan: error: 2 files cannot be read",
        "  cannot read nowhere.yaml: No such file or directory",
        "  cannot read elsewhere.yaml: No such file or directory",
    ]


def test_two_files_cannot_both_be_standard_input(geoplan: Geoplan) -> None:
    for names in (("-", "-"), ("-", "/dev/stdin")):
        outcome = geoplan("check", *names, stdin=EXAMPLE.read_text())
        assert outcome.code == 2
        assert "cannot both be standard input" in outcome.stderr


@pytest.mark.parametrize("given", [("",), (EXAMPLE, "")])
def test_empty_name_among_files_is_wrong_usage(given: tuple[str | Path, ...], geoplan: Geoplan) -> None:
    outcome = geoplan("check", *given)

    assert outcome.code == 2
    assert "it is empty" in outcome.stderr


def test_json_of_one_file_is_that_of_the_file_alone(geoplan: Geoplan, faulty: Path) -> None:
    report = json.loads(geoplan("check", faulty, "--format", "json").stdout)

    assert (report["format"], report["errors"], report["warnings"]) == ("geoplan/diagnostics/1", 1, 0)
    assert list(report) == ["format", "errors", "warnings", "diagnostics"]


def test_json_of_many_files_has_a_report_of_each(geoplan: Geoplan, faulty: Path) -> None:
    outcome = geoplan("check", faulty, EXAMPLE, "nowhere.yaml", "--format", "json")
    report = json.loads(outcome.stdout)

    alone = json.loads(geoplan("check", faulty, "--format", "json").stdout)
    assert outcome.code == 2
    assert (report["format"], report["usable"], report["not_usable"]) == ("geoplan/checks/1", 1, 2)
    assert [each["path"] for each in report["files"]] == [str(faulty), str(EXAMPLE), "nowhere.yaml"]
    assert [each["usable"] for each in report["files"]] == [False, True, False]
    assert report["files"][0]["diagnostics"] == alone["diagnostics"]
    assert report["files"][2]["unreadable"] == "cannot read nowhere.yaml: No such file or directory"


@pytest.mark.parametrize("form", ["sarif", "junit", "github"])
def test_formats_for_ci_have_the_same_exit_codes(form: str, geoplan: Geoplan, faulty: Path) -> None:
    codes = [geoplan("check", *files, "--format", form).code for files in ((EXAMPLE,), (faulty, EXAMPLE), ("nowhere",))]

    assert codes == [0, 1, 2]


@pytest.mark.parametrize(("form", "start"), [("sarif", "{"), ("junit", "<?xml"), ("github", "::error file=nowhere")])
def test_formats_for_ci_tell_of_a_file_that_cannot_be_read(form: str, start: str, geoplan: Geoplan) -> None:
    outcome = geoplan("check", "nowhere", "--format", form)

    assert outcome.stdout.startswith(start)
    assert "nowhere: No such file" in outcome.stdout
    assert "cannot read nowhere" in outcome.stderr
