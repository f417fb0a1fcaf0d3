"""What all tests share: the command line run in this process, and the places of the example files."""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import WorkStealingScheduling

from geoplan.cli import run
from tests.loopback.guard import hold_to_loopback

ROOT = Path(__file__).parent.parent
TOPOLOGIES = ROOT / "topologies"
LOOPBACK = ROOT / "tests" / "loopback"

settings.register_profile("geoplan", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fast", settings.get_profile("geoplan"), max_examples=15)
settings.load_profile("geoplan")


hold_to_loopback()

# Tests start geoplan hundreds of times, each in a process of its own: it is compiled once, not in each of them.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

YOUNG_OBJECTS = 20_000  # new ones, after which Python looks for garbage; after 700 as usual is during each topology


def pytest_configure(config: pytest.Config) -> None:
    """Hold to loopback what tests start: Python runs ``sitecustomize`` from there. A controller starts only workers."""
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", default=None):
        given = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = os.pathsep.join([str(LOOPBACK), *([given] if given else [])])


@pytest.hookimpl(optionalhook=True)  # it is of pytest-xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> WorkStealingScheduling:
    """Let a worker that is done take tests from another one: else the slow ones at the end wait behind each other."""
    return WorkStealingScheduling(config, log)


def pytest_collection_finish() -> None:
    """Keep thousands of collected tests out of every search for garbage: they live until the end."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 10, 10)


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
