"""``geoplan lab`` as a process of its own."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from geoplan.cli import run
from tests.lab.support import A1, M1, TOPOLOGIES

EXAMPLE = str(TOPOLOGIES / "section-5.4.yaml")
PATIENCE_SECONDS = 30


class Process:
    """A running lab and the endpoints file that it wrote."""

    def __init__(self, running: subprocess.Popen[str], endpoints: Path) -> None:
        self.running = running
        self.endpoints = endpoints
        self.units: dict[str, Any] = {}
        self.control = ""

    def read(self) -> None:
        content = yaml.safe_load(self.endpoints.read_text())
        self.units, self.control = content["units"], content["control"]

    def stop(self, number: int) -> tuple[int, str, str]:
        self.running.send_signal(number)
        stdout, stderr = self.running.communicate(timeout=PATIENCE_SECONDS)
        return self.running.returncode, stdout, stderr


@contextmanager
def process(endpoints: Path, *options: str, **environment: str) -> Iterator[Process]:
    """Start a lab and wait for its endpoints file."""
    command = [sys.executable, "-m", "geoplan", "lab", EXAMPLE, "--endpoints", str(endpoints), *options]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GEOPLAN_")}
    stale = endpoints.read_text() if endpoints.exists() else None
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean | environment
    )
    lab = Process(running, endpoints)
    try:
        _wait_for(lambda: _has_other(endpoints, stale), running)
        lab.read()
        yield lab
    finally:
        running.kill()
        running.communicate()


def _has_other(endpoints: Path, stale: str | None) -> bool:
    try:
        return endpoints.read_text() != stale
    except FileNotFoundError:
        return False


def _wait_for(condition: Callable[[], bool], running: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < deadline
        select.select([], [], [], 0.02)


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310 - loopback
        content: bytes = answer.read()
    return content.decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_cleanly_and_its_endpoints_file_goes_with_it(tmp_path: Path, number: int) -> None:
    endpoints = tmp_path / "lab.yaml"
    endpoints.write_text("units:\n")
    with process(endpoints, "--fault", f"slow,unit={A1},seconds=60") as lab:
        assert list(lab.units) == [M1, "172.24.1.6", "172.24.1.8", "172.24.1.7", A1, "172.24.1.10"]
        assert _get(lab.units[M1]["health"]) == "OK\n"
        assert json.loads(_get(f"{lab.control}/state"))["faults"][0]["fault"] == "slow,unit=172.24.1.9,seconds=60"
        code, stdout, stderr = lab.stop(number)
    assert code == 0
    assert not endpoints.exists()
    assert list(tmp_path.iterdir()) == []
    for unit in lab.units.values():
        assert unit["api"] in stdout
        assert f"  {unit['fingerprint'][:15]}…\n" in stdout
    assert max(map(len, stdout.splitlines())) <= 115
    lines = [re.sub(r"^\d\d:\d\d:\d\d\.\d{3} ", "", line) for line in stderr.splitlines()]
    assert lines == ["172.24.1.5 health GET / -> 200", "control GET /state -> 200"]


def test_signals_that_come_while_it_stops_change_nothing(tmp_path: Path) -> None:
    with process(tmp_path / "lab.yaml") as lab:
        while lab.running.poll() is None:
            lab.running.send_signal(signal.SIGINT)
            select.select([], [], [], 0.001)
        assert (lab.running.returncode, lab.running.communicate()[1]) == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_the_endpoints_file_of_a_lab_that_still_serves_is_left_alone(
    tmp_path: Path,
) -> None:
    endpoints = tmp_path / "lab.yaml"
    with process(endpoints) as lab:
        before = endpoints.read_text()
        ended = subprocess.run(
            [sys.executable, "-m", "geoplan", "lab", EXAMPLE, "--endpoints", str(endpoints)],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
        assert ended.returncode == 2
        assert f"{endpoints} belongs to another lab, which still answers at {lab.control}" in ended.stderr
        assert "hint: choose another FILE" in ended.stderr
        assert endpoints.read_text() == before
        lab.running.kill()
        lab.running.wait()
    assert endpoints.read_text() == before
    with process(endpoints) as another:  # the file of a lab that died is in nobody's way
        assert another.stop(signal.SIGINT)[0] == 0
    assert not endpoints.exists()


def test_on_its_end_a_lab_leaves_what_another_has_written(tmp_path: Path) -> None:
    endpoints = tmp_path / "lab.yaml"
    with process(endpoints) as lab:
        endpoints.write_text("units:\n")
        assert lab.stop(signal.SIGINT)[0] == 0
    assert endpoints.read_text() == "units:\n"


def test_a_generated_password_is_shown_once_and_a_given_one_never(tmp_path: Path) -> None:
    with process(tmp_path / "lab.yaml", "--quiet") as lab:
        _, stdout, stderr = lab.stop(signal.SIGINT)
    shown = re.findall(r"^password  (\S{16})$", stdout, re.MULTILINE)
    assert len(shown) == 1
    assert (stdout + stderr).count(shown[0]) == 1

    given = {"GEOPLAN_USER": "operator", "GEOPLAN_PASSWORD": "given to it", "GEOPLAN_APIKEY": "given too"}
    with process(tmp_path / "lab.yaml", **given) as lab:
        _, stdout, stderr = lab.stop(signal.SIGINT)
    assert "user      operator" in stdout
    assert "given t" not in stdout + stderr


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--boot-seconds", "0.5"], "the slave would never be active"),
        (["--boot-seconds", "nan"], "boot_seconds is nan"),
        (["--sync-seconds", "-1"], "sync_seconds is -1"),
        (["--firmware", "newest"], "not a firmware version"),
        (["--fault", "explode"], "there is no fault 'explode'"),
        (["--fault", "reset,unit=10.9.9.9"], "the lab has no unit 10.9.9.9"),
        (["--port-base", "65530"], "from 65530 on there are not that many"),
        (["--endpoints", "/nowhere/at/all.yaml"], "cannot write /nowhere/at/all.yaml"),
    ],
)
def test_what_cannot_be_served_is_wrong_usage_and_says_why(
    capsys: pytest.CaptureFixture[str], options: list[str], complaint: str
) -> None:
    assert run(["lab", EXAMPLE, *options]) == 2
    shown = capsys.readouterr().err
    assert complaint in shown
    assert "hint:" in shown


@pytest.mark.parametrize("base", ["-1", "0", "1", "1023", "65536", "many"])
def test_a_port_base_outside_the_users_ports_is_wrong_usage(capsys: pytest.CaptureFixture[str], base: str) -> None:
    assert run(["lab", EXAMPLE, f"--port-base={base}"]) == 2
    assert "Invalid value for '--port-base'" in capsys.readouterr().err


def test_a_file_that_is_no_endpoints_file_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    topology = tmp_path / "mine.yaml"
    topology.write_text(Path(EXAMPLE).read_text())
    link = tmp_path / "link.yaml"
    link.symlink_to(topology)
    for path in (topology, link, tmp_path):
        assert run(["lab", EXAMPLE, "--endpoints", str(path)]) == 2
        assert "is no endpoints file" in capsys.readouterr().err
    assert topology.read_text() == Path(EXAMPLE).read_text()
    assert link.is_symlink()


def test_unpaired_units_start_single(tmp_path: Path) -> None:
    with process(tmp_path / "lab.yaml", "--unpaired") as lab:
        state = json.loads(_get(f"{lab.control}/state"))
        assert {unit["ha_mode"] for unit in state["units"].values()} == {"single"}
        assert not any(pair["formed"] for pair in state["pairs"].values())
        assert lab.stop(signal.SIGTERM)[0] == 0


def test_its_help_explains_faults(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lab", "--help"]) == 0
    shown = capsys.readouterr().out
    for word in ("--fault timeout,unit=172.24.1.6,command=set:geopartners,occurrence=1", "CONTROL/faults", "no-return"):
        assert word in shown


def test_its_help_tells_a_fail_over_from_a_crash(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lab", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "fail-over is an orderly hand-over" in shown
    assert "stays active until the master next boots, also under Prefer Master" in shown
    assert "power-off is the crash" in shown


def test_the_help_of_geoplan_imports_none_of_it() -> None:
    script = (
        "import sys; from geoplan.cli import run; run(['--help']); "
        "print([name for name in ('starlette', 'uvicorn', 'cryptography', 'pydantic', 'yaml') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert shown.endswith("[]\n")
    assert "  lab " in shown


def test_without_its_extra_it_says_how_to_install_it() -> None:
    script = (
        f"import sys; sys.modules['starlette'] = None; from geoplan.cli import run; sys.exit(run(['lab', {EXAMPLE!r}]))"
    )
    ended = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert ended.returncode == 2
    assert "pip install 'geoplan[lab]'" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_simulation_needs_no_server() -> None:
    script = (
        "import sys; from geoplan.lab import Simulation, SimulatedClock, Network, Fault; "
        "print([name for name in ('starlette', 'uvicorn', 'cryptography', 'click') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert shown == "[]\n"
