"""The READMEs stay true: their commands are run, and print what they show."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from geoplan.topology.loader import check_text
from tests.conftest import ROOT

NOT_OURS = {"node_modules", "venv", "build", "dist"}
MAX_README_BYTES = 12_000
FIRST_COMMAND = "geoplan push topologies/section-5.4.yaml --lab --yes"


class Block(NamedTuple):
    """One fenced block of a README."""

    readme: str
    language: str
    text: str


class Session(NamedTuple):
    """A command of a README, and what it shows of its output."""

    readme: str
    command: str
    shown: str

    def __str__(self) -> str:
        return f"{self.readme}: {self.command}"


class Story(NamedTuple):
    """A lab that is started, and what is typed in another terminal while it runs."""

    lab: Session
    sessions: list[Session]

    def __str__(self) -> str:
        return str(self.lab)


def readmes() -> Iterator[str]:
    """Yield the READMEs of this repository by their paths in it."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if name not in NOT_OURS and not name.startswith("."))
        if "README.md" in files:
            yield str((Path(folder) / "README.md").relative_to(ROOT))


def blocks_of(readme: str) -> Iterator[Block]:
    for language, text in re.findall(r"^```(\w+)\n(.*?)^```$", (ROOT / readme).read_text(), re.MULTILINE | re.DOTALL):
        yield Block(readme, language, text)


def sessions_of(block: Block) -> Iterator[Session]:
    for session in re.split(r"^(?=\$ )", block.text, flags=re.MULTILINE):
        if session:
            command, _, shown = session.removeprefix("$ ").partition("\n")
            yield Session(block.readme, command, shown)


def starts_a_lab(session: Session) -> bool:
    return re.search(r"geoplan lab \S+\.yaml", session.command) is not None


def is_of_a_lab(session: Session) -> bool:
    return re.search(r"127\.0\.0\.1|\blab[\w-]*\.yaml", session.command) is not None


def stories(sessions: list[Session]) -> Iterator[Story]:
    """Yield each lab with the sessions of its README that follow and go to a lab."""
    starts = [position for position, session in enumerate(sessions) if starts_a_lab(session)]
    for start, end in zip(starts, [*starts[1:], len(sessions)], strict=True):
        following = sessions[start + 1 : end]
        lab = sessions[start]
        yield Story(lab, [each for each in following if each.readme == lab.readme and is_of_a_lab(each)])


READMES = list(readmes())
BLOCKS = [block for readme in READMES for block in blocks_of(readme)]
SESSIONS = [session for block in BLOCKS if block.language == "console" for session in sessions_of(block)]
STORIES = list(stories(SESSIONS))
IN_STORIES = [session for story in STORIES for session in (story.lab, *story.sessions)]
PUSH_SESSIONS = [each for each in SESSIONS if each.command.startswith("geoplan push ") and "| jq" not in each.command]
OTHER_SESSIONS = [each for each in SESSIONS if each not in IN_STORIES and each not in PUSH_SESSIONS]
SET_UP = [block.text.strip() for block in BLOCKS if block.readme == "README.md" and block.language == "sh"]


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


@pytest.mark.parametrize("session", OTHER_SESSIONS, ids=str)
def test_command_prints_what_is_shown(session: Session) -> None:
    if "| jq" in session.command and not shutil.which("jq"):
        pytest.skip("jq is not installed")

    assert printed_by(session.command) == session.shown.rstrip("\n") + "\n"


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


@pytest.mark.parametrize("session", PUSH_SESSIONS, ids=str)
def test_push_to_the_lab_shows_what_is_shown(session: Session) -> None:
    around, steps, waits = by_step(printed_by(session.command))
    shown_around, shown_steps, shown_waits = by_step(session.shown.rstrip("\n"))

    assert (around, steps) == (shown_around, shown_steps)
    assert not shown_waits or waits & shown_waits


def test_the_whole_push_is_shown_somewhere_with_what_it_waits_for() -> None:
    (session,) = [each for each in PUSH_SESSIONS if each.command == FIRST_COMMAND]

    assert "waiting until" in session.shown


def test_stories_of_a_lab() -> None:
    """One after the other, since they may use the same ports and files."""
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    assert STORIES
    for story in STORIES:
        check_story(story)


def check_story(story: Story) -> None:
    process = subprocess.Popen(
        ["bash", "-c", f"exec env {as_typed(story.lab.command)}"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    sessions = [each for each in story.sessions if "| jq" not in each.command or shutil.which("jq")]
    try:
        assert process.stdout is not None
        announced = "".join(process.stdout.readline() for _ in story.lab.shown.splitlines())
        assert [printed_by(each.command).rstrip("\n") for each in sessions] == [
            each.shown.rstrip("\n") for each in sessions
        ]
    finally:
        process.terminate()
        process.wait()

    fingerprint = re.compile(r"sha256:[0-9a-f]+…")
    assert fingerprint.sub("sha256:…", announced) == fingerprint.sub("sha256:…", story.lab.shown)
    for endpoints in re.findall(r"--endpoints (\S+)", story.lab.command):
        assert not (ROOT / endpoints).exists()


def test_example_of_the_library_runs() -> None:
    (example,) = [block.text for block in BLOCKS if block.readme == "geoplan/README.md" and block.language == "python"]
    ended = subprocess.run([sys.executable, "-c", example], cwd=ROOT, capture_output=True, text=True, check=True)

    *steps, rebooted = ended.stdout.splitlines()
    assert len(steps) == 18
    assert rebooted == "['HA Pair 1', 'HA Pair 2']"


def test_topology_shown_is_the_example() -> None:
    (shown,) = [block.text for block in BLOCKS if block.readme == "README.md" and block.language == "yaml"]
    example = (ROOT / "topologies" / "section-5.4.yaml").read_text().splitlines()

    assert shown.splitlines() == [line for line in example if not line.startswith("# Section")]


def test_topologies_shown_are_good() -> None:
    yaml = [block.text for block in BLOCKS if block.language == "yaml"]
    shown = [text for text in yaml if re.search("^sites:", text, re.MULTILINE)]

    assert len(shown) > 1
    for text in shown:
        assert check_text(text.encode(), path="README.md", default_name="shown").diagnostics == ()


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

    assert len(of_pins) == 4
    assert [line for line in lines if line not in of_pins] == [
        """  "$scratch/$1/bin/pip" install -q "${@:4}" -e ".[$3]\"""",
    ]


def test_ci_calls_exactly_the_test_command() -> None:
    assert f"\n{SET_UP[1]}\n" in (ROOT / ".ci" / "run").read_text()


def test_ci_calls_exactly_the_first_command_of_geoplan() -> None:
    *_, first = SET_UP[0].split(" && ")

    assert f"\n{first}\n" in (ROOT / ".ci" / "run").read_text()
    assert first == f".venv/bin/{FIRST_COMMAND}"


def test_first_readme_is_read_at_one_go() -> None:
    assert len((ROOT / "README.md").read_bytes()) <= MAX_README_BYTES
