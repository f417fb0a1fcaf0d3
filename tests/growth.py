"""How time and calls grow with what is read; ratios alone, so that a slow or busy machine changes nothing."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from types import FrameType

SMALL, LARGE = 32 * 1024, 256 * 1024
LONG = 0.2  # seconds, beside which nothing else counts


def seconds(work: Callable[[], object]) -> float:
    """Return the processor's time that some work takes at its best."""
    best = float("inf")
    for _ in range(3):
        gc.collect()
        begin = time.process_time()
        work()
        best = min(best, time.process_time() - begin)
        if best > LONG:
            break
    return best


def growth(
    work: Callable[[str], object], make: Callable[[int], str], *, small: int = SMALL, large: int = LARGE
) -> float:
    """Return how many times longer the large text takes than the small one, compared with its size.

    That is about 1 where time grows with the size, and with its square ``large / small``.
    """
    texts = make(small), make(large)
    work(texts[0])  # what is built on first use does not count
    # What takes less than a millisecond cannot be told from nothing.
    return seconds(lambda: work(texts[1])) / max(seconds(lambda: work(texts[0])), 0.001) / (large / small)


def calls_made_by(work: Callable[[], object]) -> int:
    """Count the calls of functions, of Python's own and of built-in ones."""
    count = 0

    def profiler(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(profiler)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def growth_of_calls(work: Callable[[int], object], *, small: int, large: int) -> float:
    """Return how many times more calls the work takes for the large number than for the small one."""
    work(small)  # what is built on first use does not count
    return calls_made_by(lambda: work(large)) / calls_made_by(lambda: work(small))


def growth_of_time(work: Callable[[int], object], *, small: int, large: int) -> float:
    """Return how many times longer the large number takes, compared with its size: loops in C make no calls.

    That is about 1 where time grows with the size, and with its square ``large / small``.
    """
    work(small)  # what is built on first use does not count
    return seconds(lambda: work(large)) / seconds(lambda: work(small)) / (large / small)
