"""``geoplan status --serve``: whom the page answers, what it is told of a lab, and what does not go together."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.cli.commands.looks import status
from tests.conftest import TOPOLOGIES, Geoplan
from tests.push.conftest import MakeSite, make_site
from tests.push.support import A1, M1, PASSWORD, S1, Site

__all__ = ["make_site"]

PATIENCE = 60.0  # seconds, so that a failing test ends
PAIR = "HA Pair 1"
STOPPED = 3


class Served:
    """A running ``status --serve``."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stderr
        self.url = next(found[1] for line in process.stderr if (found := re.match(r"The live page: (\S+) ", line)))
        self.port = urlsplit(self.url).port or 0

    def asked(self, path: str, *headers: str, host: str = "127.0.0.1:PORT") -> socket.socket:
        head = "\r\n".join([f"GET {path} HTTP/1.1", f"Host: {host}", *headers, "", ""])
        connection = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        connection.sendall(head.replace("PORT", str(self.port)).encode())
        return connection

    def answer(self, path: str, *headers: str, host: str = "127.0.0.1:PORT") -> str:
        with self.asked(path, *headers, host=host) as connection, connection.makefile("rb") as answer:
            return answer.read().decode()

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield what the page knows after each event."""
        now: dict[str, Any] = {}
        with self.asked("/events") as connection, connection.makefile("r", encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("data: {"):
                    assert PASSWORD not in line
                    now = {**now, **json.loads(line.removeprefix("data: "))}
                    yield now

    def until(self, key: str) -> dict[str, Any]:
        """Return what the page knows once it knows that."""
        return next(now for now in self.events() if key in now)


@contextmanager
def serving(site: Site, *options: str) -> Iterator[Served]:
    """Serve while the block lasts; Ctrl-C ends it well, and it shows no secret."""
    command = [sys.executable, "-m", "geoplan", "status", "--serve", "--watch", "0.5", *options, str(site.topology)]
    with subprocess.Popen(
        [*command, "--endpoints", str(site.endpoints)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        limit = threading.Timer(6 * PATIENCE, process.kill)
        limit.start()
        try:
            yield Served(process)
            process.send_signal(signal.SIGINT)
            printed, told = process.communicate(timeout=PATIENCE)
        finally:
            limit.cancel()
            process.kill()
    assert (process.returncode, printed) == (0, ""), told
    assert PASSWORD not in told
    assert "Traceback" not in told


def test_its_own_page_alone_is_answered(make_site: MakeSite) -> None:
    with serving(make_site("5.3")) as served:
        page = served.answer("/")
        assert page.startswith("HTTP/1.1 200 OK")
        assert "default-src 'none'" in unescape(page)
        assert PASSWORD not in page
        assert served.answer("/", host="evil.example:PORT").startswith("HTTP/1.1 400 ")
        assert served.answer("/events", host="evil.example:PORT").startswith("HTTP/1.1 400 ")
        assert served.answer("/events", "Origin: https://evil.example").startswith("HTTP/1.1 403 ")
        assert served.answer("/events", "Sec-Fetch-Site: cross-site").startswith("HTTP/1.1 403 ")
        assert served.answer("/tick").startswith("HTTP/1.1 404 ")
        told = served.until("sites")
    assert [site["name"] for site in told["sites"]] == [PAIR, "Standalone LoadMaster 1"]
    assert told["states"] == {M1: "active", S1: "standby", A1: "alone"}


def test_a_site_alone_and_problems_alone(make_site: MakeSite) -> None:
    site = make_site("5.3")
    with serving(site, "--site", "Standalone LoadMaster 1", "--problems") as served:
        told = served.until("sites")
        assert list(told["states"]) == [A1]
        assert [each["name"] for each in told["sites"]] == ["Standalone LoadMaster 1"]
        assert all(finding["is_problem"] for finding in told["findings"])


@contextmanager
def held_push(site: Site) -> Iterator[subprocess.Popen[str]]:
    """Have a push that is held after its first step while the block lasts, and then ends; not well if that was long."""
    command = [sys.executable, "-m", "geoplan", "push", str(site.topology), "--endpoints", str(site.endpoints)]
    with subprocess.Popen([*command, "--yes", "--format", "json"], stdout=subprocess.PIPE, text=True) as process:
        limit = threading.Timer(5 * PATIENCE, process.kill)
        limit.start()
        try:
            assert process.stdout
            next(line for line in process.stdout if '"step_ended"' in line)
            process.send_signal(signal.SIGSTOP)
            yield process
            process.send_signal(signal.SIGCONT)
            process.stdout.read()
            process.wait(PATIENCE)
        finally:
            limit.cancel()
            process.kill()
    assert process.returncode in (0, STOPPED)


def test_steps_of_a_push_are_told_while_it_runs(make_site: MakeSite) -> None:
    site = make_site("5.3")
    with serving(site) as served:
        events = served.events()
        next(now for now in events if "sites" in now)
        with held_push(site) as push:
            pushed = next(now["push"] for now in events if now["push"] and now["push"]["done"])
        kinds = [step["kind"] for step in pushed["steps"]]
        assert f"process {push.pid}" in pushed["called"]
        assert {"done", "now"} <= set(kinds)
        assert kinds[-1] == "left"
        after = next(now for now in events if now["push"] is None)
    assert "A push has begun" in {change["text"] for change in after["changes"]}


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--serve", "--format", "json"], "--serve cannot be used with --format"),
        (["--serve", "--format", "prometheus", "--listen", "0"], "--serve cannot be used with --format"),
        (["--serve", "-o", "page.html"], "--serve cannot be used with -o"),
        (["--serve", "--listen", "0.0.0.0:9100"], "not on loopback"),
        (["--listen", "9100"], "add one of them"),
        (["--watch", "--listen", "9100"], "or --serve"),
    ],
)
def test_what_does_not_go_together(geoplan: Geoplan, options: list[str], why: str) -> None:
    refused = geoplan("status", TOPOLOGIES / "section-5.1.yaml", *options)
    assert refused.code == 2
    assert why in re.sub(r"\s+", " ", refused.stderr)


def test_port_that_is_taken(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.1")
    with serving(site) as served:
        refused = status(geoplan, site, "--serve", "--listen", str(served.port))
    assert refused.code == 2
    assert f"cannot take port {served.port} of 127.0.0.1" in refused.stderr
    assert "choose another --listen" in refused.stderr
