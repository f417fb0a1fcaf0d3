"""Files read and written safely: never more than a limit, never half of one, never for other eyes.

Whoever calls these says what a file is for; :func:`read_bounded` alone turns what the system refuses into an error
for people, since every reader says the same.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

from geoplan.errors import UnusableFileError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO, TextIO

STDIN = "-"
PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600
MAX_LINKS = 40  # as many as Linux follows
_LONGEST_PREFIX = 60  # of the name of a file that is being written: a name of its own may be as long as names can be
_DESCRIPTORS = Path("/dev/fd")
_KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)
# A named pipe that nobody writes to would be waited for, and a terminal become the process's own.
_AT_ONCE = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)


def read_bounded(
    path: str | os.PathLike[str],
    max_bytes: int,
    *,
    name: str | None = None,
    check: Callable[[os.stat_result], None] | None = None,
    is_stdin_allowed: bool = False,
) -> bytes:
    """Read a regular file, and of one that is too large no more than one byte above the limit, which shows that it is.

    ``check`` gets the status of the very file that is read, whatever its path names later. With ``is_stdin_allowed``
    the path ``-`` is standard input, and so is what a shell hands over under /dev/fd: both are read to their end,
    whatever they are. Raises :class:`UnusableFileError`, which calls the file ``name``, or by its path, where it
    cannot be read.
    """
    try:
        if is_stdin_allowed and is_standard_input(path):
            return _read_standard_input(max_bytes + 1, check)
        with _opened(path, descriptor_of(path) if is_stdin_allowed else None) as file:
            _check(file, check)
            return file.read(max_bytes + 1)
    except (OSError, ValueError) as error:
        reason, hint = getattr(error, "strerror", None) or str(error), "check the path and its permissions"
        if isinstance(error, _KindError) and is_stdin_allowed:
            hint = "name a regular file, or - for standard input"
        if isinstance(error, _ClosedError):
            hint = "name a file, or let standard input come from a file or another command"
        raise UnusableFileError(f"cannot read {name or display_name(path)}: {reason}", hint=hint) from None


def display_name(path: str | os.PathLike[str]) -> str:
    """Return what messages call a file."""
    return "stdin" if str(path) == STDIN else str(path)


def is_standard_input(path: str | os.PathLike[str]) -> bool:
    """Return whether a path means standard input: ``-``, /dev/stdin and what leads there."""
    return str(path) == STDIN or descriptor_of(path) == 0


def descriptor_of(path: str | os.PathLike[str]) -> int | None:
    """Return which open file of this process a path such as /dev/stdout or /dev/fd/63 leads to, or None."""
    place = Path(path)
    try:
        descriptors = _DESCRIPTORS.resolve(strict=True)
        for _ in range(MAX_LINKS):
            if re.fullmatch("[0-9]{1,9}", place.name) and place.parent.resolve() == descriptors:
                return int(place.name)
            if not place.is_symlink():
                return None
            place = place.parent / place.readlink()
    except (OSError, ValueError, RuntimeError):
        pass
    return None


class OtherFileError(FileExistsError):
    """A file that was to be replaced is not what it was when it was read."""


def write_atomically(
    path: Path,
    content: bytes,
    *,
    may_replace: bool = True,
    instead_of: bytes | None = None,
    is_private: bool = False,
) -> None:
    """Write a file as a whole or not at all: nobody ever reads half of it, and it is on disk when this returns.

    A file that is replaced keeps its permissions, unless it ``is_private``: then only its owner can read it. What is
    no file, such as a device or a pipe, is written to. A link is followed. ``instead_of`` is what the file held when it
    was read: raises :class:`OtherFileError` where it holds anything else by now, or is gone. Without ``may_replace``
    what is there stays, be it a link to nothing: raises :class:`FileExistsError`. Raises :class:`OSError` where the
    system refuses.
    """
    if may_replace and _written_straight(path, content):
        return
    target = Path(os.path.realpath(path)) if may_replace else path
    import tempfile  # noqa: PLC0415 - its own imports take long, and few commands write a file

    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}."[:_LONGEST_PREFIX])
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(PRIVATE_FILE if is_private else _mode_for(target))
        if not may_replace:
            _link(Path(name), target)
            return
        if instead_of is not None and not _holds(target, instead_of):
            raise OtherFileError(errno.EEXIST, "it has been changed since it was read")
        Path(name).replace(target)
    finally:
        with suppress(OSError):
            Path(name).unlink()


def _holds(target: Path, content: bytes) -> bool:
    try:
        return target.read_bytes() == content
    except FileNotFoundError:
        return False


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
    except OSError:  # a file system without links: its name is taken first, so that nobody else's is lost
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        written.replace(target)


def _mode_for(target: Path) -> int:
    """Return the permissions of the file that is replaced, or those that a new file gets."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


class ClosedInput(TextIOWrapper):
    """What stands for standard input where that was closed: nobody can be asked on it, and it is no empty file.

    It takes the number of standard input, so that no file that is opened later is taken for that.
    """

    def __init__(self) -> None:
        super().__init__(Path(os.devnull).open("rb"))  # noqa: SIM115 - open to the end


class _KindError(OSError):
    """What a path names is no regular file."""


class _ClosedError(OSError):
    """Standard input is closed."""


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a regular file of any size, for who reads it part by part.

    Raises :class:`OSError`, without waiting, for anything else, a pipe that nobody writes to among it.
    """
    return _opened(path, None)


def _opened(path: str | os.PathLike[str], descriptor: int | None) -> BinaryIO:
    """Open a regular file, or what is open already. Raises :class:`_KindError` for anything else, without waiting."""
    if descriptor is not None:
        return os.fdopen(os.dup(descriptor), "rb")
    handle = os.open(path, os.O_RDONLY | _AT_ONCE)
    status = os.fstat(handle)
    if stat.S_ISDIR(status.st_mode):
        os.close(handle)
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if kind := kind_of(status):
        os.close(handle)
        raise _KindError(errno.EINVAL, f"it is {kind}, and no regular file")
    return os.fdopen(handle, "rb")


def kind_of(status: os.stat_result) -> str | None:
    """Name what is no regular file, with its article, or return None for one that is."""
    if stat.S_ISREG(status.st_mode):
        return None
    return next((kind for is_kind, kind in _KINDS if is_kind(status.st_mode)), "something else")


def _read_standard_input(at_most: int, check: Callable[[os.stat_result], None] | None) -> bytes:
    if sys.stdin is None or isinstance(sys.stdin, ClosedInput):
        raise _ClosedError(errno.EBADF, "it is closed")
    with suppress(OSError):  # it need not be a file of the system's
        _check(sys.stdin, check)
    return sys.stdin.buffer.read(at_most) or b""  # nothing where it neither has any nor waits


def _check(file: BinaryIO | TextIO, check: Callable[[os.stat_result], None] | None) -> None:
    """Check a regular file; what a shell hands over as a pipe has no permissions that anybody chose."""
    status = os.fstat(file.fileno())
    if check is not None and stat.S_ISREG(status.st_mode):
        check(status)


def _written_straight(path: Path, content: bytes) -> bool:
    """Write to what a path names and return True, unless that is a regular file or nothing yet."""
    number = descriptor_of(path)
    if number is None:
        if not path.exists() or path.is_file():
            return False
        handle = os.open(path, os.O_WRONLY | getattr(os, "O_NOCTTY", 0))
    else:
        handle = os.dup(number)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    return True
