"""How long the runbook of eighteen sites takes, against the plan of the same file: whole processes, best of several."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from tests.conftest import TOPOLOGIES

RUNS = 7
COMMANDS = {
    "plan": ["plan", "--format", "json"],
    "markdown": ["runbook", "--format", "markdown"],
    "html": ["runbook", "--format", "html"],
}


def seconds(command: str, *options: str) -> float:
    """Return the wall time of one run of a command as a process of its own."""
    topology = str(TOPOLOGIES / "eighteen-sites.yaml")
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-m", "geoplan", command, topology, *options], check=True, capture_output=True)
    return time.perf_counter() - begin


def test_runbook_against_plan(capsys: pytest.CaptureFixture[str]) -> None:
    """Print the ratios, which are to stay below 1.5; nothing is asserted, since a busy machine says little."""
    # In turns, so that whatever else the machine does slows all of them alike.
    rounds = [{name: seconds(*arguments) for name, arguments in COMMANDS.items()} for _ in range(RUNS)]
    best = {name: min(times[name] for times in rounds) for name in COMMANDS}
    with capsys.disabled():
        for name in ("markdown", "html"):
            print(f"\nrunbook --format {name}: {best[name] / best['plan']:.2f} times plan --format json", end="")  # noqa: T201
