"""Commands in processes of their own, whose time runs fast: forked from one that has loaded everything."""

from __future__ import annotations

import asyncio
import json
import logging
import multiprocessing
import os
import resource
import selectors
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from geoplan.cli import run
from geoplan.live.polling import SystemClock

SPEED = 40
"""So many seconds pass for the command in one of the computer's: 20 s of patience are over after half of one."""
_speed = [SPEED]  # of this process
PATIENCE_SECONDS = 120
NAMES = ("output", "log", "report")
MAX_MEMORY = 300 * 1024  # KiB

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.hostile.preloaded"])


class Ended(NamedTuple):
    """How a command ended, all that it said, and what it needed."""

    code: int
    said: str
    logged: str
    memory: int
    """KiB at most."""


class FastSelector(selectors.DefaultSelector):
    """Waits as long as the loop's clock says, which runs fast."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(None if timeout is None else timeout / _speed[0])


class FastLoop(asyncio.SelectorEventLoop):
    """The injected clock: every time-out and every pause of a command is one of its loop's."""

    def __init__(self) -> None:
        super().__init__(FastSelector())

    def time(self) -> float:
        return time.monotonic() * _speed[0]


class FastPolicy(asyncio.DefaultEventLoopPolicy):
    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        return FastLoop()


class FastClock(SystemClock):
    def now(self) -> float:
        return time.monotonic() * _speed[0]


def command(arguments: list[str], environment: Mapping[str, str], folder: Path, *, speed: int = SPEED) -> Ended:
    """Run a command to its end."""
    output, log, report = (folder / name for name in NAMES)
    process: Any = _FORKS.Process(target=_run, args=(arguments, dict(environment), folder, speed))
    process.start()
    try:
        process.join(PATIENCE_SECONDS)
        assert process.exitcode is not None, f"still at it: {output.read_text()[-2000:]}"
    finally:
        process.kill()
        process.join()
    memory = json.loads(report.read_text())["memory"] if report.exists() else 0
    return Ended(process.exitcode, output.read_text(), log.read_text(), memory)


def _run(arguments: list[str], environment: Mapping[str, str], folder: Path, speed: int) -> None:
    output, log, report = (folder / name for name in NAMES)
    _speed[0] = speed
    os.environ.clear()
    os.environ.update(environment)
    opened = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
    os.dup2(opened, 1)
    os.dup2(opened, 2)
    logging.basicConfig(filename=log, level=logging.DEBUG)
    asyncio.set_event_loop_policy(FastPolicy())
    SystemClock.now = FastClock.now  # type: ignore[method-assign, assignment]
    code = run(arguments)
    report.write_text(json.dumps({"memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))
    sys.exit(code)
