"""``geoplan status --watch``: on a terminal, into a pipe, as JSON."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
from itertools import pairwise
from typing import IO

import pytest

from tests.cli.commands.looks import units_of
from tests.conftest import TOPOLOGIES, Geoplan
from tests.push.conftest import MakeSite, make_site
from tests.push.support import M1, S1, Site

__all__ = ["make_site"]

PATIENCE = 60.0  # seconds, so that a failing test ends


def watching(site: Site, *options: str, stdout: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "geoplan", "status", "--watch", *options, str(site.topology)]
    environment = {**os.environ, "TERM": "xterm"}
    environment.pop("NO_COLOR", None)
    return subprocess.Popen(
        [*command, "--endpoints", str(site.endpoints)], stdout=stdout, stderr=subprocess.STDOUT, env=environment
    )


def read_until(source: int, wanted: bytes, seen: bytes = b"") -> bytes:
    """Read until something stands there. What comes after it is left to the next."""
    while wanted not in seen:
        ready, _, _ = select.select([source], [], [], PATIENCE)
        assert ready, seen.decode()
        part = os.read(source, 65536)
        assert part, seen.decode()
        seen += part
    return seen


def end(process: subprocess.Popen[bytes], number: signal.Signals = signal.SIGINT) -> int:
    process.send_signal(number)
    return process.wait(PATIENCE)


def source_of(process: subprocess.Popen[bytes]) -> int:
    stream: IO[bytes] | None = process.stdout
    assert stream is not None
    return stream.fileno()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_terminal_is_redrawn_in_place_and_sees_a_failover(make_site: MakeSite, number: signal.Signals) -> None:
    site = make_site("5.1")
    reader, writer = pty.openpty()
    fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 90, 0, 0))
    with watching(site, "0.5", stdout=writer) as process:
        os.close(writer)
        first = read_until(reader, b"finding")
        site.lab.fail_over("HA Pair 1")
        later = read_until(reader, b"2 findings")
        assert end(process, number) == 0
    rest = b""
    while True:
        try:
            rest += os.read(reader, 65536) or b""
        except OSError:  # what a terminal says when nobody writes to it any more
            break
    os.close(reader)

    assert b"\x1b[?25l" in first  # the cursor is hidden while it redraws, and back at the end
    assert b"\x1b[?25h" in later + rest
    assert b"\x1b[1A" in later  # it goes up to draw over what was there
    assert b"Failed over" in later
    assert b"active since " in later


def test_pipe_gets_the_text_again_only_when_it_changed(make_site: MakeSite) -> None:
    site = make_site("5.1")
    with watching(site, "0.5") as process:
        shown = read_until(source_of(process), b"1 finding\n")
        site.lab.fail_over("HA Pair 1")
        shown = read_until(source_of(process), b"active since", shown)
        shown = read_until(source_of(process), b"2 findings\n", shown)
        assert end(process) == 0

    text = shown.decode()
    assert "\x1b[" not in text
    pictures = re.split(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\n\n", text, flags=re.MULTILINE)[1:]
    assert all(one.rstrip() != other.rstrip() for one, other in pairwise(pictures))
    assert "Failed over" not in pictures[0]


def test_json_is_one_line_a_look(make_site: MakeSite) -> None:
    site = make_site("5.1")
    with watching(site, "--format", "json") as process:
        assert process.stdout is not None
        first = json.loads(next(line for line in process.stdout if line.startswith(b"{")))  # warnings come before it
        site.lab.fail_over("HA Pair 1")
        for line in process.stdout:
            look = json.loads(line)
            if look["sites"][0]["failed_over"]:
                break
        assert end(process) == 0

    assert first["sites"][0]["active"] == M1
    assert units_of(look)[S1]["since"] is not None
    assert units_of(first)[M1]["since"] is None


def test_watch_and_a_file_do_not_go_together(geoplan: Geoplan) -> None:
    shown = geoplan("status", TOPOLOGIES / "section-5.1.yaml", "--watch", "-o", "status.txt")

    assert shown.code == 2
    assert "--watch cannot be used with -o FILE" in shown.stderr


def test_watch_takes_seconds(geoplan: Geoplan) -> None:
    assert "0.1 is not in the range" in geoplan("status", TOPOLOGIES / "section-5.1.yaml", "--watch", "0.1").stderr
    for no_time in ("nan", "inf", "soon"):
        refused = geoplan("status", TOPOLOGIES / "section-5.1.yaml", f"--watch={no_time}")
        assert refused.code == 2
        assert no_time in refused.stderr
