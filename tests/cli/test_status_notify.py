"""``--notify``: a program is told what changes, and learns and breaks nothing besides."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from geoplan.cli.status_notify import Notifier, environment_for_others
from geoplan.status.model import Seen, Status
from tests.cli.commands.looks import status, until
from tests.conftest import TOPOLOGIES, Geoplan
from tests.push.conftest import MakeSite, make_site
from tests.push.support import M1, PASSWORD, S1, Site
from tests.status.made import changed, down, failed_over, status_of, well
from tests.status.metrics import value

__all__ = ["make_site"]

PATIENCE = 60.0
PAIR = "HA Pair 1"
LOOK = "geoplan_look_timestamp_seconds"
WELL, FAILED_OVER = status_of(well()), status_of(failed_over(well()))
PROGRAM = """
import json, os, sys
told = {"words": sys.argv[2:], "environment": dict(os.environ), "stdin": sys.stdin.read()}
with open(sys.argv[1], "a") as file:
    file.write(json.dumps(told) + "\\n")
"""


class Program:
    """A program that writes down each of its runs."""

    def __init__(self, folder: Path, *more: str) -> None:
        script = folder / "program.py"
        script.write_text(PROGRAM)
        self.log = folder / "told.jsonl"
        self.words = (sys.executable, str(script), str(self.log), *more)

    @property
    def runs(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    @property
    def told(self) -> list[dict[str, Any]]:
        return [json.loads(run["stdin"]) for run in self.runs]

    @property
    def kinds(self) -> list[tuple[list[str], list[str]]]:
        return [tuple([each["kind"] for each in told[name]] for name in ("appeared", "gone")) for told in self.told]  # type: ignore[misc]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path, "$(touch x); `id`", "a b")


def watch(notifier: Notifier, looks: Sequence[Status | Seen]) -> None:
    async def run() -> None:
        for look in looks:
            await notifier(look if isinstance(look, Seen) else Seen(look))

    asyncio.run(run())


def test_it_runs_only_when_something_changes(program: Program) -> None:
    reworded = tuple(replace(each, message="since another time") for each in FAILED_OVER.findings)
    later = replace(FAILED_OVER, findings=reworded)
    watch(Notifier(program.words), [WELL, WELL, FAILED_OVER, later, FAILED_OVER, WELL, WELL])

    assert program.kinds == [(["failed_over"], []), ([], ["failed_over"])]
    assert [told["first"] for told in program.told] == [False, False]


def test_first_look_tells_what_is_there(program: Program) -> None:
    watch(Notifier(program.words), [FAILED_OVER, FAILED_OVER])

    assert program.kinds == [(["failed_over"], [])]
    assert program.told[0]["first"] is True


def test_its_words_are_no_shells(program: Program) -> None:
    watch(Notifier(program.words), [FAILED_OVER])

    assert program.runs[0]["words"] == ["$(touch x); `id`", "a b"]


def test_it_is_silent_while_a_push_runs_and_told_what_is_left(program: Program) -> None:
    down_now = status_of(down(failed_over(well()), S1))
    pushed = [Seen(each, is_pushed=True) for each in (down_now, WELL, down_now, FAILED_OVER)]
    notifier = Notifier(program.words)
    watch(notifier, [WELL, *pushed])
    assert program.kinds == []
    watch(notifier, [FAILED_OVER, Seen(down_now, is_pushed=True), FAILED_OVER])

    assert program.kinds == [(["failed_over"], [])]


def test_environment_has_no_secrets_of_geoplan(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PASSWORD", "PASSWORD_172_24_1_5", "APIKEY", "USER", "SECRET", "OLD_SECRET", "CLIENT_KEY_PASSWORD"):
        monkeypatch.setenv(f"GEOPLAN_{name}", PASSWORD)
    monkeypatch.setenv("GEOPLAN_STATE_DIR", "/var/lib/geoplan")
    watch(Notifier(program.words), [FAILED_OVER])

    (run,) = program.runs
    assert PASSWORD not in json.dumps(run)
    assert {name for name in run["environment"] if name.startswith("GEOPLAN")} == {"GEOPLAN_STATE_DIR"}
    assert run["environment"]["PATH"] == os.environ["PATH"]
    assert environment_for_others({"geoplan_password": "x", "HOME": "/"}) == {"HOME": "/"}


def test_program_that_fails_is_told_and_its_changes_go_with_the_next(
    tmp_path: Path, program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    failing = tmp_path / "failing"
    failing.touch()
    script = tmp_path / "at-first.sh"
    script.write_text(f"test -e {failing} && exit 3\nexec {shlex.join(program.words)}\n")
    notifier = Notifier(("/bin/sh", str(script), "token-of-a-chat"))
    watch(notifier, [WELL, FAILED_OVER, FAILED_OVER])
    told = capsys.readouterr().err
    failing.unlink()
    ssh_off = status_of(changed(failed_over(well()), S1, ssh_access=False))
    watch(notifier, [FAILED_OVER, ssh_off, ssh_off])

    assert told.count("geoplan: warning: --notify: /bin/sh ended with exit code 3; 1 change not told") == 1
    assert "token" not in told
    assert [sorted(appeared) for appeared, _ in program.kinds] == [["failed_over", "ssh_off"]]


def test_failed_change_that_goes_again_needs_no_telling(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    watch(Notifier((sys.executable, "-c", "raise SystemExit(1)")), [WELL, FAILED_OVER, WELL])

    assert capsys.readouterr().err.count("warning") == 1


def test_program_that_never_ends_is_ended_with_what_it_started(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fifo = tmp_path / "alive"
    os.mkfifo(fifo)
    script = f"exec 3<>{shlex.quote(str(fifo))}; sleep 1000 & sleep 1000"
    watch(Notifier(("/bin/sh", "-c", script), seconds=0.5), [FAILED_OVER])

    assert "/bin/sh was ended after 0.5 s" in capsys.readouterr().err
    until(lambda: not is_read_by_somebody(fifo))


def test_watch_that_ends_ends_the_program_that_still_runs(tmp_path: Path) -> None:
    fifo = tmp_path / "alive"
    os.mkfifo(fifo)
    notifier = Notifier(("/bin/sh", "-c", f"exec 3<>{shlex.quote(str(fifo))}; sleep 1000 & sleep 1000"))

    async def run() -> None:
        watching = asyncio.create_task(notifier(Seen(FAILED_OVER)))
        while not is_read_by_somebody(fifo):
            await asyncio.sleep(0.02)
        watching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watching

    asyncio.run(run())
    until(lambda: not is_read_by_somebody(fifo))


def is_read_by_somebody(fifo: Path) -> bool:
    try:
        os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("/bin/sh", "-c", "exec 0<&-; exit 0"), ""),
        (("/bin/sh", "-c", "kill -9 $$"), "was ended by signal 9"),
        (("/nowhere/at-all",), "cannot be run: No such file or directory"),
        (("/etc/passwd",), "cannot be run: Permission denied"),
    ],
)
def test_program_that_is_odd_stops_nothing(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    many = replace(FAILED_OVER, findings=FAILED_OVER.findings * 2000)  # more than a pipe holds
    watch(Notifier(words), [many, WELL])

    told = capsys.readouterr().err
    assert said in told
    assert bool(said) == ("warning" in told)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--notify", "true"], "for --watch"),
        (["--watch", "--notify", ""], "it is empty"),
        (["--watch", "--notify", "mail 'x"], "a quotation in it has no end"),
        (["--watch", "--notify", "no-such-program-here"], "there is no program no-such-program-here"),
    ],
)
def test_command_that_cannot_be_one(geoplan: Geoplan, options: list[str], why: str) -> None:
    refused = geoplan("status", TOPOLOGIES / "section-5.1.yaml", *options)

    assert refused.code == 2
    assert why in refused.stderr


@contextmanager
def watching(site: Site, program: Program, file: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "geoplan", "status", "--watch", "0.5", "-o", str(file), str(site.topology)]
    with subprocess.Popen(
        [*command, "--endpoints", str(site.endpoints), "--notify", shlex.join(program.words)], stderr=subprocess.PIPE
    ) as process:
        try:
            yield
            process.send_signal(signal.SIGTERM)
            _, told = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    assert process.returncode == 0
    assert b"--notify" not in told


def _is_other_than(moment: float | None, file: Path) -> Callable[[], bool]:
    return lambda: value(file.read_text(), LOOK) != moment


def test_failover_of_a_lab_is_told_once_it_is_nobodys_push(
    geoplan: Geoplan, make_site: MakeSite, program: Program, tmp_path: Path
) -> None:
    site, file = make_site("5.3"), tmp_path / "geoplan.prom"
    assert geoplan("push", site.topology, "--endpoints", site.endpoints, "--yes").code == 0
    site.settle()
    assert status(geoplan, site).code == 0
    with watching(site, program, file):
        with site.store.only_push("another"):
            until(lambda: file.exists() and value(file.read_text(), "geoplan_push_running") == 1)
            site.lab.fail_over(PAIR)
            until(lambda: value(file.read_text(), "geoplan_findings", kind="failed_over") == 1)
            for _ in range(2):  # each look tells the program before the next one begins
                until(_is_other_than(value(file.read_text(), LOOK), file))
            assert program.runs == []
        until(lambda: program.runs)

    (told,) = program.told
    assert [each["kind"] for each in told["appeared"]] == ["failed_over"]
    assert PASSWORD not in json.dumps(program.runs)


def test_push_that_reboots_masters_alarms_nobody(
    geoplan: Geoplan, make_site: MakeSite, program: Program, tmp_path: Path
) -> None:
    site, file = make_site("5.3"), tmp_path / "geoplan.prom"
    with watching(site, program, file):
        until(lambda: program.runs)
        assert geoplan("push", site.topology, "--endpoints", site.endpoints, "--yes").code == 0
        until(lambda: len(program.runs) > 1)
        site.settle()

    first, then = program.kinds[:2]
    assert first == (["geo_differs"], [])
    assert then[1] == ["geo_differs"]
    told = {kind for appeared, _ in program.kinds for kind in appeared}
    assert told.isdisjoint({"unit_down", "pair_down", "none_active", "both_active", "unconnected", "unreachable"})
    assert site.reboots[M1] == 1
