"""Ctrl-C and SIGTERM while an event loop runs."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ONE_SIGNAL_SECONDS = 1.0


@contextmanager
def on_signals(handle: Callable[[int], None]) -> Iterator[None]:
    """Have the running loop call ``handle`` with the number of every Ctrl-C and SIGTERM while the block lasts."""
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda number, _frame: loop.call_soon_threadsafe(handle, number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Signals:
    """Tells a second signal from the first one, sent twice.

    ``timeout`` and others send SIGTERM to a process and at once again to its group; nobody wants the push ended at once
    by that. Ctrl-C comes once, and somebody who presses it twice means it.
    """

    def __init__(self) -> None:
        self._terminated: float | None = None

    def is_new(self, number: int, now: float) -> bool:
        """Tell whether a signal is one of its own; ``now`` in seconds of a clock that only goes on."""
        if number != signal.SIGTERM:
            return True
        earlier, self._terminated = self._terminated, now
        return earlier is None or now - earlier >= ONE_SIGNAL_SECONDS
