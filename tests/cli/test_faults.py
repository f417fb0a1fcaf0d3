"""A fault of geoplan itself: its exit code, and a report that holds no secret."""

from __future__ import annotations

import re
import stat
import tempfile
from pathlib import Path

import pytest

from geoplan.cli import faults
from geoplan.live.fleet import Fleet
from geoplan.loadmaster import Secret
from tests.conftest import TOPOLOGIES, Geoplan
from tests.push.conftest import MakeSite, make_site
from tests.push.support import PASSWORD

__all__ = ["make_site"]

EXAMPLE = TOPOLOGIES / "section-5.4.yaml"
REPORT = re.compile(r"please report it, with (\S+\.txt)")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def break_with(monkeypatch: pytest.MonkeyPatch, name: str, error: Exception) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(name, broken)


@pytest.mark.parametrize("error", [KeyError("x"), RecursionError(), MemoryError(), ExceptionGroup("a", [ValueError()])])
def test_fault_ends_in_a_report_and_a_code_of_its_own(
    geoplan: Geoplan, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    break_with(monkeypatch, "geoplan.plan.planner.make_plan", error)
    ended = geoplan("plan", EXAMPLE)
    assert (ended.code, ended.stdout) == (faults.FAULT, "")
    assert "Traceback" not in ended.stderr
    assert type(error).__name__ in ended.stderr
    report = Path(REPORT.findall(ended.stderr)[0])
    assert "Traceback (most recent call last)" in report.read_text()
    assert stat.S_IMODE(report.stat().st_mode) == 0o600


def test_report_holds_no_secret_in_any_spelling(geoplan: Geoplan, monkeypatch: pytest.MonkeyPatch) -> None:
    held = Secret("pa'ss\\w\u00f6rd one")
    monkeypatch.setenv("GEOPLAN_PASSWORD_172_24_1_5", "from-a-variable")
    monkeypatch.setenv("HTTPS_PROXY", "http://me:proxys-own@127.0.0.1:1")
    said = [held.reveal(), repr(held.reveal()), ascii(held.reveal()), "from-a-variable", "me:proxys-own"]
    break_with(monkeypatch, "geoplan.plan.planner.make_plan", ValueError("\n".join([*said, "Basic YmFsOng="])))
    ended = geoplan("plan", EXAMPLE)
    told = Path(REPORT.findall(ended.stderr)[0]).read_text() + ended.stderr
    for secret in (*said, held.reveal(), "proxys-own", "YmFsOng", "rd one"):
        assert secret not in told
    assert "********" in told


def test_report_that_cannot_be_written_is_no_fault_of_its_own(
    geoplan: Geoplan, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    break_with(monkeypatch, "geoplan.plan.planner.make_plan", KeyError("x"))
    ended = geoplan("plan", EXAMPLE)
    assert ended.code == faults.FAULT
    assert "its report could not be written" in ended.stderr


def test_arguments_stand_in_a_report_without_what_they_hold() -> None:
    told = faults.report_of(KeyError("x"), {}, ["push", "secret-site.yaml", "--state-dir=/home/me", "--yes"])
    assert "called with: … … --state-dir --yes" in told


@pytest.mark.parametrize("error", [KeyError("x"), OSError(28, "No space left on device")])
def test_push_that_has_begun_stops_as_any_that_is_stopped_and_goes_on(
    geoplan: Geoplan, make_site: MakeSite, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    site = make_site("5.1")
    with monkeypatch.context() as patched:
        break_with(patched, "geoplan.push.executor.Executor._record", error)
        ended = geoplan("push", site.topology, "--endpoints", site.endpoints, "--yes")
    assert ended.code == 3, ended
    assert "the push stopped before its end" in ended.stderr
    assert "--resume" in ended.stderr
    assert PASSWORD not in ended.stderr
    assert geoplan("push", site.topology, "--endpoints", site.endpoints, "--yes", "--resume").code == 0


def test_fault_before_a_push_has_begun_is_no_stopped_push(
    geoplan: Geoplan, make_site: MakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site("5.1")
    break_with(monkeypatch, f"{Fleet.__module__}.Fleet.ask_each", KeyError("x"))
    assert geoplan("push", site.topology, "--endpoints", site.endpoints, "--yes").code == faults.FAULT
