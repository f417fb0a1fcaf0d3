"""``geoplan probe`` against the lab over real sockets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from geoplan.loadmaster import LoopClock
from geoplan.loadmaster.pace import Paces
from geoplan.topology.model import BOOT_FLOOR_SECONDS
from geoplan.vendor import CALLS_WINDOW_SECONDS
from tests.conftest import Geoplan
from tests.push.conftest import MakeSite, make_site
from tests.push.support import A1, BOOT, M1, S1

__all__ = ["make_site"]


@pytest.fixture(autouse=True)
def _with_short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask as often as the lab's quick units bear: they count calls in as much shorter a time as they boot."""
    window = CALLS_WINDOW_SECONDS * BOOT / BOOT_FLOOR_SECONDS
    monkeypatch.setattr("geoplan.cli.commands.probe.paces", lambda: Paces(LoopClock(), window))


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
    assert "No read can show:" in shown.stdout
    not_read = {each["fact"] for each in report["no_read_can_show"]}
    assert {"SET_PARAMETER", "HA_MODES_TAKEN", "LINKS_NEED_ACCESS"} <= not_read
    assert all(f"  {fact}: only " in shown.stdout for fact in not_read)
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


def test_addresses_with_one_refused_password_are_not_asked_further(
    geoplan: Geoplan, make_site: MakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site()
    monkeypatch.setenv("GEOPLAN_PASSWORD", "not the password")
    shown = geoplan("probe", M1, S1, A1, "--endpoints", site.endpoints)
    assert shown.code == 1
    assert f"! {M1}: it does not accept the credentials" in shown.stdout
    assert [f"geoplan: {each}: not asked: {M1} does not accept" in shown.stderr for each in (S1, A1)] == [True, True]
