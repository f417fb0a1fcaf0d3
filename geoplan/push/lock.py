"""One push at a time on a unit, whatever its topology is called and wherever its journals are kept.

All units of a user on a machine share one lock file, in which each has a byte of its own, at a place that follows from
its key. So a push of any size has one file open, and the system frees everything when the process ends, however it
ends. Such locks belong to a process: it must never have the file open twice, since closing either would free all, and
two pushes in one process would not keep each other out. So each process has one table of what it holds; that is the
one thing here that outlives a call.

Who holds a unit stands in a file beside it, one for each push, which has a byte in the lock file as well: what a push
that died left behind is told by that byte being free.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sys
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING

from geoplan.errors import PushRefusedError, UnusableFileError
from geoplan.files import PRIVATE_FILE, read_bounded
from geoplan.push.state_dir import make_own, usable
from geoplan.wording import local_time

if sys.platform == "win32":
    import msvcrt

    _PLACES = 2**31 - 2
else:
    import fcntl

    _PLACES = 2**62

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path


WAIT = "wait until it has ended"
_KEPT = (
    "the locks of units",
    "let XDG_STATE_HOME name a folder that you can write to; without locks nothing is changed",
)
_HELD = frozenset({errno.EACCES, errno.EAGAIN, errno.EDEADLK})
_LOOKS = 5  # somebody who only looks whether a unit is held has its byte for a moment
_SECONDS_BETWEEN_LOOKS = 0.02
_MAX_HOLDER_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds units."""

    process: int
    who: str
    topology: str
    since: str
    """The local time at which it began, as people write it."""

    def __str__(self) -> str:
        return f"'{self.topology}', process {self.process} of {self.who}, since {self.since}"


class _LockFile:
    """The lock file of a folder as this process has it open, with all places that it holds there."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "units.lock"
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        self._handle = os.open(self._path, flags, PRIVATE_FILE)
        self._held: set[int] = set()

    def close(self) -> None:
        os.close(self._handle)

    @property
    def is_idle(self) -> bool:
        return not self._held

    def try_lock(self, place: int) -> bool:
        """Hold one place, unless it is held, by this process or another."""
        if place in self._held:
            return False
        try:
            if sys.platform == "win32":
                os.lseek(self._handle, place, os.SEEK_SET)
                msvcrt.locking(self._handle, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.lockf(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except OSError as error:
            if error.errno in _HELD:
                return False
            raise UnusableFileError(
                f"cannot lock units in {self._path.parent}: {error.strerror or error} (no locks on its file system?)",
                hint="let XDG_STATE_HOME name a folder on a disk of this machine; without locks nothing is changed",
            ) from None
        self._held.add(place)
        return True

    def unlock(self, place: int) -> None:
        self._held.discard(place)
        if sys.platform == "win32":
            os.lseek(self._handle, place, os.SEEK_SET)
            msvcrt.locking(self._handle, msvcrt.LK_UNLCK, 1)
        else:
            fcntl.lockf(self._handle, fcntl.LOCK_UN, 1, place)


_TABLE: dict[Path, _LockFile] = {}
_GUARD = threading.RLock()


@contextmanager
def _open(folder: Path) -> Iterator[_LockFile]:
    """Have a folder's lock file open once in this process; it is closed when nothing in it is held any more."""
    with _GUARD:
        with usable(folder, *_KEPT):
            make_own(folder)
            resolved = folder.resolve()
            file = _TABLE.get(resolved) or _TABLE.setdefault(resolved, _LockFile(resolved))
        try:
            yield file
        finally:
            if file.is_idle:
                del _TABLE[resolved]
                file.close()


@contextmanager
def try_to_lock(folder: Path, keys: Mapping[str, str], topology: str, who: str) -> Iterator[str | None]:
    """Hold units, named by their addresses, while the block lasts; or yield why that cannot be, and hold none.

    Whoever is refused meanwhile learns that this is the push of ``topology`` by ``who``. The system frees all of them
    when the process ends. Raises :class:`UnusableFileError` where the folder cannot be used, or has no locks.
    """
    holder = Holder(os.getpid(), who, topology, since=local_time(datetime.now(UTC)))
    taken: set[int] = set()
    announced: Path | None = None
    try:
        refusal = _take(folder, keys, taken)
        if refusal is None:
            announced = _announce(folder, holder, keys.values(), taken)
        yield refusal
    finally:
        if announced:
            with suppress(OSError):
                announced.unlink()
        _free(folder, taken)


def holder_of(folder: Path, keys: Mapping[str, str]) -> str | None:
    """Return which push holds any of these units now, or None where none does."""
    if not folder.is_dir():
        return None
    taken: set[int] = set()
    with suppress(UnusableFileError):
        try:
            return _take(folder, keys, taken, looks=1)
        finally:
            _free(folder, taken)
    return None


@contextmanager
def only_push(folder: Path, keys: Mapping[str, str], topology: str, who: str) -> Iterator[None]:
    """Hold units as :func:`try_to_lock` does. Raises :class:`PushRefusedError` while another push holds one."""
    with try_to_lock(folder, keys, topology, who) as refusal:
        if refusal:
            raise PushRefusedError(refusal, hint=WAIT)
        yield


def _take(folder: Path, keys: Mapping[str, str], taken: set[int], looks: int = _LOOKS) -> str | None:
    """Take all units, in the order of addresses; return who has one of them, and then none is taken."""
    for look in range(looks):
        if look:
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        with _open(folder) as file:
            held = _take_now(file, keys, taken)
            if held is None:
                return None
            holder = _find_holder(folder, file, keys[held])
        if holder:
            break
    return f"another push is running on {held}{f': {holder}' if holder else ''}"


def _take_now(file: _LockFile, keys: Mapping[str, str], taken: set[int]) -> str | None:
    for address in sorted(keys, key=_by_address):
        place = _place(keys[address])
        if place in taken:
            continue
        if not file.try_lock(place):
            for earlier in taken:
                file.unlock(earlier)
            taken.clear()
            return address
        taken.add(place)
    return None


def _free(folder: Path, taken: set[int]) -> None:
    if taken:
        with _open(folder) as file:
            for place in taken:
                file.unlock(place)
        taken.clear()


def _announce(folder: Path, holder: Holder, keys: Iterable[str], taken: set[int]) -> Path:
    holders = folder / "holders"
    with _open(folder) as file, usable(folder, *_KEPT):
        make_own(holders)
        for number in range(sys.maxsize):
            path = holders / f"{holder.process}-{number}.json"
            if file.try_lock(place := _place(path.name)):
                taken.add(place)
                break
        path.unlink(missing_ok=True)  # what a process of the same number left
        content = {**asdict(holder), "units": sorted(keys)}
        path.touch(PRIVATE_FILE)
        path.write_text(json.dumps(content, ensure_ascii=True), "ascii")
    return path


def _find_holder(folder: Path, file: _LockFile, key: str) -> Holder | None:
    """Return the running push that names a unit; what others that died have left is removed."""
    for path in sorted((folder / "holders").glob("*.json")):
        place = _place(path.name)
        if file.try_lock(place):
            with suppress(OSError):
                path.unlink()
            file.unlock(place)
            continue
        found = _read_holder(path, key)
        if found:
            return found
    return None


def _read_holder(path: Path, key: str) -> Holder | None:
    try:
        content = json.loads(read_bounded(path, _MAX_HOLDER_BYTES))
        if key in content["units"]:
            return Holder(int(content["process"]), *(str(content[name]) for name in ("who", "topology", "since")))
    except (UnusableFileError, ValueError, TypeError, KeyError, RecursionError):  # it is just being written, or removed
        pass
    return None


def _place(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode(errors="surrogatepass")).digest()[:8]) % _PLACES


def _by_address(address: str) -> tuple[int, int, str]:
    try:
        found = ip_address(address)
    except ValueError:
        return (0, 0, address)
    return (found.version, int(found), "")
