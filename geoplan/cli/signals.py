"""Ctrl-C and SIGTERM while an event loop runs."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


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
