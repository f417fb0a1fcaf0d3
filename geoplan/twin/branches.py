"""Cases that begin alike: their beginning is played once, and a process of its own goes on from there with each.

The process that plays the beginning stops at the moment in question, and lets one child after the other go on. A child
is a copy of it as it is then, with all units and their clock; what it changes on disk is put back before the next one.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

Item = TypeVar("Item")

CAN_BRANCH = hasattr(os, "fork")
_Kept = dict["Path", "bytes | None"]


class Branches(Generic[Item]):
    """The children of one process, one after the other; ``folder`` is all that they share and change."""

    def __init__(self, folder: Path, goes_on: Callable[[], bool] = lambda: True) -> None:
        self.folder = folder
        self.told: list[object] = []
        """What each child had to tell, in their order."""
        self.item: Item | None = None
        """What this child goes on with, which has to :meth:`tell` what it found; None in the process that asked."""
        self._goes_on = goes_on
        self._out = -1

    def each(self, items: Sequence[Item]) -> Iterator[Item]:
        """Yield one of the items in a child for each; the process that asked gets none, once all children are over.

        To be called where an event loop runs, in a process without other threads.
        """
        kept, loop = _content(self.folder), asyncio.get_running_loop()
        for item in items:
            if not self._goes_on():
                return
            read_end, write_end = os.pipe()
            child = os.fork()
            if child == 0:
                os.close(read_end)
                self._out, self.item = write_end, item
                asyncio.events._set_running_loop(loop)  # noqa: SLF001 - a fork forgets it, and nothing else sets it
                yield item
                return
            os.close(write_end)
            with os.fdopen(read_end, "rb") as answer:
                content = answer.read()
            os.waitpid(child, 0)
            _put_back(self.folder, kept)
            if not content:
                raise RuntimeError("a case of a rehearsal ended without a result")
            self.told.append(pickle.loads(content))  # noqa: S301 - of a child of our own

    def tell(self, found: object) -> None:
        """Tell what a child has found, and end it."""
        with os.fdopen(self._out, "wb") as out:
            out.write(pickle.dumps(found))
        os._exit(0)


def may_branch() -> bool:
    """Return whether this process can have children that go on where it is."""
    return CAN_BRANCH and threading.active_count() == 1


def _content(folder: Path) -> _Kept:
    """Return what a folder holds; nothing stands for a folder."""
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def _put_back(folder: Path, kept: _Kept) -> None:
    """Let a folder hold what it held, each file where it is: it may be open."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path not in kept and path.is_dir():
            path.rmdir()
        elif path not in kept:
            path.unlink()
    for path, content in sorted(kept.items()):
        if content is None:
            path.mkdir(exist_ok=True)
            continue
        with path.open("r+b" if path.exists() else "wb") as file:
            file.truncate(0)
            file.write(content)
