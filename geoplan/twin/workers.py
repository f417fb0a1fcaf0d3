"""Many cases of a rehearsal on several processors; what begins alike begins once."""

from __future__ import annotations

import gc
import multiprocessing
import signal
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from geoplan.twin.branches import may_branch
from geoplan.twin.cases import Plays, Result, play, play_alike
from geoplan.twin.incidents import AtChange, Case

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from multiprocessing.synchronize import Event

COLLECTED_AFTER = 5
"""Batches after which a process collects what is left of them."""
MOST_ALIKE = 40
"""Cases that one process plays from one beginning, so that no processor waits long for another one at the end."""


class Batch(NamedTuple):
    """Cases that begin alike."""

    cases: tuple[Case, ...]
    change: int | None
    """The change up to which they are the push as planned; None where only what comes before the push is alike."""


def play_all(plays: Plays, cases: Sequence[Case], jobs: int) -> Generator[Result, None, None]:
    """Play cases on several processors; yield each as it ends. Closing the iterator ends those under way."""
    if jobs == 1:
        yield from (play(plays, case) for case in cases)
        return
    stop = multiprocessing.Event()
    pool = ProcessPoolExecutor(jobs, initializer=_begin_worker, initargs=(plays, stop))
    try:
        # The largest first, so that at the end no processor waits long for another one.
        largest_first = sorted(batches(plays, cases), key=lambda batch: -len(batch.cases))
        futures = [pool.submit(_play_in_worker, batch) for batch in largest_first]
        for future in as_completed(futures):
            yield from future.result()
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


def batches(plays: Plays, cases: Sequence[Case]) -> Iterator[Batch]:
    """Yield cases by what they begin with."""
    alike: dict[tuple[bool, int | None], list[Case]] = {}
    for case in cases:
        change = _only_change(case)
        begins_with_push = plays.old is not None or case.is_pushed
        if case.seed is None and (change is not None or begins_with_push):
            alike.setdefault((case.is_pushed, change), []).append(case)
        else:
            yield Batch((case,), None)
    for (_, change), found in alike.items():
        for first in range(0, len(found), MOST_ALIKE):
            yield Batch(tuple(found[first : first + MOST_ALIKE]), change)


def _only_change(case: Case) -> int | None:
    """Return the request at which all of a case happens, or None where more goes on."""
    if case.is_pushed or case.abandons or len(case.behaviours) != 1:
        return None
    (only,) = case.behaviours
    return only.at if isinstance(only, AtChange) else None


_of_worker: list[tuple[Plays, Event]] = []
_played_here = count(1)


def _begin_worker(plays: Plays, stop: Event) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that asked ends them
    _of_worker[:] = [(plays, stop)]
    gc.collect()
    gc.freeze()
    gc.disable()


def _play_in_worker(batch: Batch) -> list[Result]:
    plays, stop = _of_worker[0]
    if len(batch.cases) > 1 and may_branch():
        found = play_alike(plays, batch.cases, batch.change, lambda: not stop.is_set())
    else:
        found = [play(plays, case) for case in batch.cases if not stop.is_set()]
    if next(_played_here) % COLLECTED_AFTER == 0:
        gc.collect()
    return found
