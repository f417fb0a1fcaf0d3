"""What all tests share: the command line run in this process, and the places of the example files."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings

from geoplan.cli import run

ROOT = Path(__file__).parent.parent
TOPOLOGIES = ROOT / "topologies"

settings.register_profile("geoplan", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("geoplan")


class Outcome(NamedTuple):
    """What a command printed and how it ended."""

    code: int
    stdout: str
    stderr: str


@pytest.fixture(autouse=True)
def _own_locks(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the locks of units with the test that takes them: they lie in one place for each user."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("user")))


Geoplan = Callable[..., Outcome]


@pytest.fixture
def geoplan(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Geoplan:
    """Run a geoplan command; ``stdin`` is what it finds on standard input."""

    def command(*arguments: str | Path, stdin: str | bytes = b"") -> Outcome:
        content = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Outcome(code, printed.out, printed.err)

    return command
