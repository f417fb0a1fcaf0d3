"""The lab as a process: signals, the endpoints file and the request log."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import signal
import stat
import sys
import tempfile
import urllib.request
from contextlib import contextmanager, nullcontext, suppress
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from geoplan.lab.errors import LabError
from geoplan.lab.serve.request_log import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from geoplan.lab.lab import Lab

BEGINNING = b"units:\n"  # of every endpoints file
CONTROL = re.compile(r"^control: (http://127\.0\.0\.1:\d+)$", re.MULTILINE)
PATIENCE_SECONDS = 2  # for another lab's control endpoint
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
            await asyncio.to_thread(_make_room, endpoints)
        async with lab:
            announce()
            with _endpoints_file(endpoints, lab.endpoints.to_yaml()) if endpoints else nullcontext():
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


@contextmanager
def _endpoints_file(path: Path, content: str) -> Iterator[None]:
    """Keep the file there; it goes at the end, unless another lab has written its own in its place."""
    try:
        _write(path, content)
    except FileExistsError:
        raise LabError(f"{path} has meanwhile been written by another", hint="choose another FILE") from None
    except OSError as error:
        raise LabError(f"cannot write {path}: {error.strerror or error}", hint="choose another FILE") from None
    try:
        yield
    finally:
        with suppress(OSError, UnicodeDecodeError):
            if path.read_text(encoding="utf-8") == content:
                path.unlink()


def _make_room(path: Path) -> None:
    """Remove the endpoints file of a lab that has ended; anything else of that name is not the lab's to remove."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode) or not path.read_bytes().startswith(BEGINNING):
            raise LabError(f"{path} exists and is no endpoints file", hint="choose another FILE, or remove it yourself")
        control = _control_of(path)
        if control and _still_answers(control):
            raise LabError(
                f"{path} belongs to another lab, which still answers at {control}",
                hint="choose another FILE, or stop that lab first",
            )
        path.unlink()
    except FileNotFoundError:
        return
    except OSError as error:
        raise LabError(f"cannot replace {path}: {error.strerror or error}", hint="choose another FILE") from None


def _control_of(path: Path) -> str | None:
    """Return the control endpoint that an endpoints file names, where it is one on loopback."""
    found = CONTROL.search(path.read_text(encoding="utf-8", errors="replace"))
    return found[1] if found else None


def _still_answers(control: str) -> bool:
    """Tell whether a lab answers there; silence counts as one, since a lab may be suspended."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{control}/state", timeout=PATIENCE_SECONDS) as answer:
            state = json.loads(answer.read())
    except TimeoutError:
        return True
    except (OSError, HTTPException, ValueError):
        return False
    return isinstance(state, dict) and "units" in state


def _write(path: Path, content: str) -> None:
    """Write a new file as a whole: whoever waits for it never reads half of it. What is there already stays."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
        try:
            path.hardlink_to(name)
        except FileExistsError:
            raise
        except OSError:  # a file system without links
            Path(name).replace(path)
    finally:
        with suppress(OSError):
            Path(name).unlink()
