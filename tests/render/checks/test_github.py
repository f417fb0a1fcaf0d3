"""Workflow commands have the places of the faults, and a file adds none of its own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from geoplan.diagnostics import MAX_SHOWN
from geoplan.render.checks import github
from geoplan.topology.checks import check_files
from geoplan.wording import is_control
from tests.conftest import ROOT, TOPOLOGIES
from tests.render.checks.files import PLACES, five_faults, hostile

WARNED = str(ROOT / "tests" / "topology" / "malformed" / "warning-firmware-differs.yaml")

ESCAPES = {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}


class Command(NamedTuple):
    """A workflow command, as the runner reads it."""

    name: str
    properties: dict[str, str]
    message: str


def unescaped(text: str, escapes: str) -> str:
    return re.sub(escapes, lambda found: ESCAPES[found[0]], text)


def as_the_runner_reads(printed: str) -> list[Command]:
    """Return the commands of an output: a line that begins with ``::``, blanks before it not counted."""
    commands = []
    for line in re.split(r"\r\n|\r|\n", printed):
        if line.lstrip().startswith("::"):
            head, _, message = line.lstrip().removeprefix("::").partition("::")
            name, _, given = head.partition(" ")
            pairs = (each.partition("=") for each in given.split(","))
            properties = {key: unescaped(value, "%(0D|0A|3A|2C|25)") for key, _, value in pairs}
            commands.append(Command(name, properties, unescaped(message, "%(0D|0A|25)")))
    return commands


def test_five_faults_are_annotations_at_their_places(tmp_path: Path) -> None:
    files = five_faults(tmp_path)
    *faults, unreadable = as_the_runner_reads(github.render(files))

    assert [(int(each.properties["line"]), int(each.properties["col"])) for each in faults] == [
        (line, column) for line, column, _ in PLACES
    ]
    assert [each.properties["title"].split()[0] for each in faults] == [code for _, _, code in PLACES]
    assert {each.properties["file"] for each in faults} == {files[0].path}
    assert faults[0].message == "master and slave of 'A' are both 172.24.1.5\nhint: write the other unit's address"
    assert unreadable.properties["file"] == files[1].path


def test_warnings_are_warnings() -> None:
    assert {each.name for each in as_the_runner_reads(github.render(check_files([WARNED])))} == {"warning"}


def test_a_file_adds_no_command_and_steers_nothing(tmp_path: Path) -> None:
    files = hostile(tmp_path)
    printed = github.render(files)
    commands = as_the_runner_reads(printed)

    assert len(commands) == len(files[0].diagnostics) + 1
    assert {each.name for each in commands} <= {"error", "warning"}
    assert not any(map(is_control, printed.replace("\n", "")))
    assert "hunter2" not in printed
    assert commands[0].properties["file"].endswith("/50%, a:b\\u001b\\u000a::error::.yaml")


def test_what_is_not_shown_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "many.yaml"
    path.write_text("sites:\n" + "  - {}\n" * (MAX_SHOWN + 100))
    files = check_files([str(path)])

    *shown, rest = as_the_runner_reads(github.render(files))
    assert len(shown) == MAX_SHOWN
    assert rest.message == f"and {len(files[0].diagnostics) - MAX_SHOWN} more faults"


def test_good_files_are_counted_and_nothing_else() -> None:
    files = check_files([str(TOPOLOGIES / "section-5.4.yaml")])

    assert github.render(files) == "geoplan: 1 file: 1 OK\n"
