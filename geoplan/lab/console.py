"""The lab as a process: signals, the endpoints file and the request log."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import stat
import sys
import tempfile
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from geoplan.lab.errors import LabError
from geoplan.lab.requestlog import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from geoplan.lab.lab import Lab

BEGINNING = b"units:\n"  # of every endpoints file
STOPPING = (signal.SIGINT, signal.SIGTERM)


def serve(lab: Lab, *, announce: Callable[[], None], endpoints: str | None = None, log_requests: bool = True) -> None:
    """Run a lab until SIGINT or SIGTERM; both stop it cleanly.

    The endpoints file is there while everything answers, and only then: one of an earlier run is removed first, and
    its own is removed at the end. ``announce`` is called just before it is written. Raises :class:`LabError` where
    the lab cannot start or the file cannot be written.
    """
    with _request_log(sys.stderr) if log_requests else nullcontext():
        asyncio.run(_serve(lab, announce, Path(endpoints) if endpoints else None))


async def _serve(lab: Lab, announce: Callable[[], None], endpoints: Path | None) -> None:
    stopped = asyncio.Event()
    with _on_signals(stopped.set):
        if endpoints:
            _make_room(endpoints)
        async with lab:
            announce()
            with _endpoints_file(endpoints, lab.endpoints.to_yaml()) if endpoints else nullcontext():
                await stopped.wait()


@contextmanager
def _on_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call ``stop`` on a signal in place of what else it would do."""
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in STOPPING}
    for number in STOPPING:
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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


@contextmanager
def _endpoints_file(path: Path, content: str) -> Iterator[None]:
    """Keep the file there; it goes at the end, unless another lab has written its own in its place."""
    try:
        _write(path, content)
    except OSError as error:
        raise LabError(f"cannot write {path}: {error.strerror or error}", hint="choose another FILE") from None
    try:
        yield
    finally:
        with suppress(OSError, UnicodeDecodeError):
            if path.read_text(encoding="utf-8") == content:
                path.unlink()


def _make_room(path: Path) -> None:
    """Remove the endpoints file of an earlier run; anything else of that name is not the lab's to remove."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode) or not path.read_bytes().startswith(BEGINNING):
            raise LabError(f"{path} exists and is no endpoints file", hint="choose another FILE, or remove it yourself")
        path.unlink()
    except FileNotFoundError:
        return
    except OSError as error:
        raise LabError(f"cannot replace {path}: {error.strerror or error}", hint="choose another FILE") from None


def _write(path: Path, content: str) -> None:
    """Write a file as a whole: whoever waits for it never reads half of it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
