"""What is printed to be typed does what it says, whatever files, folders and sites are called."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from geoplan.cli import COMMANDS
from geoplan.cli.connection import ConnectionOptions, TypedCommands
from tests.conftest import TOPOLOGIES, Geoplan, Outcome
from tests.push.conftest import MakeSite, make_site
from tests.push.support import M1, Site

__all__ = ["make_site"]

HOSTILE_SITE = "O'Brien; touch X; 'y"
HOSTILE_NAMES = [
    "-rf $(touch X) `touch X`; touch X; 'y\" &.yaml",
    "line\nbreak; touch X \x1b[2J\u202e.yaml",
    "--yes",
]
_COMMAND = re.compile(rf"\bgeoplan (?:{'|'.join(COMMANDS)}) .*")


def printed_commands(*texts: str) -> list[str]:
    """Return the commands in what was printed; each is the rest of its line."""
    return [found[0] for text in texts for found in _COMMAND.finditer(text)]


def as_bash_reads(command: str, folder: Path) -> list[str]:
    """Return the words of a command that is pasted into a shell whose folder is that one, where it may leave traces."""
    script = f"set -f; printf '%s\\0' {command}"
    printed = subprocess.run(["bash", "-c", script], check=True, capture_output=True, cwd=folder, timeout=20)
    words = [os.fsdecode(word) for word in printed.stdout.split(b"\0")[:-1]]
    assert "$'" in command or shlex.split(command) == words
    return words


class Operator:
    """Somebody who runs geoplan in a folder, and types what it prints."""

    def __init__(self, geoplan: Geoplan, folder: Path, topology: str, options: list[str]) -> None:
        self._geoplan = geoplan
        self._folder = folder
        self._topology = topology
        self._options = options

    def run(self, command: str, *more: str) -> Outcome:
        return self._geoplan(command, *self._options, *more, "--", self._topology)

    def read(self, command: str, *more: str) -> Outcome:
        """Run a command that keeps no journal."""
        return self._geoplan(command, *self._options[:2], *more, "--", self._topology)

    def type(self, command: str, *more: str) -> Outcome:
        """Run a printed command; nothing else may come of it."""
        name, *words = as_bash_reads(command, self._folder)
        assert name == "geoplan"
        ended = self._geoplan(*words, *more)
        assert not (self._folder / "X").exists()
        return ended

    def only_command(self, printed: Outcome, *words: str) -> str:
        """Return the one printed command that has these words."""
        found = [each for each in printed_commands(*printed[1:]) if {*words} <= {*as_bash_reads(each, self._folder)}]
        assert len(set(found)) == 1, printed
        return found[0]


@pytest.fixture
def hostile(make_site: MakeSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Serve a pair and a standalone whose names a shell would act on."""
    document = yaml.safe_load((TOPOLOGIES / "section-5.3.yaml").read_text())
    pair = next(site for site in document["sites"] if "ha_pair" in site)
    pair["name"] = HOSTILE_SITE
    site = make_site("5.3", settings={"sites": document["sites"]})
    monkeypatch.chdir(tmp_path)
    return site


def operator_of(site: Site, geoplan: Geoplan, name: str) -> Operator:
    folder = site.topology.parent
    site.topology.rename(folder / name)
    site.endpoints.rename(folder / f"lab {name}")
    state = f"state {name}"
    (folder / state).mkdir(mode=0o700)
    return Operator(geoplan, folder, name, ["--endpoints", f"lab {name}", "--state-dir", state])


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_stopped_push_goes_on_by_the_commands_that_it_prints(hostile: Site, geoplan: Geoplan, name: str) -> None:
    operator = operator_of(hostile, geoplan, name)
    fault = hostile.lab.inject(f"ignore,unit={M1},command=reboot")
    stopped = operator.run("push", "--yes", "--backup-dir", "back ups; touch X")
    assert stopped.code == 3, stopped
    hostile.lab.lift(fault)
    shown = operator.type(operator.only_command(stopped, "--status"))
    assert shown.code == 0, shown
    for heading in ("journal", "backups"):
        line = next(line for line in shown.stdout.splitlines() if line.startswith(heading))
        assert Path(as_bash_reads(line, Path.cwd())[-1]).exists()
    refused = operator.run("push", "--yes")
    assert refused.code == 4
    resume = operator.only_command(refused, "--resume")
    assert operator.only_command(shown, "--resume") == resume
    assert "back ups; touch X" in as_bash_reads(operator.only_command(stopped, "--resume"), Path.cwd())
    ended = operator.type(operator.only_command(stopped, "--resume"), "--yes")
    assert ended.code == 0, ended
    hostile.settle()
    assert {address: count for address, count in hostile.reboots.items() if count} == {M1: 1}


def test_abandoned_push_prints_the_command_that_finishes_its_pairs(hostile: Site, geoplan: Geoplan) -> None:
    operator = operator_of(hostile, geoplan, HOSTILE_NAMES[0])
    fault = hostile.lab.inject(f"ignore,unit={M1},command=reboot")
    assert operator.run("push", "--yes").code == 3
    hostile.lab.lift(fault)
    shown = operator.run("push", "--status")
    ended = operator.type(operator.only_command(shown, "--abandon"), "--yes")
    assert ended.code == 0, ended
    assert HOSTILE_SITE in ended.stdout
    pushed = operator.type(operator.only_command(ended, "push"), "--yes")
    assert pushed.code == 0, pushed


def test_push_that_leaves_reboots_out_prints_the_command_that_does_them(hostile: Site, geoplan: Geoplan) -> None:
    operator = operator_of(hostile, geoplan, HOSTILE_NAMES[0])
    left_out = operator.run("push", "--yes", "--reboot", "never")
    assert left_out.code == 1, left_out
    command = operator.only_command(left_out, f"always={HOSTILE_SITE}")
    assert operator.type(command, "--yes").code == 0
    hostile.settle()
    assert hostile.reboots[M1] == 1


def test_what_only_reads_prints_commands_of_the_real_file(hostile: Site, geoplan: Geoplan) -> None:
    operator = operator_of(hostile, geoplan, HOSTILE_NAMES[0])
    before = operator.read("status")
    operator.run("push", "--yes", "--reboot", "never")
    markdown = operator.read("diff", "--format", "markdown")
    for found in (before, operator.read("diff"), markdown):
        assert found.code == 1
        commands = printed_commands(*found[1:])
        assert commands
        for words in (as_bash_reads(each, hostile.topology.parent) for each in commands):
            assert {f"./{HOSTILE_NAMES[0]}", f"lab {HOSTILE_NAMES[0]}"} <= {*words}
    assert any(f"always={HOSTILE_SITE}" in as_bash_reads(each, Path("/")) for each in printed_commands(markdown.stdout))


def test_while_a_push_is_unfinished_what_only_reads_says_to_resume_it(hostile: Site, geoplan: Geoplan) -> None:
    operator = operator_of(hostile, geoplan, HOSTILE_NAMES[0])
    operator._options = operator._options[:2]
    fault = hostile.lab.inject(f"ignore,unit={M1},command=reboot")
    assert operator.run("push", "--yes").code == 3
    hostile.lab.lift(fault)
    hostile.settle()
    for command in ("status", "diff"):
        found = operator.read(command)
        pushes = [each for each in printed_commands(*found[1:]) if each.startswith("geoplan push ")]
        assert {*pushes} == {operator.only_command(found, "--resume")}
        assert "a push is unfinished; go on with: geoplan push " in found.stderr
    assert operator.type(operator.only_command(operator.read("status"), "--resume"), "--yes").code == 0
    assert "unfinished" not in operator.read("status").stderr


def test_notes_before_a_push_name_the_real_file(hostile: Site, geoplan: Geoplan) -> None:
    operator = operator_of(hostile, geoplan, HOSTILE_NAMES[0])
    assert operator.run("push", "--yes").code == 0
    hostile.settle()
    hostile.lab.fail_over(HOSTILE_SITE)
    # A failover takes its time: until then the checks find no active unit.
    checks = (operator.run("push", "--only-preflight") for _ in range(200))
    checked = next(each for each in checks if each.code == 0)
    words = as_bash_reads(operator.only_command(checked, "status", "--watch"), hostile.topology.parent)
    assert words[:4] == ["geoplan", "status", f"./{HOSTILE_NAMES[0]}", "--watch"]


FILES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(path=FILES, endpoints=FILES, state=FILES, site=FILES)
def test_every_word_of_a_command_is_the_one_that_was_meant(path: str, endpoints: str, state: str, site: str) -> None:
    typed = TypedCommands(ConnectionOptions(endpoints=endpoints, insecure=True), path, "geo", state)
    command = typed("push", "--reboot", f"always={site}")
    words = as_bash_reads(command, Path("/"))
    called = f"./{path}" if path.startswith("-") and path != "-" else path
    assert words[:3] == ["geoplan", "push", called]
    assert words[3:] == [
        *("--phase", "geo", "--state-dir", state, "--reboot", f"always={site}"),
        *("--endpoints", endpoints, "--insecure"),
    ]
    assert command.isprintable() or not any(ord(character) < 32 for character in command)
