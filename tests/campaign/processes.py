"""Pushes in processes of their own, which can be killed: forked from one that has loaded everything."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from geoplan.cli import run
from tests.push.support import CREDENTIALS, PASSWORD, PATIENCE_SECONDS, Site

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.campaign.preloaded"])


class Ended(NamedTuple):
    """How a push ended, and all that it said."""

    code: int
    said: str


class Running(NamedTuple):
    """A push that goes on meanwhile."""

    process: multiprocessing.process.BaseProcess
    output: Path

    def kill(self) -> None:
        """Let it die at once: as with ``kill -9``."""
        assert self.process.pid
        os.kill(self.process.pid, signal.SIGKILL)

    def wait(self) -> Ended:
        """Wait until it has come to its end."""
        self.process.join(PATIENCE_SECONDS)
        assert self.process.exitcode is not None, self.output.read_text()
        return Ended(self.process.exitcode, self.output.read_text())


def environment_for(site: Site) -> dict[str, str]:
    """Return the environment of a push to a site's lab."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GEOPLAN_")}
    return kept | {
        "GEOPLAN_USER": CREDENTIALS.user,
        "GEOPLAN_PASSWORD": PASSWORD,
        "GEOPLAN_STATE_DIR": str(site.state),
    }


def arguments_for(site: Site) -> list[str]:
    """Return the arguments of a push to a site's lab."""
    return ["push", str(site.topology), "--endpoints", str(site.endpoints), "--yes", "--accept-geo-merge"]


@contextmanager
def pushing(site: Site, *options: str) -> Iterator[Running]:
    """Push while the block goes on; what still runs at its end is killed."""
    output = site.topology.parent / "output"
    arguments = (arguments_for(site) + list(options), environment_for(site), output)
    process = _FORKS.Process(target=_push, args=arguments)
    process.start()
    try:
        yield Running(process, output)
    finally:
        process.kill()
        process.join()


def push(site: Site, *options: str) -> Ended:
    """Push to the end."""
    with pushing(site, *options) as running:
        return running.wait()


def _push(arguments: list[str], environment: Mapping[str, str], output: Path) -> None:
    os.environ.clear()
    os.environ.update(environment)
    opened = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
    os.dup2(opened, 1)
    os.dup2(opened, 2)
    sys.exit(run(arguments))
