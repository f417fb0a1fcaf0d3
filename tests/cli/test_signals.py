"""Signals: what ends at once, what ends after the steps under way, and what a lost session means."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from geoplan.cli.signals import HANGUP, Signals
from geoplan.push.journal import read
from tests.cli.pushing import assert_pushed, pushing
from tests.conftest import TOPOLOGIES
from tests.push.conftest import MakeSite, make_site
from tests.push.support import M1, PATIENCE_SECONDS

__all__ = ["make_site"]


def test_sigterm_that_comes_twice_in_a_moment_is_one_and_ctrl_c_is_two() -> None:
    signals = Signals()
    assert [signals.is_new(signal.SIGTERM, now) for now in (5.0, 5.001, 30.0)] == [True, False, True]
    assert [signals.is_new(signal.SIGINT, now) for now in (31.0, 31.001)] == [True, True]


def test_sigterm_to_the_process_and_to_its_group_ends_after_the_steps_under_way(make_site: MakeSite) -> None:
    site = make_site("5.1")
    site.lab.inject("slow,command=set,seconds=1")
    command = [sys.executable, "-m", "geoplan", "push", str(site.topology), "--endpoints", str(site.endpoints), "--yes"]
    running = subprocess.Popen(
        [*command, "--format", "json"], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert running.stdout
    while json.loads(running.stdout.readline())["event"] != "step_started":
        pass
    running.send_signal(signal.SIGTERM)
    running.send_signal(signal.SIGTERM)
    _, stderr = running.communicate()
    assert running.returncode == 3
    assert "the push was stopped before its last step" in stderr


@pytest.mark.parametrize("output_format", ["text", "json"])
def test_interrupted_while_units_are_asked_it_ends_at_once_and_leaves_nothing(
    make_site: MakeSite, output_format: str
) -> None:
    site = make_site("5.1")
    site.lab.inject(f"timeout,unit={M1},command=get")
    command = [sys.executable, "-m", "geoplan", "push", str(site.topology), "--endpoints", str(site.endpoints)]
    running = subprocess.Popen(
        [*command, "--format", output_format], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert running.stdout
    assert running.stderr
    said = running.stdout if output_format == "text" else running.stderr
    assert running.stdout.readline()  # where it goes
    assert "preflight: asking 2 units\n" in said  # read up to it
    running.send_signal(signal.SIGINT)
    stdout, stderr = running.communicate()
    assert running.returncode == 130
    assert "interrupted; nothing was changed" in stderr
    assert site.journals() == []
    if output_format == "json":
        assert json.loads(stdout)["exit_code"] == 130


HAS_HANGUP = pytest.mark.skipif(HANGUP is None, reason="this system knows no SIGHUP")


@pytest.fixture(autouse=True)
def hangup_as_usual() -> Iterator[None]:
    """Let no program inherit that SIGHUP is ignored, as it is under ``nohup``: geoplan leaves it ignored then."""
    if HANGUP is None:
        yield
        return
    before = signal.signal(HANGUP, signal.SIG_DFL)
    yield
    signal.signal(HANGUP, before)


def test_session_that_ends_is_one_signal_beside_sigterm_and_never_a_second_wish() -> None:
    assert HANGUP is not None
    signals = Signals()
    assert [signals.is_new(number, now) for number, now in ((HANGUP, 5.0), (signal.SIGTERM, 5.001))] == [True, False]
    assert [signals.may_be_second(number) for number in (HANGUP, signal.SIGTERM, signal.SIGINT)] == [False, True, True]


# What a login does before it runs a shell: the terminal becomes that of the session.
WITH_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


@HAS_HANGUP
def test_push_whose_terminal_is_gone_ends_after_the_steps_under_way(make_site: MakeSite) -> None:
    site = make_site("5.3")
    site.lab.inject("slow,command=set,seconds=1")
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-c", WITH_TERMINAL, *pushing(site, "--yes")],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    while b"access list" not in shown:  # a step has ended, the next ones are under way
        shown += os.read(ours, 65536)
    os.close(ours)  # the kernel sends SIGHUP, and what is written from now on is lost
    assert running.wait(PATIENCE_SECONDS) == 3
    (journal,) = site.journals()
    history = read(journal)
    assert history.outcome == "stopped"
    assert len([record for record in history.records if record.event == "changing"]) == len(
        [record for record in history.records if record.event == "changed"]
    )
    assert site.reboots[M1] == 0


@HAS_HANGUP
def test_second_hangup_ends_nothing_at_once(make_site: MakeSite) -> None:
    site = make_site("5.1")
    site.lab.inject("slow,command=set,seconds=1")
    running = subprocess.Popen(
        pushing(site, "--yes", "--format", "json"), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert running.stdout
    assert running.stderr
    while json.loads(running.stdout.readline())["event"] != "step_started":
        pass
    running.send_signal(signal.SIGINT)
    while "stopping after the current" not in running.stderr.readline():
        pass
    running.send_signal(signal.SIGHUP)
    running.communicate()
    assert running.returncode == 3


@HAS_HANGUP
def test_hangup_that_is_ignored_stays_so(make_site: MakeSite) -> None:
    site = make_site("5.1")
    site.lab.inject("slow,command=set,seconds=0.2")
    running = subprocess.Popen(
        ["bash", "-c", f"trap '' HUP; exec {' '.join(pushing(site, '--yes', '--format', 'json'))}"],
        text=True,
        stdout=subprocess.PIPE,
    )
    assert running.stdout
    while json.loads(running.stdout.readline())["event"] != "step_started":
        pass
    running.send_signal(signal.SIGHUP)
    running.communicate()
    assert running.returncode == 0
    assert_pushed(site)


@HAS_HANGUP
def test_watched_status_ends_with_its_session(make_site: MakeSite) -> None:
    site = make_site("5.1")
    command = [sys.executable, "-m", "geoplan", "status", str(site.topology), "--endpoints", str(site.endpoints)]
    running = subprocess.Popen([*command, "--watch", "--format", "json"], stdout=subprocess.PIPE)
    assert running.stdout
    running.stdout.readline()
    running.send_signal(signal.SIGHUP)
    running.communicate()
    assert running.returncode == 0


@HAS_HANGUP
def test_lab_ends_with_its_session(tmp_path: Path) -> None:
    endpoints = tmp_path / "lab.yaml"
    command = [sys.executable, "-m", "geoplan", "lab", str(TOPOLOGIES / "section-5.1.yaml")]
    running = subprocess.Popen([*command, "--endpoints", str(endpoints)], stdout=subprocess.PIPE, text=True)
    assert running.stdout
    while "Ctrl-C stops it" not in running.stdout.readline():
        pass
    running.send_signal(signal.SIGHUP)
    running.communicate()
    assert running.returncode == 0
    assert not endpoints.exists()
