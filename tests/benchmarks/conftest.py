"""Benchmarks: what they measure is printed at the end, as ratios; no wall time is ever asserted."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import pytest

RUNS = 12


class Measurement(NamedTuple):
    """How long something took beside what it is compared with, both in seconds."""

    subject: str
    seconds: float
    baseline: str
    baseline_seconds: float
    goal: float


Compare = Callable[[str, Sequence[str], str, str, float], None]
_MEASUREMENTS = pytest.StashKey[list[Measurement]]()


@pytest.fixture
def compare_processes(request: pytest.FixtureRequest) -> Compare:
    """Run two commands by turns, and report the best time of each and their ratio."""

    def compare(subject: str, command: Sequence[str], baseline: str, script: str, goal: float) -> None:
        own, bare = [], []
        for _ in range(RUNS):
            own.append(_seconds([sys.executable, "-m", "geoplan", *command]))
            bare.append(_seconds([sys.executable, "-c", script]))
        measurement = Measurement(subject, min(own), baseline, min(bare), goal)
        request.config.stash.setdefault(_MEASUREMENTS, []).append(measurement)

    return compare


def _seconds(command: list[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print every ratio that was measured."""
    measurements = config.stash.get(_MEASUREMENTS, [])
    if measurements:
        terminalreporter.section("ratios")
    for measured in measurements:
        ratio = measured.seconds / measured.baseline_seconds
        terminalreporter.write_line(
            f"{ratio:5.2f} (goal {measured.goal:g})  {measured.subject}: {measured.seconds * 1000:.0f} ms, "
            f"{measured.baseline}: {measured.baseline_seconds * 1000:.0f} ms"
        )
