"""The lab as a process: signals, and what it writes while it serves."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from geoplan.lab.request_log import logger
from geoplan.lab.serve.endpoints import endpoints_file, make_room

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from geoplan.lab.lab import Lab

HANGUP = getattr(signal, "SIGHUP", signal.SIGTERM)  # of a session that is lost; not every system has it
STOPPING = tuple(dict.fromkeys((signal.SIGINT, signal.SIGTERM, HANGUP)))


def serve(lab: Lab, *, announce: Callable[[], None], endpoints: str | None = None, log_requests: bool = True) -> None:
    """Run a lab until SIGINT, SIGTERM or the end of its session (SIGHUP); each stops it cleanly.

    The endpoints file is there while everything answers, and only then: one of an earlier run is removed first, and
    its own is removed at the end. ``announce`` is called just before it is written. Raises :class:`LabError` where
    the lab cannot start, the file cannot be written, or it belongs to a lab that still serves. Once a signal has
    stopped the lab all stay ignored: a second Ctrl-C must not spoil the exit of the process. A hangup that was ignored
    before, as under ``nohup``, stays so.
    """
    with _request_log(sys.stderr) if log_requests else nullcontext():
        asyncio.run(_serve(lab, announce, Path(endpoints) if endpoints else None))


async def _serve(lab: Lab, announce: Callable[[], None], endpoints: Path | None) -> None:
    stopped = asyncio.Event()
    with _on_signals(stopped.set):
        if endpoints:
            await asyncio.to_thread(make_room, endpoints)
        async with lab:
            announce()
            with endpoints_file(endpoints, lab.endpoints) if endpoints else nullcontext():
                await stopped.wait()


@contextmanager
def _on_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call ``stop`` on a signal in place of what else it would do."""
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in STOPPING}
    if before.get(HANGUP) is signal.SIG_IGN:  # as under nohup
        del before[HANGUP]
    received = False

    def handle(*_: object) -> None:
        nonlocal received
        received = True
        loop.call_soon_threadsafe(stop)

    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        if received:
            _ignore_signals()
        else:
            for number, handler in before.items():
                signal.signal(number, handler)


def _ignore_signals() -> None:
    """Ignore further signals until the process has ended, also while the interpreter takes itself apart."""
    if hasattr(signal, "pthread_sigmask"):  # none may arrive in between, which Python would complain of
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)


@contextmanager
def _request_log(stream: TextIO) -> Iterator[None]:
    """Write a line for each request."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(asctime)s.%(msecs)03d %(message)s", "%H:%M:%S"))
    level, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate
