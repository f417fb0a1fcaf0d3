"""What a push did, on disk before and after every change, so that another process can go on from it.

Append-only JSON lines; :mod:`geoplan.push.records` has every kind of them. ``begin`` has the plan, its checksum, who
and when; ``changing`` stands before a change with what was there before, ``changed`` after it has been read back;
``rebooting``, ``resubmitted`` and ``healthy`` tell how far a pair has come. A push is unfinished until there is an
``end``.
"""

from __future__ import annotations

import getpass
import json
import os
import platform
import re
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.errors import UnusableFileError
from geoplan.files import PRIVATE_FILE, read_bounded, sync_folder, write_private
from geoplan.push import records as models
from geoplan.push.history import MOVE_AWAY, History
from geoplan.push.ledger import Ledger
from geoplan.push.state_dir import journals_folder, make_own, usable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from geoplan.live.polling import Clock
    from geoplan.plan.model import Plan
    from geoplan.push.options import Options

SUFFIX = ".jsonl"
UNITS_SUFFIX = ".units"
"""Of a small file beside each journal that lists its units: whoever looks for a unit reads these, not the journals."""
MAX_BYTES = 64 * 2**20
_NUMBER = re.compile(r"(\d{6,})[-.]")
# No link is followed, no pipe is waited for, and no system writes line ends of its own.
_AS_IT_IS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class Journal:
    """An open journal. Every record is on disk when :meth:`write` returns."""

    def __init__(self, path: Path, clock: Clock, ledger: Ledger | None = None) -> None:
        self.path = path
        self._clock = clock
        with usable(path.parent):
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _AS_IT_IS, PRIVATE_FILE)
        try:
            content = _read(path, self._handle)
            self.history = History.parse(path, _whole(content))
            """All that has been recorded up to now, which grows with every record."""
            self._size = len(_whole(content))
            self._cut_back()  # half a line, which a crash left at the end, records nothing
        except BaseException:
            os.close(self._handle)
            raise
        if ledger is None:
            ledger = Ledger()
            ledger.read(self.history)
        self.ledger = ledger
        """What the units owe and have proven, by this push and those before it; it grows with every record."""

    @classmethod
    def begin(  # noqa: PLR0913 - what a push is, and where it is written down
        cls,
        state: Path,
        plan: Plan,
        options: Options,
        clock: Clock,
        *,
        keys: Mapping[str, str] | None = None,
        ledger: Ledger | None = None,
    ) -> Journal:
        """Start the journal of a new push in a state folder, after all that are there.

        ``keys`` are the units' keys by their addresses, ``ledger`` is what earlier pushes left; without them it is a
        push to real units, and the first.
        """
        addresses = {unit.address for site in plan.sites for unit in site.units}
        units = {address: (keys or {}).get(canonical(address), canonical(address)) for address in sorted(addresses)}
        path = new_path(state, f"{clock.wall():%Y%m%dT%H%M%S}", units.values())
        journal = cls(path, clock, ledger)
        sync_folder(path.parent)
        journal.write(
            "begin",
            format=models.FORMAT,
            who=who(),
            checksum=plan.checksum,
            options=models.RecordedOptions.of(options),
            units=units,
            plan=plan.model_dump(mode="json"),
            **{name: value for name, value in options.origin._asdict().items() if value},
            **({"undoes": options.undoes} if options.undoes else {}),
            **({"reached": _reached(options)} if options.known else {}),
        )
        return journal

    @classmethod
    def resume(cls, path: Path, clock: Clock, ledger: Ledger | None = None) -> Journal:
        """Open the journal of an unfinished push to go on from it; ``ledger`` has read it already."""
        journal = cls(path, clock, ledger)
        journal.ledger.take(journal.history.begin)  # later pushes, on some of its units, may have come after it
        journal.write("resumed", who=who())
        return journal

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        os.close(self._handle)

    def write(self, event: str, **fields: object) -> None:
        """Append a record; it is on disk when this returns.

        Raises :class:`UnusableFileError` where it cannot be, and then nothing of it is left in the journal; and
        :class:`TypeError` for an event or a field that :mod:`geoplan.push.records` does not have.
        """
        record = models.make(event, self._clock.wall(), **fields)
        line = record.to_line().encode("ascii") + b"\n"
        if self._size + len(line) > MAX_BYTES:
            raise _unwritable(self.path, f"it would be larger than {MAX_BYTES // 2**20} MiB")
        try:
            self._cut_back()
            _write_all(self._handle, line)
            os.fsync(self._handle)
        except OSError as error:
            with suppress(OSError):  # then the next record does it, or whoever opens the journal next
                self._cut_back()
            raise _unwritable(self.path, error.strerror or str(error)) from None
        self._size += len(line)
        self.history.add(record)
        self.ledger.take(record)

    def _cut_back(self) -> None:
        """Leave no more than whole records."""
        if os.fstat(self._handle).st_size > self._size:
            os.ftruncate(self._handle, self._size)


def read(path: Path) -> History:
    """Read a journal without opening it for writing."""
    try:
        handle = os.open(path, os.O_RDONLY | _AS_IT_IS)
    except OSError as error:
        raise UnusableFileError(f"cannot read {path}: {error.strerror or error}") from None
    try:
        return History.parse(path, _whole(_read(path, handle)))
    finally:
        os.close(handle)


def paths(state: Path) -> tuple[Path, ...]:
    """Return the journals of a state folder in the order in which they were begun, whatever clocks said meanwhile."""
    with usable(state):
        found = [path for path in journals_folder(state).glob(f"*{SUFFIX}") if _NUMBER.match(path.name)]
    return tuple(sorted(found, key=lambda path: (_number(path), path.name)))


def histories(state: Path) -> tuple[History, ...]:
    """Return the histories of all pushes of a state folder, the oldest first."""
    return tuple(read(path) for path in paths(state))


def units_of(path: Path) -> frozenset[str]:
    """Return the keys of the units that a journal names, an empty set where it was never begun."""
    try:
        written = json.loads(read_bounded(_units_path(path), MAX_BYTES).decode("ascii"))
    except (UnusableFileError, ValueError, RecursionError):
        written = None
    if isinstance(written, list) and all(isinstance(key, str) for key in written):
        return frozenset(written)
    history = read(path)  # the small file is gone, or was left half written: the journal itself has them
    return frozenset(history.begin.units.values()) if history.records else frozenset()


def new_path(state: Path, name: str, units: Iterable[str]) -> Path:
    """Return where a new journal goes, once the list of its units is on disk: that also takes its number.

    Its number is above all that are there, so that the order of journals is the one in which they were begun.
    """
    folder = journals_folder(state)
    with usable(state):
        make_own(state)
        make_own(folder)
        content = json.dumps(sorted(set(units)), ensure_ascii=True).encode("ascii")
        number = 1 + max((int(found[1]) for path in folder.iterdir() if (found := _NUMBER.match(path.name))), default=0)
        while True:
            path = folder / f"{number:06d}-{name}{SUFFIX}"
            try:
                write_private(_units_path(path), content)
            except FileExistsError:  # another push, of other units, has just taken it
                number += 1
            else:
                return path


def who() -> str:
    """Say who runs this, and where."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = f"user {os.getuid()}" if hasattr(os, "getuid") else "somebody"
    return f"{user}@{platform.node() or 'localhost'}"


def _reached(options: Options) -> dict[str, dict[str, object]]:
    return {
        address: {"api": known.unit.api, "health_check_port": known.health_check_port}
        for address, known in options.known.items()
        if known.unit.api
    }


def _units_path(path: Path) -> Path:
    return path.with_name(f"{_number(path):06d}{UNITS_SUFFIX}")


def _number(path: Path) -> int:
    found = _NUMBER.match(path.name)
    return int(found[1]) if found else 0


def _read(path: Path, handle: int) -> bytes:
    """Return all of an open file. Raises :class:`UnusableFileError` where it is none, or too large to be a journal."""
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        raise UnusableFileError(f"{path}: the journal is no regular file", hint=MOVE_AWAY)
    if hasattr(os, "geteuid") and found.st_uid != os.geteuid():
        raise UnusableFileError(f"{path}: the journal belongs to another user", hint=MOVE_AWAY)
    if found.st_size > MAX_BYTES:
        raise UnusableFileError(f"{path}: the journal is larger than {MAX_BYTES // 2**20} MiB", hint=MOVE_AWAY)
    with os.fdopen(os.dup(handle), "rb") as file:
        file.seek(0)
        return file.read(MAX_BYTES)


def _whole(content: bytes) -> bytes:
    return content[: content.rfind(b"\n") + 1]


def _write_all(handle: int, content: bytes) -> None:
    while content:
        content = content[os.write(handle, content) :]


def _unwritable(path: Path, reason: str) -> UnusableFileError:
    hint = "make room for it; without a journal nothing is changed"
    return UnusableFileError(f"cannot write the journal {path}: {reason}", hint=hint)
