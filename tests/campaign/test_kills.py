"""kill -9 of a push around every changing request and every kind of read, then ``--resume``: done as if nothing was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from geoplan.lab.messages import Ending, Outcome, Request
from tests.push.support import CREDENTIALS, PASSWORD, Site, lab_for, red_in_any_state, write_topology

CHANGING = (b'"set"', b'"addcluster"', b'"modcluster"', b'"reboot"')
CHANGES_OF_A_PUSH = 22  # 5.4: 8 lists, 2 reboots, 4 submissions, 4 clusters in two requests each
READS = ("get", "listclusters", "listfqdns", "isgeoenabled", "getgeopartnerstatus", "getawshaparams", "backup")
PATIENCE_SECONDS = 60


class Killer:
    """Kills a process the moment before or after a unit carries out the n-th request that it waits for."""

    def __init__(self, site: Site, wanted: tuple[bytes, ...], number: int, moment: str) -> None:
        self._simulation = site.lab._lab.simulation
        self._handle = self._simulation.handle
        self._wanted = wanted
        self._left = number
        self._moment = moment
        self.process: int | None = None

    def watch(self) -> None:
        self._simulation.handle = self._met  # type: ignore[method-assign]

    def _met(self, address: str, request: Request) -> Outcome:
        if self.process is None or not any(name in request.body for name in self._wanted):
            return self._handle(address, request)
        self._left -= 1
        if self._left != 0:
            return self._handle(address, request)
        if self._moment == "after":
            self._handle(address, request)
        os.kill(self.process, signal.SIGKILL)
        return Outcome(Ending.RESET)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    topology = write_topology(tmp_path)
    with lab_for(topology) as lab:
        endpoints = tmp_path / "lab.yaml"
        endpoints.write_text(lab.endpoints.to_yaml())
        yield Site(lab, topology, endpoints, tmp_path / "state")


@contextmanager
def pushing(site: Site, *options: str) -> Iterator[subprocess.Popen[str]]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GEOPLAN_")}
    environment |= {
        "GEOPLAN_USER": CREDENTIALS.user,
        "GEOPLAN_PASSWORD": PASSWORD,
        "GEOPLAN_STATE_DIR": str(site.state),
    }
    command = [sys.executable, "-m", "geoplan", "push", str(site.topology), "--endpoints", str(site.endpoints), "--yes"]
    running = subprocess.Popen(
        [*command, *options], env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        yield running
    finally:
        running.kill()
        running.wait()


def push(site: Site, *options: str) -> tuple[int, str]:
    with pushing(site, *options) as running:
        stdout, stderr = running.communicate(timeout=PATIENCE_SECONDS)
        return running.returncode, stdout + stderr


def kill(site: Site, wanted: tuple[bytes, ...], number: int, moment: str) -> str:
    killer = Killer(site, wanted, number, moment)
    killer.watch()
    with pushing(site) as running:
        killer.process = running.pid
        stdout, stderr = running.communicate(timeout=PATIENCE_SECONDS)
        killer.process = None
        assert running.returncode == -signal.SIGKILL, stdout + stderr
        return stdout + stderr


def complete(site: Site, printed: str) -> None:
    """Resume what was begun, or begin what was not, and see that all is as planned."""
    if site.journals():
        code, refused = push(site)
        assert code == 4, refused
        assert "--resume" in refused
        code, resumed = push(site, "--resume")
        printed += refused + resumed
    else:
        code, resumed = push(site)
        printed += resumed
    assert code == 0, resumed
    assert red_in_any_state(site.lab) == set()
    assert sum(site.reboots.values()) <= 3
    assert max(site.reboots.values()) <= 2
    clusters: list[Any] = [unit["clusters"] for unit in site.units.values()]
    assert all(len(found) == 4 for found in clusters)
    written = [path.read_text() for path in site.state.rglob("*") if path.is_file() and path.suffix != ".backup"]
    assert not any(PASSWORD in text for text in [printed, *written])


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", range(1, CHANGES_OF_A_PUSH + 1))
def test_kill_around_a_change(site: Site, number: int, moment: str) -> None:
    complete(site, kill(site, CHANGING, number, moment))


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("command", READS)
def test_kill_around_a_read(site: Site, command: str, moment: str) -> None:
    complete(site, kill(site, (f'"{command}"'.encode(),), 3, moment))


def test_second_push_waits_for_nobody(site: Site) -> None:
    from geoplan.push.lock import only_push
    from geoplan.push.places import folder_of, make_private

    folder = make_private(folder_of(site.state, "two-pairs-two-standalones", str(site.endpoints)))
    with only_push(folder):
        code, printed = push(site)
    assert code == 4
    assert "another push on this topology is running" in printed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_first_signal_ends_after_the_step_under_way(site: Site, number: int) -> None:
    interrupted = _signalled(site, number, times=1)
    assert interrupted[0] == 3, interrupted
    assert "ending after the steps that are under way" in interrupted[1]
    assert "--resume" in interrupted[1]
    complete(site, interrupted[1])


def test_second_ctrl_c_ends_at_once(site: Site) -> None:
    interrupted = _signalled(site, signal.SIGINT, times=2)
    assert interrupted[0] == 130, interrupted
    assert "--resume" in interrupted[1]
    complete(site, interrupted[1])


def _signalled(site: Site, number: int, *, times: int) -> tuple[int, str]:
    """Push, and send a signal once the first list has been entered."""
    with pushing(site) as running:
        assert running.stdout
        seen = ""
        while "entered and read back" not in seen:
            line = running.stdout.readline()
            assert line, running.communicate()
            seen += line
        for _ in range(times):
            running.send_signal(number)
            if times > 1:
                while "ending after" not in seen:
                    seen += running.stdout.readline()
        stdout, stderr = running.communicate(timeout=PATIENCE_SECONDS)
        return running.returncode, seen + stdout + stderr
