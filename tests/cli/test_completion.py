"""Completion as somebody has it who types in bash, zsh or fish: in a terminal, with the script of the README."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from geoplan.cli import COMMANDS
from tests.conftest import ROOT, TOPOLOGIES, Geoplan
from tests.render.pictures import require

BIN = Path(sys.executable).parent
SECONDS = 60.0
PROMPT = "READY"

SHELLS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}
SET_UP = {
    "bash": ['eval "$(_GEOPLAN_COMPLETE=bash_source geoplan)"'],
    "zsh": ["autoload -Uz compinit && compinit -u -D", 'eval "$(_GEOPLAN_COMPLETE=zsh_source geoplan)"'],
    "fish": ["_GEOPLAN_COMPLETE=fish_source geoplan | source"],
}
READY = {
    "bash": f"PS1=; printf '%s\\n' {PROMPT[:3]}''{PROMPT[3:]}",
    "zsh": f"PS1=; printf '%s\\n' {PROMPT[:3]}''{PROMPT[3:]}",
    "fish": f"printf '%s\\n' {PROMPT[:3]}''{PROMPT[3:]}",
}
"""What prints the word once the shell has read what came before: typed, the word is in two parts."""


class Terminal:
    """A shell on a terminal of its own, in which somebody types."""

    def __init__(self, shell: str, folder: Path) -> None:
        require(shutil.which(shell), shell, "GEOPLAN_REQUIRE_SHELLS")
        self._own, theirs = pty.openpty()
        environment = {
            "PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(folder), "TERM": "dumb", "LANG": "C.UTF-8",
            "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder),
        }  # fmt: skip
        self._process = subprocess.Popen(
            ["setsid", "--ctty", *SHELLS[shell]],  # a shell wants a terminal that is its own
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env=environment,
        )
        os.close(theirs)
        self._shell = shell
        self.shown = ""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._own)

    def type(self, text: str) -> None:
        os.write(self._own, text.encode())

    def set_up(self) -> None:
        """Have completion, and wait until the shell says that it is ready."""
        for line in [*SET_UP[self._shell], READY[self._shell]]:
            self.type(f"{line}\n")
        self.wait_for(PROMPT)

    def wait_for(self, text: str) -> None:
        """Read what is shown until a text is; an end of the shell shows nothing any more."""
        until = time.monotonic() + SECONDS
        while text not in self.shown:
            if not self._read(until):
                pytest.fail(f"{text!r} is not shown: {self.shown!r}")

    def wait_for_end(self) -> None:
        until = time.monotonic() + SECONDS
        while self._read(until):
            pass
        self._process.wait(timeout=SECONDS)

    def _read(self, until: float) -> bool:
        ready, _, _ = select.select([self._own], [], [], max(0.0, until - time.monotonic()))
        try:
            found = os.read(self._own, 65536) if ready else b""
        except OSError:  # nobody has the other end any more
            return False
        self.shown += found.decode(errors="replace")
        return bool(found)


@pytest.mark.parametrize("shell", SHELLS)
def test_commands_options_values_and_files_are_completed(shell: str, tmp_path: Path) -> None:
    shutil.copy(TOPOLOGIES / "section-5.4.yaml", tmp_path / "mine.yaml")
    with Terminal(shell, tmp_path) as terminal:
        terminal.set_up()
        terminal.type("geoplan pla\tmin\t--forma\tlis\t>lists\n")
        terminal.type("exit\n")
        terminal.wait_for_end()

    assert (tmp_path / "lists").read_text() == (TOPOLOGIES / "section-5.4.lists.txt").read_text(), terminal.shown


def completed(words: str, monkeypatch: pytest.MonkeyPatch, geoplan: Geoplan) -> list[str]:
    """Return what is offered for the last word of a line."""
    monkeypatch.setenv("_GEOPLAN_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split(" ")) - 1))
    outcome = geoplan()
    assert (outcome.code, outcome.stderr) == (0, ""), outcome
    return outcome.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("geoplan ", [f"plain,{name}" for name in COMMANDS]),
        ("geoplan st", ["plain,status"]),
        ("geoplan export ", ["plain,ansible", "plain,cloudformation"]),
        ("geoplan check a.yaml --format s", ["plain,sarif"]),
        ("geoplan check a.yaml b", ["file,b"]),
        ("geoplan push --und", ["plain,--undo"]),
        ("geoplan nothing --", []),
        ("geoplan plan --nothing x ", ["file,"]),
        ("geoplan push 'a", []),
    ],
)
def test_what_is_offered(words: str, offered: list[str], monkeypatch: pytest.MonkeyPatch, geoplan: Geoplan) -> None:
    if words.startswith("geoplan push '"):
        assert set(completed(words, monkeypatch, geoplan)) <= {"file,a"}
        return
    assert [each for each in completed(words, monkeypatch, geoplan) if not each.startswith("plain,-")] == [
        each for each in offered if not each.startswith("plain,-")
    ]
    assert {each for each in offered if each.startswith("plain,-")} <= set(completed(words, monkeypatch, geoplan))


@pytest.mark.parametrize("asked", ["bash_complete", "csh_source", "bash_nothing", ""])
def test_whoever_asks_and_is_no_shell_is_refused(asked: str, monkeypatch: pytest.MonkeyPatch, geoplan: Geoplan) -> None:
    monkeypatch.setenv("_GEOPLAN_COMPLETE", asked)

    assert geoplan("--version") == (2, "", "")


def test_commands_are_offered_without_importing_them() -> None:
    script = "import sys; from geoplan.cli import run; run([]); print(*sys.modules)"
    environment = {"_GEOPLAN_COMPLETE": "bash_complete", "COMP_WORDS": "geoplan ", "COMP_CWORD": "1"}
    printed = subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | environment,
    ).stdout

    assert "plain,status" in printed
    assert "geoplan.cli.commands" not in printed
