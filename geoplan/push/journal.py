"""What a push did, on disk before and after every change, so that another process can go on from it.

Append-only JSON lines. The first one, ``begin``, has the plan, its checksum, who and when; ``changing`` stands before
a change with what was there before, ``changed`` after it has been read back; ``rebooting``, ``resubmitted`` and
``healthy`` tell how far a pair has come. A push is unfinished until there is an ``end``.
"""

from __future__ import annotations

import getpass
import os
import platform
from typing import TYPE_CHECKING, Any

from geoplan.errors import UnusableFileError
from geoplan.push.history import FORMAT, History, Record
from geoplan.push.places import PRIVATE_FILE, sync_folder, usable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from geoplan.plan.model import Plan
    from geoplan.push.clock import Clock

SUFFIX = ".jsonl"


class Journal:
    """An open journal. Every record is on disk when :meth:`write` returns."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._clock = clock
        with usable(path.parent):
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, PRIVATE_FILE)
        self._records: list[Record] = []
        self._load()

    @classmethod
    def begin(cls, folder: Path, plan: Plan, options: Mapping[str, Any], clock: Clock) -> Journal:
        """Start the journal of a new push in a folder."""
        started = clock.wall()
        path = folder / f"{started:%Y%m%dT%H%M%S}-{started.microsecond:06d}{SUFFIX}"
        journal = cls(path, clock)
        sync_folder(folder)
        journal.write(
            "begin",
            format=FORMAT,
            who=who(),
            checksum=plan.checksum,
            options=dict(options),
            plan=plan.model_dump(mode="json"),
        )
        return journal

    @classmethod
    def resume(cls, path: Path, clock: Clock) -> Journal:
        """Open the journal of an unfinished push to go on from it."""
        journal = cls(path, clock)
        journal.write("resumed", who=who())
        return journal

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        os.close(self._handle)

    @property
    def history(self) -> History:
        """All that has been recorded up to now."""
        return History(self.path, tuple(self._records))

    def write(self, event: str, **fields: object) -> None:
        """Append a record; it is on disk when this returns. Raises :class:`UnusableFileError` where it cannot be."""
        record = Record(event, self._clock.wall(), fields)
        try:
            _write_all(self._handle, record.to_line())
            os.fsync(self._handle)
        except OSError as error:
            raise UnusableFileError(
                f"cannot write the journal {self.path}: {error.strerror or error}",
                hint="make room for it; without a journal nothing is changed",
            ) from None
        self._records.append(record)

    def _load(self) -> None:
        """Read what is there; half a line, which a crash left at the end, records nothing and is cut off."""
        content = self.path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            os.ftruncate(self._handle, len(whole))
        self._records.extend(History.parse(self.path, whole).records)


def latest(folder: Path) -> History | None:
    """Return the history of a topology's last push, or nothing where there was none."""
    paths = sorted(folder.glob(f"*{SUFFIX}"))
    for path in reversed(paths):
        history = read(path)
        if history.records:
            return history
    return None


def read(path: Path) -> History:
    """Read a journal without opening it for writing."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnusableFileError(f"cannot read {path}: {error.strerror or error}") from None
    return History.parse(path, content[: content.rfind(b"\n") + 1])


def histories(folder: Path) -> tuple[History, ...]:
    """Return the histories of all pushes of a topology, the oldest first."""
    return tuple(read(path) for path in sorted(folder.glob(f"*{SUFFIX}")))


def who() -> str:
    """Say who runs this, and where."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = f"user {os.getuid()}" if hasattr(os, "getuid") else "somebody"
    return f"{user}@{platform.node() or 'localhost'}"


def _write_all(handle: int, line: str) -> None:
    content = (line + "\n").encode()
    while content:
        content = content[os.write(handle, content) :]
