"""The lab's time: the event loop's, or a simulated one that tests advance."""

from __future__ import annotations

import asyncio
import heapq
from itertools import count
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Timer(Protocol):
    """Something that will happen unless it is cancelled."""

    def cancel(self) -> None:
        """Make it not happen; does nothing once it has."""


class Clock(Protocol):
    """What the lab needs of time, in seconds that only ever grow."""

    def now(self) -> float:
        """Return the present time in seconds since any fixed moment."""

    def call_later(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Call ``action`` once ``seconds`` have passed."""


class LoopClock:
    """The time of the running event loop; what is still due when it is stopped does not happen."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._due: set[asyncio.TimerHandle] = set()

    def now(self) -> float:
        """Return the loop's time in seconds."""
        return self._loop.time()

    def call_later(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Call ``action`` from the loop once ``seconds`` have passed."""
        self._due = {handle for handle in self._due if not handle.cancelled() and handle.when() > self._loop.time()}
        handle = self._loop.call_later(seconds, action)
        self._due.add(handle)
        return handle

    def stop(self) -> None:
        """Cancel everything that is still due."""
        for handle in self._due:
            handle.cancel()
        self._due.clear()


class SimulatedTimer:
    """Something due at a simulated moment."""

    def __init__(self, when: float, action: Callable[[], None]) -> None:
        self.when = when
        self.action = action
        self.cancelled = False

    def cancel(self) -> None:
        """Make it not happen."""
        self.cancelled = True


class SimulatedClock:
    """A time that stands still until it is advanced, so that no test sleeps."""

    def __init__(self, start: float = 0.0) -> None:
        self._now = start
        self._due: list[tuple[float, int, SimulatedTimer]] = []
        self._numbers = count()

    def now(self) -> float:
        """Return the simulated time in seconds."""
        return self._now

    def call_later(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Call ``action`` when the clock is advanced that far; equal moments keep the order of these calls."""
        timer = SimulatedTimer(self._now + max(0.0, seconds), action)
        heapq.heappush(self._due, (timer.when, next(self._numbers), timer))
        return timer

    def next_due(self) -> float | None:
        """Return the moment at which something happens next, or nothing where nothing is due."""
        while self._due and self._due[0][2].cancelled:
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass and do all that falls due in them, in its order."""
        self.advance_to(self._now + seconds)

    def advance_to(self, moment: float) -> None:
        """Let time pass up to and including ``moment``."""
        while (due := self.next_due()) is not None and due <= moment:
            _, _, timer = heapq.heappop(self._due)
            self._now = due
            timer.action()
        self._now = max(self._now, moment)


async def sleep(clock: Clock, seconds: float) -> None:
    """Wait until ``seconds`` have passed on that clock."""
    passed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def awake() -> None:
        if not passed.done():
            passed.set_result(None)

    timer = clock.call_later(seconds, awake)
    try:
        await passed
    finally:
        timer.cancel()
