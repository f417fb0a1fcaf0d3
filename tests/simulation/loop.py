"""An event loop whose time passes as soon as there is nothing else to do."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar

Result = TypeVar("Result")

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Never waits: where it would sleep until something is due, its time jumps to that moment."""

    def __init__(self) -> None:
        self._simulated = 0.0
        super().__init__(_Hurried(self))

    def time(self) -> float:
        return self._simulated

    def pass_time(self, seconds: float) -> None:
        self._simulated += seconds


class _Hurried(selectors.DefaultSelector):
    def __init__(self, loop: SimulatedLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "nothing is due and nothing can happen: it would wait for ever"
        if timeout > 0:
            self._loop.pass_time(timeout)
        return super().select(0)


class SimulatedTime:
    """The loop's time as a push wants it."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def wall(self) -> datetime:
        return EPOCH + timedelta(seconds=self.now())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class LabTime:
    """The loop's time as the lab wants it: what is due at equal moments happens in the order in which it was asked for.

    The loop's own timers keep no order among equals, and in simulated time many moments are equal.
    """

    def __init__(self) -> None:
        self._numbers = count(1)

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def call_later(self, seconds: float, action: Callable[[], None]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds + next(self._numbers) * 1e-7, action)


def run_simulated(work: Coroutine[Any, Any, Result]) -> Result:
    """Run work to its end in simulated time."""
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(work)
