"""How long hundreds of groups take: planned, shown, pushed to a lab and looked at; `--groups 100` is all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from geoplan.lab.device.unit import Credentials
from geoplan.lab.lab import BackgroundLab
from geoplan.topology.loader import load_topology
from tests.benchmarks.conftest import Compare
from tests.benchmarks.fleet import Ended, Recorded, bare_plan, bare_requests, run, write_groups

PASSWORD = "benchmark"  # noqa: S105 - of a lab
PLANNED = 1000
RUNS = 4
GOAL_TIMES_PLAN = 1.9
GOAL_SECONDS = 10
GOAL_TIMES_CHAIN = 4
GOAL_TIMES_REQUESTS = 2
GOAL_MEBIBYTES = 300
TIMING = {"boot_seconds": 6, "sync_seconds": 1}
"""Of the lab and of the topology: units of a lab are waited for as long as they take."""


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GEOPLAN_USER", "bal")
    monkeypatch.setenv("GEOPLAN_PASSWORD", PASSWORD)
    monkeypatch.setenv("GEOPLAN_STATE_DIR", str(tmp_path / "state"))


def test_plan_of_a_thousand_groups(compare_processes: Compare, tmp_path: Path) -> None:
    path = write_groups(tmp_path / "groups.yaml", PLANNED)
    command = ["plan", str(path), "--format", "json"]
    planned = json.loads(run(*command).stdout)
    subject = f"plan of {PLANNED:,} groups as JSON"
    compare_processes(subject, command, "bare plan", bare_plan(path, planned), GOAL_TIMES_PLAN, runs=RUNS)


def test_text_and_runbooks_of_a_thousand_groups(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_groups(tmp_path / "groups.yaml", PLANNED)
    text, runbooks = run("plan", path), run("runbook", path, "-o", f"{tmp_path}/runbooks/")
    for subject, ended in {"text": text, "runbooks with their index": runbooks}.items():
        say(capsys, f"{PLANNED:,} groups as {subject}: {ended.seconds:.1f} s (goal {GOAL_SECONDS}), {peak(ended)}")
    assert max(text.mebibytes, runbooks.mebibytes) < GOAL_MEBIBYTES


def test_push_status_and_diff_of_many_groups(
    groups: int, compare_processes: Compare, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with lab_of(1, tmp_path / "one") as (_, one, endpoints):
        chain = pushed(one, endpoints)
    with lab_of(groups, tmp_path / "all") as (lab, topology, endpoints):
        every = pushed(topology, endpoints)
        times = every.seconds / chain.seconds
        say(
            capsys,
            f"push of {groups} groups: {every.seconds:.1f} s, {times:.2f} times (goal {GOAL_TIMES_CHAIN}) the "
            f"{chain.seconds:.1f} s of one group alone, the longest chain; {peak(every)}",
        )
        peaks = [every.mebibytes]
        for name in ("status", "diff"):
            command = [name, str(topology), "--endpoints", str(endpoints)]
            with Recorded(lab) as recorded:
                looked = run(*command, codes=(0, 1))
            peaks.append(looked.mebibytes)
            units = 5 * groups
            say(capsys, f"{name} of {units} units: {peak(looked)}")
            bare = bare_requests(tmp_path / f"{name}.json", recorded)
            compare_processes(
                f"{name} of {units} units",
                command,
                "the same requests by bare httpx",
                bare,
                GOAL_TIMES_REQUESTS,
                runs=RUNS,
            )
    assert max(peaks) < GOAL_MEBIBYTES


@contextmanager
def lab_of(groups: int, folder: Path) -> Iterator[tuple[BackgroundLab, Path, Path]]:
    """Serve so many groups, in another process than the commands; yield the lab, the topology and the endpoints."""
    folder.mkdir()
    topology, endpoints = write_groups(folder / "groups.yaml", groups, timing=TIMING), folder / "lab.yaml"
    options: dict[str, Any] = dict(TIMING)
    with BackgroundLab(
        load_topology(str(topology)), **options, failover_seconds=0.5, credentials=Credentials("bal", PASSWORD)
    ) as lab:
        endpoints.write_text(lab.endpoints.to_yaml())
        yield lab, topology, endpoints


def pushed(topology: Path, endpoints: Path) -> Ended:
    """Push all groups side by side, as far as a busy machine lets links be seen green."""
    return run("push", topology, "--endpoints", endpoints, "--yes", "--parallel-groups", codes=(0, 1))


def peak(ended: Ended) -> str:
    return f"peak {ended.mebibytes:.0f} MiB (bound {GOAL_MEBIBYTES})"


def say(capsys: pytest.CaptureFixture[str], line: str) -> None:
    with capsys.disabled():
        print(f"\n{line}", end="")  # noqa: T201 - a benchmark prints
