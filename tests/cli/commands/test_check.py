"""``geoplan check``."""

from __future__ import annotations

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
