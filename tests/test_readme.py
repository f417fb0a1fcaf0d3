"""The README stays true: its commands are run, and print what it shows."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
CONSOLE = "".join(block for language, block in BLOCKS if language == "console")
SESSIONS = [session for session in re.split(r"^(?=\$ )", CONSOLE, flags=re.MULTILINE) if session]
SET_UP = [block.strip() for language, block in BLOCKS if language == "sh"]


# The lab's part of the tour is one story: its own output, then what is typed in another terminal.
LAB_COMMAND, *LAB_SESSIONS = [
    session for session in SESSIONS if "geoplan lab " in session or ":20" in session or "lab.yaml" in session
]
PUSH_SESSIONS = [session for session in SESSIONS if session.startswith("$ geoplan push ")]
OTHER_SESSIONS = [session for session in SESSIONS if session not in (LAB_COMMAND, *LAB_SESSIONS, *PUSH_SESSIONS)]


def as_typed(command: str) -> str:
    """Return a command that runs this geoplan, whatever is on the path."""
    return re.sub(r"(^|\| |=pw )geoplan ", rf"\g<1>{shlex.quote(sys.executable)} -m geoplan ", command)


def environment() -> dict[str, str]:
    hidden = {"COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"}
    return {name: value for name, value in os.environ.items() if name not in hidden and not name.startswith("GEOPLAN_")}


def printed_by(command: str) -> str:
    ended = subprocess.run(
        ["bash", "-c", as_typed(command)], cwd=ROOT, capture_output=True, text=True, check=False, env=environment()
    )
    return ended.stdout + ended.stderr


def split(session: str) -> tuple[str, str]:
    """Return a command and what the README shows of its output."""
    command, _, shown = session.removeprefix("$ ").partition("\n")
    return command, shown


@pytest.mark.parametrize("session", OTHER_SESSIONS, ids=lambda session: session.splitlines()[0][2:])
def test_command_prints_what_is_shown(session: str) -> None:
    command, shown = split(session)
    if "| jq" in command and not shutil.which("jq"):
        pytest.skip("jq is not installed")

    assert printed_by(command) == shown.rstrip("\n") + "\n"


def by_step(printed: str) -> tuple[list[str], list[str], set[str]]:
    """Return a push's lines without times: those around the steps, the steps in their order, and what was waited for.

    On a machine that is very busy a wait may be over before it begins, or a quick boot be over too soon.
    """
    lines = [re.sub(r" +\d+\.\d s", " … s", line) for line in printed.splitlines()]
    lines = list(dict.fromkeys(line for line in lines if not re.search("starting this pair again|looking again", line)))
    waits = {line for line in lines if "waiting until" in line}
    steps = sorted((line for line in lines if re.match(r" *\d+/\d+  ", line) and line not in waits), key=_number)
    return [line for line in lines if line not in waits and line not in steps], steps, waits


def _number(line: str) -> int:
    return int(line.split("/", maxsplit=1)[0])


@pytest.mark.parametrize("session", PUSH_SESSIONS, ids=lambda session: session.splitlines()[0][2:])
def test_push_to_the_lab_shows_what_is_shown(session: str) -> None:
    command, shown = split(session)
    around, steps, waits = by_step(printed_by(command))

    assert (around, steps) == by_step(shown.rstrip("\n"))[:2]
    if "reboot master" in shown:
        assert waits & by_step(shown)[2]


def test_tour_of_the_lab() -> None:
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    command, shown = split(LAB_COMMAND)
    process = subprocess.Popen(
        ["bash", "-c", f"exec env {as_typed(command)}"], cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment()
    )
    sessions = [session for session in LAB_SESSIONS if "| jq" not in session or shutil.which("jq")]
    try:
        assert process.stdout is not None
        announced = "".join(process.stdout.readline() for _ in shown.splitlines())
        assert [printed_by(split(session)[0]).rstrip("\n") for session in sessions] == [
            split(session)[1].rstrip("\n") for session in sessions
        ]
    finally:
        process.terminate()
        process.wait()

    assert re.sub(r"sha256:[0-9a-f]+…", "sha256:…", announced) == re.sub(r"sha256:[0-9a-f]+…", "sha256:…", shown)
    assert not (ROOT / "lab.yaml").exists()


def test_python_example_runs() -> None:
    (example,) = [block for language, block in BLOCKS if language == "python"]
    ended = subprocess.run([sys.executable, "-c", example], cwd=ROOT, capture_output=True, text=True, check=True)

    assert len(ended.stdout.splitlines()) == 18


def test_topology_shown_is_the_example() -> None:
    (shown,) = [block for language, block in BLOCKS if language == "yaml"]
    example = (ROOT / "topologies" / "section-5.4.yaml").read_text().splitlines()

    assert shown.splitlines() == [line for line in example if not line.startswith("# Section")]


def test_set_up_is_two_commands_of_one_line_each() -> None:
    assert len(SET_UP) == 2
    for command in SET_UP:
        assert "\n" not in command
        assert command.startswith("python3 -m venv ")


def test_both_set_up_commands_install_what_is_pinned() -> None:
    for command in SET_UP:
        assert command.count("pip install ") == command.count("pip install -c tests/constraints.txt ") == 1


def test_ci_installs_what_is_pinned_and_once_the_newest_and_the_lowest() -> None:
    lines = [
        line
        for line in (ROOT / ".ci" / "run").read_text().splitlines()
        if "pip install" in line or 'pip" install' in line
    ]
    of_pins = [line for line in lines if re.search(r"install (-q )?-c (tests/)?constraints\.txt ", line)]

    assert len(of_pins) == 3
    assert [line for line in lines if line not in of_pins] == [
        """  "$scratch/$1/bin/pip" install -q "${@:3}" -e '.[test]'"""
    ]


def test_ci_calls_exactly_the_test_command() -> None:
    assert f"\n{SET_UP[1]}\n" in (ROOT / ".ci" / "run").read_text()


def test_ci_calls_exactly_the_first_command_of_geoplan() -> None:
    *_, first = SET_UP[0].split(" && ")

    assert f"\n{first}\n" in (ROOT / ".ci" / "run").read_text()
    assert first == ".venv/bin/" + split(PUSH_SESSIONS[0])[0]


def test_links_lead_to_files() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / Path(target)).exists()
