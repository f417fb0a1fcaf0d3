"""Benchmarks: what they measure is printed at the end, as ratios; no wall time is ever asserted."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import pytest

RUNS = 12
GROUPS = 20


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--groups", type=int, default=GROUPS, help="of how many groups a push is measured")


@pytest.fixture
def groups(request: pytest.FixtureRequest) -> int:
    """Of how many groups a push, and what looks at their units, is measured."""
    number: int = request.config.getoption("--groups")
    return number


class Measurement(NamedTuple):
    """How long something took beside what it is compared with, both in seconds."""

    subject: str
    seconds: float
    baseline: str
    baseline_seconds: float
    goal: float


class Compare(Protocol):
    """Runs a command and a script by turns, ``runs`` times."""

    def __call__(  # noqa: PLR0913 - what is compared with what
        self, subject: str, command: Sequence[str], baseline: str, script: str, goal: float, *, runs: int = RUNS
    ) -> None:
        """Report how much longer the command takes."""


_MEASUREMENTS = pytest.StashKey[list[Measurement]]()


@pytest.fixture
def compare_processes(request: pytest.FixtureRequest) -> Compare:
    """Run two commands by turns, and report the best time of each and their ratio."""

    def compare(  # noqa: PLR0913 - what is compared with what
        subject: str, command: Sequence[str], baseline: str, script: str, goal: float, *, runs: int = RUNS
    ) -> None:
        own, bare = [], []
        for _ in range(runs):
            own.append(_seconds([sys.executable, "-m", "geoplan", *command], codes=(0, 1)))
            bare.append(_seconds([sys.executable, "-c", script], codes=(0,)))
        measurement = Measurement(subject, min(own), baseline, min(bare), goal)
        request.config.stash.setdefault(_MEASUREMENTS, []).append(measurement)

    return compare


def _seconds(command: list[str], *, codes: tuple[int, ...]) -> float:
    begin = time.perf_counter()
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    seconds = time.perf_counter() - begin
    assert done.returncode in codes, done.stderr
    return seconds


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
