"""How time grows with what is read; ratios alone, so that a slow or busy machine changes nothing."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

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
