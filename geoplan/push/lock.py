"""One push at a time on a topology."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from geoplan.errors import PushRefusedError, UnusableFileError
from geoplan.push.places import PRIVATE_FILE, usable

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


WAIT = "wait until it has ended"


@contextmanager
def only_push(folder: Path) -> Iterator[None]:
    """Hold the topology's lock while the block lasts; the system frees it when the process ends, however it ends.

    Raises :class:`PushRefusedError` while another push holds it.
    """
    with try_to_be_only_push(folder) as refusal:
        if refusal:
            raise PushRefusedError(refusal, hint=WAIT)
        yield


@contextmanager
def try_to_be_only_push(folder: Path, *, announced: bool = True) -> Iterator[str | None]:
    """Hold the topology's lock as :func:`only_push` does, or yield why it cannot be had.

    Whoever is refused meanwhile learns who holds it, where that is ``announced``.
    """
    with usable(folder):
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    try:
        if not _try_lock(handle):
            holder = os.read(handle, 100).decode(errors="replace").strip()
            yield f"another push on this topology is running{f' ({holder})' if holder else ''}"
            return
        if announced:
            os.ftruncate(handle, 0)
            os.lseek(handle, 0, os.SEEK_SET)
            os.write(handle, f"process {os.getpid()}\n".encode())
        yield None
    finally:
        os.close(handle)


def holder(folder: Path) -> str | None:
    """Say which push on a topology is running now, or nothing where none is."""
    with suppress(UnusableFileError), try_to_be_only_push(folder, announced=False) as refusal:
        return refusal
    return None


def _try_lock(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
