"""The lab as a process: signals, the endpoints file and the request log."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from geoplan.lab.errors import LabError
from geoplan.lab.requestlog import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from geoplan.lab.lab import Lab

STOPPING = (signal.SIGINT, signal.SIGTERM)


def serve(lab: Lab, *, announce: Callable[[], None], endpoints: str | None = None, log_requests: bool = True) -> None:
    """Run a lab until SIGINT or SIGTERM; both stop it cleanly.

    The endpoints file is there while everything answers, and only then: one of an earlier run is removed first, and
    its own is removed at the end. ``announce`` is called just before it is written.
    """
    if log_requests:
        _log_to_stderr()
    asyncio.run(_serve(lab, announce, Path(endpoints) if endpoints else None))


async def _serve(lab: Lab, announce: Callable[[], None], endpoints: Path | None) -> None:
    stopped = asyncio.Event()
    with _on_signals(stopped.set):
        if endpoints:
            _remove(endpoints)
        async with lab:
            announce()
            written = lab.endpoints.to_yaml()
            if endpoints:
                _write(endpoints, written)
            try:
                await stopped.wait()
            finally:
                if endpoints and _read(endpoints) == written:  # another lab may have written its own there since
                    _remove(endpoints)


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


def _write(path: Path, content: str) -> None:
    """Write a file as a whole: whoever waits for it never reads half of it."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(content)
            Path(name).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise LabError(f"cannot write {path}: {error.strerror or error}", hint="choose another FILE") from None


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise LabError(f"cannot replace {path}: {error.strerror or error}", hint="choose another FILE") from None


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s.%(msecs)03d %(message)s", "%H:%M:%S"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
