"""How long what-if takes for eighteen sites, in a process of its own, and how much memory."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.conftest import TOPOLOGIES

GOALS = {1: 5, 2: 60}
GOAL_MIB = 300
MEASURED = """
import json, resource, sys
from geoplan.cli import main
try:
    main()
except SystemExit:
    pass
used = resource.getrusage(resource.RUSAGE_SELF)
json.dump([used.ru_utime + used.ru_stime, used.ru_maxrss / 1024], sys.stderr)
"""
"""Runs geoplan, and tells what that process alone has used."""


@pytest.mark.parametrize("failures", GOALS)
def test_what_if_of_eighteen_sites(failures: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Print seconds of the processor, which others on the machine do not add to, and the peak of memory."""
    path = str(TOPOLOGIES / "eighteen-sites.yaml")
    command = [sys.executable, "-c", MEASURED, "whatif", path, "--failures", str(failures), "--format", "json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, mib = json.loads(done.stderr)
    cases = json.loads(done.stdout)["cases"]
    with capsys.disabled():
        print(  # noqa: T201 - a benchmark prints
            f"\nwhat-if of 18 sites, {failures} at a time, {cases:,} cases: {seconds:.1f} s of the processor "
            f"(goal {GOALS[failures]}), at most {mib:.0f} MiB (goal {GOAL_MIB})"
        )
