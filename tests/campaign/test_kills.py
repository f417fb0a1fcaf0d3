"""kill -9 of a push around every changing request and every kind of read, then ``--resume``: done as if nothing was."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from geoplan.lab.http import Ending as Fate
from geoplan.lab.http import Outcome, Request
from geoplan.lab.lab import BackgroundLab
from geoplan.plan.planner import make_plan
from geoplan.topology.loader import load_topology
from tests.campaign.conftest import Record
from tests.campaign.processes import Ended, Running, arguments_for, environment_for, push, pushing
from tests.campaign.support import (
    BOOT,
    CHANGES,
    FAILOVER,
    HA_CHANGES,
    READS,
    SYNC,
    Ending,
    assert_as_planned,
    assert_no_secret,
    command_of,
    is_changing,
    write_topology,
)
from tests.push.support import CREDENTIALS, M1, M2, PASSWORD, PATIENCE_SECONDS, Site

READ_TO_KILL = 3
KEPT = "kept.example.com"


class Watch:
    """Sees every request to any unit, before and after it is carried out."""

    def __init__(self, lab: BackgroundLab) -> None:
        simulation = lab._lab.simulation
        self._handle, self._check_health = simulation.handle, simulation.check_health
        self.seen: Counter[str] = Counter()
        simulation.handle = self._api  # type: ignore[method-assign]
        simulation.check_health = self._health  # type: ignore[method-assign]

    def meet(self, command: str, carry_out: Callable[[], Outcome]) -> Outcome:
        self.seen[command] += 1
        return carry_out()

    def _api(self, address: str, request: Request) -> Outcome:
        return self.meet(command_of(request), lambda: self._handle(address, request))

    def _health(self, address: str, request: Request, at: int | None = None) -> Outcome:
        return self.meet("health", lambda: self._check_health(address, request, at))


class Killer(Watch):
    """Kills a process the moment before or after a unit carries out the n-th request that it waits for."""

    def __init__(self, lab: BackgroundLab, is_wanted: Callable[[str], bool], number: int, moment: str) -> None:
        super().__init__(lab)
        self._is_wanted = is_wanted
        self._left = number
        self._moment = moment
        self.victim: Running | None = None

    def meet(self, command: str, carry_out: Callable[[], Outcome]) -> Outcome:
        if self.victim is None or not self._is_wanted(command):
            return carry_out()
        self._left -= 1
        if self._left != 0:
            return carry_out()
        if self._moment == "after":
            carry_out()
        self.victim.kill()
        return Outcome(Fate.RESET)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with site_of_5_4(tmp_path) as served:
        yield served


@pytest.fixture
def unpaired_site(tmp_path: Path) -> Iterator[Site]:
    with site_of_5_4(tmp_path, unpaired=True) as served:
        yield served


@contextmanager
def site_of_5_4(tmp_path: Path, *, unpaired: bool = False) -> Iterator[Site]:
    topology = write_topology(tmp_path, "5.4")
    timings = {"boot_seconds": BOOT, "failover_seconds": FAILOVER, "sync_seconds": SYNC}
    with BackgroundLab(load_topology(str(topology)), credentials=CREDENTIALS, unpaired=unpaired, **timings) as lab:
        endpoints = tmp_path / "lab.yaml"
        endpoints.write_text(lab.endpoints.to_yaml())
        network = lab._lab.simulation.network
        lab._call(lambda: network.geo.put_fqdn(network.unit(M1), KEPT))
        yield Site(lab, topology, endpoints, tmp_path / "state")


def kill(site: Site, is_wanted: Callable[[str], bool], number: int, moment: str, *options: str) -> str:
    killer = Killer(site.lab, is_wanted, number, moment)
    with pushing(site, *options) as running:
        killer.victim = running
        killed = running.wait()
        killer.victim = None
        assert killed.code == -signal.SIGKILL, killed.said
        return killed.said


def complete(site: Site, printed: str, *options: str) -> Ending:
    """Resume what was begun, or begin what was not, and see that all is as planned."""
    if site.journals():
        way = "resumed"
        code, refused = push(site, *options)
        assert code == 4, refused
        assert "--resume" in refused
        code, resumed = push(site, "--resume", *options)
        printed += refused + resumed
    else:
        way = "pushed anew, since nothing had been changed"
        code, resumed = push(site, *options)
        printed += resumed
    assert code == 0, resumed
    extra = assert_finished(site, printed)
    assert extra <= 1, printed
    return Ending("kill", way, extra)


def assert_finished(site: Site, printed: str) -> int:
    """See that all is as planned and no secret was told; return how many reboots were not planned."""
    network, plan = site.lab._lab.simulation.network, make_plan(load_topology(str(site.topology)))
    site.settle()
    site.lab._call(lambda: assert_as_planned(network, plan, fqdns=frozenset({KEPT})))
    assert_no_secret(PASSWORD, printed, site.state)
    reboots = {address: count for address, count in site.reboots.items() if count}
    assert reboots.keys() == {M1, M2}
    return sum(reboots.values()) - len(reboots)


def test_undisturbed_push_sends_what_the_campaign_kills_around(site: Site) -> None:
    watch = Watch(site.lab)
    code, printed = push(site)
    assert code == 0, printed
    assert assert_finished(site, printed) == 0
    assert {name: count for name, count in watch.seen.items() if is_changing(name)} == CHANGES
    reads = {name: count for name, count in watch.seen.items() if not is_changing(name)}
    assert reads.keys() == set(READS)
    assert min(reads.values()) >= READ_TO_KILL


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", range(1, sum(CHANGES.values()) + 1))
def test_kill_around_a_change(site: Site, record: Record, number: int, moment: str) -> None:
    record(complete(site, kill(site, is_changing, number, moment)))


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", range(1, HA_CHANGES + 1))
def test_kill_around_a_change_that_forms_a_pair(unpaired_site: Site, record: Record, number: int, moment: str) -> None:
    printed = kill(unpaired_site, lambda command: command.startswith("awsha"), number, moment, "--phase", "all")
    record(complete(unpaired_site, printed, "--phase", "all"))
    pairs = unpaired_site.lab._lab.simulation.network.pairs.values()
    assert all(pair.is_formed and not pair.ever_same_mode for pair in pairs)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("command", READS)
def test_kill_around_a_read(site: Site, record: Record, command: str, moment: str) -> None:
    record(complete(site, kill(site, lambda name: name == command, READ_TO_KILL, moment)))


def test_second_push_waits_for_nobody(site: Site) -> None:
    with site.store.only_push("another name"):
        code, printed = push(site)
    assert code == 4
    assert "another push is running on" in printed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_first_signal_ends_after_the_step_under_way(site: Site, number: int) -> None:
    interrupted = _signalled(site, number, times=1)
    assert interrupted[0] == 3, interrupted
    assert "stopping after the current steps" in interrupted[1]
    assert "--resume" in interrupted[1]
    complete(site, interrupted[1])


def test_second_ctrl_c_ends_at_once(site: Site) -> None:
    interrupted = _signalled(site, signal.SIGINT, times=2)
    assert interrupted[0] == 130, interrupted
    assert "--resume" in interrupted[1]
    complete(site, interrupted[1])


def _signalled(site: Site, number: int, *, times: int) -> Ended:
    """Push, and send a signal once the first list has been entered."""
    with subprocess.Popen(
        [sys.executable, "-m", "geoplan", *arguments_for(site)],
        env=environment_for(site),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        try:
            assert running.stdout
            seen = ""
            while "entered and read back" not in seen:
                line = running.stdout.readline()
                assert line, running.communicate()
                seen += line
            for _ in range(times):
                running.send_signal(number)
                if times > 1:
                    while "stopping after" not in seen:
                        seen += running.stdout.readline()
            stdout, stderr = running.communicate(timeout=PATIENCE_SECONDS)
        finally:
            running.kill()
        return Ended(running.returncode, seen + stdout + stderr)
