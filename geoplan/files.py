"""Files read and written safely: never more than a limit, never half of one, never for other eyes.

Whoever calls these says what a file is for; :func:`read_bounded` alone turns what the system refuses into an error
for people, since every reader says the same.
"""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from geoplan.errors import UnusableFileError

if TYPE_CHECKING:
    from collections.abc import Callable

STDIN = "-"
PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600


def read_bounded(
    path: str | os.PathLike[str],
    max_bytes: int,
    *,
    name: str | None = None,
    check: Callable[[os.stat_result], None] | None = None,
    is_stdin_allowed: bool = False,
) -> bytes:
    """Read a file, and of one that is too large no more than one byte above the limit, which shows that it is.

    ``check`` gets the status of the very file that is read, whatever its path names later. With ``is_stdin_allowed``
    the path ``-`` is standard input. Raises :class:`UnusableFileError`, which calls the file ``name``, or by its path,
    where it cannot be read.
    """
    try:
        if is_stdin_allowed and str(path) == STDIN:
            return sys.stdin.buffer.read(max_bytes + 1)
        with Path(path).open("rb") as file:
            if check is not None:
                check(os.fstat(file.fileno()))
            return file.read(max_bytes + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnusableFileError(
            f"cannot read {name or path}: {reason}", hint="check the path and its permissions"
        ) from None


def write_atomically(path: Path, content: bytes, *, may_replace: bool = True) -> None:
    """Write a file as a whole or not at all: nobody ever reads half of it, and it is on disk when this returns.

    A file that is replaced keeps its permissions; what is no file, such as a device or a pipe, is written to. A link
    is followed. Without ``may_replace`` a new file is only its owner's, and one that is there stays: raises
    :class:`FileExistsError`. Raises :class:`OSError` where the system refuses.
    """
    target = Path(os.path.realpath(path)) if may_replace else path
    if may_replace and target.exists() and not target.is_file():
        target.write_bytes(content)
        return
    import tempfile  # noqa: PLC0415 - its own imports take long, and few commands write a file

    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if may_replace:
            Path(name).chmod(_mode_for(target))
            Path(name).replace(target)
        else:
            _link(Path(name), target)
    finally:
        with suppress(OSError):
            Path(name).unlink()


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that only its owner can read; it and its name are on disk when this returns."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), PRIVATE_FILE)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def make_private(folder: Path) -> Path:
    """Make a folder that only its owner can look into, and all that lead to it."""
    for missing in reversed([place for place in (folder, *folder.parents) if not place.exists()]):
        missing.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    folder.chmod(PRIVATE_FOLDER)
    return folder


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on disk, where the system can do that."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _link(written: Path, target: Path) -> None:
    try:
        target.hardlink_to(written)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        written.replace(target)


def _mode_for(target: Path) -> int:
    """Return the permissions of the file that is replaced, or those that a new file gets."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
