"""geoplan as an operator types it: help, interrupts, and where output goes, whatever the command."""

from __future__ import annotations

import gc
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from geoplan.cli import COMMANDS, cli
from geoplan.wording import LONGEST_LINE
from tests.conftest import TOPOLOGIES, Geoplan
from tests.topologies import large_topology

EXAMPLE = TOPOLOGIES / "section-5.4.yaml"


def test_help_lists_every_command_with_its_summary(geoplan: Geoplan) -> None:
    outcome = geoplan("--help")

    assert outcome.code == 0
    for name, summary in COMMANDS.items():
        assert name in outcome.stdout
        assert summary in outcome.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_command_has_help(name: str, geoplan: Geoplan) -> None:
    outcome = geoplan(name, "--help")

    assert outcome.code == 0
    assert outcome.stdout.startswith(f"Usage: geoplan {name} ")


def test_command_that_a_program_runs_leaves_its_process_as_it_is(
    geoplan: Geoplan, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PYDANTIC_DISABLE_PLUGINS", raising=False)
    before, frozen = (gc.get_threshold(), dict(os.environ)), gc.get_freeze_count()
    geoplan("runbook", EXAMPLE, "-o", tmp_path / "runbook.md")

    assert (gc.get_threshold(), dict(os.environ)) == before
    assert gc.get_freeze_count() <= frozen  # what another test froze may have gone since


def test_version(geoplan: Geoplan) -> None:
    assert geoplan("--version").stdout.startswith("geoplan, version ")


def test_without_a_command_the_help_is_shown_and_it_exits_2(geoplan: Geoplan) -> None:
    outcome = geoplan()

    assert outcome.code == 2
    assert "Commands:" in outcome.stdout + outcome.stderr


def test_mistyped_command_is_answered_with_the_nearest(geoplan: Geoplan) -> None:
    outcome = geoplan("plna", EXAMPLE)

    assert outcome.code == 2
    assert "There is no command 'plna'. Did you mean 'plan'?" in outcome.stderr


def test_interrupt_exits_130(monkeypatch: pytest.MonkeyPatch, geoplan: Geoplan) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "invoke", interrupted)
    outcome = geoplan("plan", EXAMPLE)

    assert outcome.code == 130
    assert outcome.stderr.strip() == "geoplan: interrupted"


def geoplan_process(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "geoplan", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=False, env={**os.environ, **environment})


def test_closed_pipe_is_no_error(tmp_path: Path) -> None:
    large = tmp_path / "large.yaml"
    large.write_text(large_topology(100))  # more than a pipe holds
    command = f"{sys.executable} -m geoplan plan {large} --format json | head -c 10"
    ended = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, check=False)

    assert ended.stderr == b""
    assert ended.returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("form", ["text", "json"])
def test_full_disk_behind_standard_output_is_told(form: str) -> None:
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "geoplan", "plan", str(EXAMPLE), "--format", form]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)

    assert ended.returncode == 2
    assert ended.stderr == b"geoplan: error: cannot write standard output: No space left on device\n"


def test_closed_standard_output_is_no_traceback() -> None:
    command = f"{sys.executable} -m geoplan plan {EXAMPLE} >&-"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, check=False)

    assert ended.stderr == b""
    assert ended.returncode == 0


def test_reader_that_never_reads_is_no_error() -> None:
    command = f"{sys.executable} -m geoplan plan {EXAMPLE} --format json | true; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, check=False)

    assert ended.stderr == b""
    assert ended.returncode == 0


@pytest.mark.parametrize("environment", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}])
def test_names_come_out_in_utf_8_whatever_the_locale(environment: dict[str, str]) -> None:
    ended = geoplan_process("plan", TOPOLOGIES / "fleet.yaml", "--format", "lists", **environment)

    assert ended.returncode == 0
    assert "Clinic Tromsø" in ended.stdout.decode()


def on_a_terminal(*arguments: str | Path, columns: int, **environment: str) -> str:
    """Run geoplan on a terminal that is so wide, and return what appears there."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(columns), **environment}
    process = subprocess.Popen(
        [sys.executable, "-m", "geoplan", *map(str, arguments)], stdout=follower, stderr=follower, env=environment
    )
    os.close(follower)
    printed = b""
    while True:
        try:
            chunk = os.read(leader, 65536)
        except OSError:  # Linux's way of saying that the other end is closed
            break
        if not chunk:
            break
        printed += chunk
    os.close(leader)
    process.wait()
    return printed.decode()


def test_terminal_gets_colour_and_its_width() -> None:
    printed = on_a_terminal("plan", EXAMPLE, columns=72)

    assert "\x1b[" in printed


def test_no_color_is_honoured() -> None:
    assert "\x1b[" not in on_a_terminal("plan", EXAMPLE, columns=72, NO_COLOR="1")


def test_pipe_gets_plain_text() -> None:
    assert b"\x1b[" not in geoplan_process("plan", EXAMPLE, TERM="xterm-256color").stdout


def test_system_that_refuses_a_file_is_not_said_to_refuse_standard_output(
    geoplan: Geoplan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_arguments: list[str]) -> object:
        raise PermissionError(13, "Permission denied", "/some/file")

    monkeypatch.setattr("geoplan.cli._invoke", refuse)
    ended = geoplan("--help")
    assert ended.code == 2
    assert ended.stderr == "geoplan: error: cannot use /some/file: Permission denied\n"


_DIGITS = "7" * 5000


@pytest.mark.parametrize("value", [_DIGITS, f"7.2.{_DIGITS}", "x y " * 1500], ids=["digits", "version", "words"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("upgrade", EXAMPLE, "--to"),
        ("upgrade", EXAMPLE, "--to", "7.2.59.4", "--site"),
        ("plan",),
        ("plan", EXAMPLE, "--phase"),
        ("plan", EXAMPLE, "-o"),
        ("check", EXAMPLE, "--explain"),
        ("push", EXAMPLE, "--lab", "--reboot"),
        ("push", EXAMPLE, "--lab", "--jobs"),
        ("push", EXAMPLE, "--lab", "--variant"),
        ("push", EXAMPLE, "--lab", "--checksum"),
        ("probe",),
        ("facts",),
        (),
    ],
    ids=lambda arguments: " ".join(map(str, arguments[:1] + arguments[2:])) or "command",
)
def test_value_of_any_length_is_repeated_in_part(arguments: tuple[str, ...], value: str, geoplan: Geoplan) -> None:
    outcome = geoplan(*arguments, value)

    assert outcome.code == 2
    assert outcome.stdout == ""
    assert "geoplan" in outcome.stderr
    assert "7" * 400 not in outcome.stderr
    assert max(map(len, outcome.stderr.splitlines())) <= LONGEST_LINE
