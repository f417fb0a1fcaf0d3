"""``geoplan probe`` against the lab over real sockets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from geoplan.live.probe import answers
from tests.conftest import Geoplan
from tests.push.conftest import MakeSite, make_site
from tests.push.support import A1, M1, S1

__all__ = ["make_site"]


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "PACE_SECONDS", 0.0)


def test_probe_shows_verdicts_and_writes_a_report_that_names_nobody(
    geoplan: Geoplan, make_site: MakeSite, tmp_path: Path
) -> None:
    site = make_site()
    file = tmp_path / "report.json"
    shown = geoplan("probe", M1, S1, "--endpoints", site.endpoints, "--report", file)
    assert shown.code == 0, shown
    assert shown.stdout.count("confirms") > 10
    assert "contradicts 0" in shown.stdout
    report = json.loads(file.read_text())
    assert report["format"] == "geoplan/probe/1"
    assert len(report["units"]) == 2
    assert not [private for private in (M1, S1, A1, "HA Pair", "127.0.0.1") if private in file.read_text()]
    as_json = geoplan("probe", M1, S1, "--endpoints", site.endpoints, "--format", "json")
    assert json.loads(as_json.stdout)["units"][0]["facts"] == report["units"][0]["facts"]


def test_unit_that_is_down_is_told_with_what_to_do(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site()
    site.lab.power_off(A1)
    shown = geoplan("probe", A1, "--endpoints", site.endpoints)
    assert shown.code == 1
    assert f"! {A1}: " in shown.stdout
    assert "hint:" in shown.stdout


def test_unit_that_the_lab_does_not_serve_is_not_asked(geoplan: Geoplan, make_site: MakeSite) -> None:
    shown = geoplan("probe", "192.0.2.7", "--endpoints", make_site().endpoints)
    assert shown.code == 2
    assert "192.0.2.7" in shown.stderr
    assert "would be reached at its real address" in shown.stderr


@pytest.mark.parametrize("written", ["lm.example.com", "10.0.0", "https://10.0.0.5"])
def test_only_addresses_are_taken(geoplan: Geoplan, written: str) -> None:
    shown = geoplan("probe", written)
    assert shown.code == 2
    assert f"'{written}' is no IPv4 or IPv6 address" in shown.stderr
