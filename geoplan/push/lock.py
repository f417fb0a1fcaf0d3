"""One push at a time on a topology."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from geoplan.errors import PushRefusedError
from geoplan.push.places import PRIVATE_FILE

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def only_push(folder: Path) -> Iterator[None]:
    """Hold the topology's lock while the block lasts; the system frees it when the process ends, however it ends.

    Raises :class:`PushRefusedError` while another push holds it.
    """
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    try:
        if not _try_lock(handle):
            holder = os.read(handle, 100).decode(errors="replace").strip()
            raise PushRefusedError(
                f"another push on this topology is running{f' ({holder})' if holder else ''}",
                hint="wait until it has ended",
            )
        os.ftruncate(handle, 0)
        os.lseek(handle, 0, os.SEEK_SET)
        os.write(handle, f"process {os.getpid()}\n".encode())
        yield
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
