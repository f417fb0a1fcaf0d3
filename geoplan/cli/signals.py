"""Ctrl-C, SIGTERM and the end of a session (SIGHUP) while an event loop runs."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from geoplan.push.context import Stop

ONE_SIGNAL_SECONDS = 1.0
HANGUP: int | None = getattr(signal, "SIGHUP", None)
"""What a lost SSH session sends; some systems know no such thing."""


def ending_signals() -> tuple[int, ...]:
    """Return the signals that ask for an end; a hangup that is ignored, as under ``nohup``, stays so."""
    hangup = () if HANGUP is None or signal.getsignal(HANGUP) is signal.SIG_IGN else (HANGUP,)
    return (signal.SIGINT, signal.SIGTERM, *hangup)


@contextmanager
def on_signals(handle: Callable[[int], None]) -> Iterator[None]:
    """Have the running loop call ``handle`` with the number of every signal that asks for an end, in this block."""
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in ending_signals()}
    for number in before:
        signal.signal(number, lambda number, _frame: loop.call_soon_threadsafe(handle, number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let every signal that asks for an end interrupt what waits for an answer in this block."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in ending_signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Signals:
    """Tells a second signal from the first one, sent twice.

    ``timeout`` and others send SIGTERM to a process and at once again to its group, and whoever ends a session sends
    SIGHUP beside it; nobody wants the push ended at once by that. Ctrl-C comes once, and somebody who presses it twice
    means it.
    """

    def __init__(self) -> None:
        self._asked: float | None = None

    def is_new(self, number: int, now: float) -> bool:
        """Return whether a signal is one of its own; ``now`` in seconds of a clock that only goes on."""
        if number == signal.SIGINT:
            return True
        earlier, self._asked = self._asked, now
        return earlier is None or now - earlier >= ONE_SIGNAL_SECONDS

    def may_be_second(self, number: int) -> bool:
        """Return whether a signal may mean an end at once: the loss of a session is not a second request."""
        return number != HANGUP


@contextmanager
def stopping(stop: Stop, say: Callable[[str], None], *, has_begun: Callable[[], bool]) -> Iterator[None]:
    """End after the steps under way on the first Ctrl-C or SIGTERM; at once on the second, or before any step.

    A session that is lost (SIGHUP) is a first Ctrl-C and never a second.
    """
    loop, main = asyncio.get_running_loop(), asyncio.current_task()
    signals = Signals()

    def interrupt(number: int) -> None:
        if not signals.is_new(number, loop.time()):
            return
        if stop.requested and not signals.may_be_second(number):
            return
        if main and (stop.requested or not has_begun()):
            main.cancel()
            return
        stop.request()
        say("stopping after the current steps; press Ctrl-C again to stop now")

    with on_signals(interrupt):
        yield
