"""Output that breaks while units are being changed stops no push; neither does a session that is lost."""

from __future__ import annotations

import errno
import io
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from geoplan.cli.output import Outlet
from geoplan.cli.signals import HANGUP, Signals
from geoplan.push.journal import read
from tests.conftest import TOPOLOGIES, Geoplan
from tests.push.conftest import MakeSite, make_site
from tests.push.support import A1, M1, PATIENCE_SECONDS, Site, red_in_any_state

__all__ = ["make_site"]

HAS_FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")


def pushing(site: Site, *options: str) -> list[str]:
    return [
        *(sys.executable, "-m", "geoplan", "push", str(site.topology), "--endpoints", str(site.endpoints)),
        *options,
    ]


def in_shell(site: Site, redirection: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = f"{' '.join(pushing(site, *options))} {redirection}"
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)


def assert_pushed(site: Site) -> None:
    site.settle()
    assert red_in_any_state(site.lab) == set()
    (journal,) = site.journals()
    assert read(journal).outcome == "done"


@pytest.mark.parametrize("lines", [0, 9])
def test_push_whose_reader_has_had_enough_goes_on_to_its_end(make_site: MakeSite, lines: int) -> None:
    site = make_site("5.3")
    ended = in_shell(site, f"| head -n {lines}; exit ${{PIPESTATUS[0]}}", "--yes")
    assert ended.returncode == 0, ended
    assert "warning: the output was lost: cannot write standard output: Broken pipe" in ended.stderr
    assert_pushed(site)


@HAS_FULL
@pytest.mark.parametrize(
    ("redirection", "output_format"),
    [("> /dev/full", "text"), ("> /dev/full", "json"), ("> /dev/full 2>&1", "text"), (">&- 2>&-", "text")],
)
def test_push_whose_output_has_no_room_goes_on_to_its_end(
    make_site: MakeSite, redirection: str, output_format: str
) -> None:
    site = make_site("5.1")
    ended = in_shell(site, redirection, "--yes", "--format", output_format)
    assert ended.returncode == 0, ended
    assert_pushed(site)


def test_exit_code_is_the_true_one_where_the_output_is_lost(make_site: MakeSite) -> None:
    site = make_site("5.3")
    site.lab.inject(f"ignore,unit={A1},command=set:geopartners,occurrence=1")
    ended = in_shell(site, "2>&1 | head -n 1; exit ${PIPESTATUS[0]}", "--yes")
    assert ended.returncode == 3, ended
    assert in_shell(site, "| true; exit ${PIPESTATUS[0]}", "--yes").returncode == 4  # it is unfinished
    assert in_shell(site, "| true; exit ${PIPESTATUS[0]}", "--yes", "--resume").returncode == 0
    assert_pushed(site)


@HAS_FULL
def test_question_that_cannot_be_shown_is_no_consent(make_site: MakeSite) -> None:
    site = make_site("5.1")
    before = site.all_that_counts()
    ours, theirs = pty.openpty()
    os.write(ours, b"y\n")
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(pushing(site), stdin=theirs, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    os.close(ours)
    os.close(theirs)
    assert ended.returncode == 4
    assert "what would be changed cannot be shown: No space left on device" in ended.stderr
    assert site.all_that_counts() == before


@pytest.mark.parametrize(
    ("redirection", "code"), [("| true; exit ${PIPESTATUS[0]}", 0), pytest.param("> /dev/full", 2, marks=HAS_FULL)]
)
def test_what_only_reads_ends_where_its_output_does(make_site: MakeSite, redirection: str, code: int) -> None:
    site = make_site("5.1")
    assert in_shell(site, redirection, "--dry-run").returncode == code
    assert in_shell(site, redirection, "--only-preflight").returncode == code


@HAS_FULL
def test_messages_that_cannot_be_written_fail_no_result() -> None:
    command = f"{sys.executable} -m geoplan plan {TOPOLOGIES / 'section-5.4.yaml'} --format json"
    ended = subprocess.run(["bash", "-c", f"{command} 2>/dev/full"], capture_output=True, check=False)
    assert ended.returncode == 0
    wrong = subprocess.run(["bash", "-c", f"{command} --phase no 2>/dev/full"], capture_output=True, check=False)
    assert (wrong.returncode, wrong.stdout) == (2, b"")
    missing = f"{sys.executable} -m geoplan plan nothing.yaml 2>/dev/full"
    assert subprocess.run(["bash", "-c", missing], check=False).returncode == 2


class Breaking(io.StringIO):
    """Takes a few texts and then none."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def write(self, text: str) -> int:
        if self.room == 0:
            raise OSError(errno.EIO, "Input/output error")
        self.room -= 1
        return super().write(text)


def test_outlet_drops_all_that_follows_the_first_text_that_was_lost() -> None:
    stream = Breaking(2)
    outlet = Outlet(stream)
    for text in "abcd":
        assert outlet.write(text) == 1
    stream.room = 5
    outlet.write("e")
    outlet.flush()
    assert (stream.getvalue(), outlet.lost_because) == ("ab", "Input/output error")


# -- a session that is lost --------------------------------------------------------------------------------------------

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


def test_push_through_the_command_line_in_this_process_leaves_standard_output_alone(
    geoplan: Geoplan, make_site: MakeSite
) -> None:
    site = make_site("5.1")
    before = sys.stdout
    assert geoplan("push", site.topology, "--endpoints", site.endpoints, "--yes").code == 0
    assert sys.stdout is before
