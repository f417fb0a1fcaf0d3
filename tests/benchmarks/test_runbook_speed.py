"""How long the runbook of eighteen sites takes, against the plan of the same file: whole processes, best of several."""

from __future__ import annotations

import subprocess
import sys
import time

from tests.conftest import TOPOLOGIES

RUNS = 5
TOPOLOGY = str(TOPOLOGIES / "eighteen-sites.yaml")


def seconds(*arguments: str) -> float:
    """Return the wall time of the fastest of several runs of a command."""

    def one() -> float:
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-m", "geoplan", *arguments], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - begin

    return min(one() for _ in range(RUNS))


def test_runbook_against_plan() -> None:
    """Print the ratios; whoever runs this judges them, since a busy machine says little."""
    plan = seconds("plan", TOPOLOGY, "--format", "json")
    for output_format in ("markdown", "html"):
        ratio = seconds("runbook", TOPOLOGY, "--format", output_format) / plan
        print(f"runbook --format {output_format}: {ratio:.2f} times plan --format json ({plan:.2f} s)")  # noqa: T201
        assert ratio > 0
