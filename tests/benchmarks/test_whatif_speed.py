"""How long what-if takes for eighteen sites, in a process of its own, and how much memory."""

from __future__ import annotations

import resource
import subprocess
import sys
import time

import pytest

from tests.conftest import TOPOLOGIES

GOALS = {1: 5, 2: 60}
GOAL_MIB = 300


@pytest.mark.parametrize("failures", GOALS)
def test_what_if_of_eighteen_sites(failures: int, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(TOPOLOGIES / "eighteen-sites.yaml")
    command = [sys.executable, "-m", "geoplan", "whatif", path, "--failures", str(failures), "--format", "json"]
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    with capsys.disabled():
        print(  # noqa: T201 - a benchmark prints
            f"\nwhat-if of 18 sites, {failures} failures at a time: {seconds:.1f} s (goal {GOALS[failures]}), "
            f"at most {peak:.0f} MiB so far (goal {GOAL_MIB})"
        )
