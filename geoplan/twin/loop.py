"""An event loop whose time passes as soon as there is nothing else to do."""

from __future__ import annotations

import asyncio
import selectors
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from geoplan.lab.clock import SimulatedClock

if TYPE_CHECKING:
    from collections.abc import Coroutine

Result = TypeVar("Result")

OWN_PIPE = 1
"""Files of a loop that nothing else is to be heard on: by its pipe it would only be woken, and it never sleeps."""
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Never waits: its time is the lab's, and where it would sleep, that clock is advanced to what is due next."""

    def __init__(self) -> None:
        self.clock = SimulatedClock()
        super().__init__(_Hurried(self.clock))

    def time(self) -> float:
        """Return the simulated time in seconds."""
        return self.clock.now()


class _Hurried(selectors.DefaultSelector):
    def __init__(self, clock: SimulatedClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout > 0:
            own = [] if timeout is None else [self._clock.now() + timeout]
            of_lab = self._clock.next_due()
            due = min(own if of_lab is None else [*own, of_lab], default=None)
            if due is None:
                raise RuntimeError("nothing is due and nothing can happen: it would wait for ever")
            self._clock.advance_to(due)
        return super().select(0) if len(self.get_map()) > OWN_PIPE else []


def clock_of_the_lab() -> SimulatedClock:
    """Return the clock of the running simulated loop, which is the only time that there is."""
    loop = asyncio.get_running_loop()
    if not isinstance(loop, SimulatedLoop):
        raise TypeError("the running loop has no simulated time")
    return loop.clock


class SimulatedTime:
    """The loop's time as a push wants it. ``set_back`` is by how many seconds somebody has set its wall clock back."""

    def __init__(self) -> None:
        self.set_back = 0.0

    def now(self) -> float:
        """Return the simulated time in seconds."""
        return asyncio.get_running_loop().time()

    def wall(self) -> datetime:
        """Return the date and time that it is then, in UTC."""
        return EPOCH + timedelta(seconds=self.now() - self.set_back)

    async def sleep(self, seconds: float) -> None:
        """Let that many seconds pass for everybody."""
        await asyncio.sleep(seconds)


def run_simulated(work: Coroutine[Any, Any, Result]) -> Result:
    """Run work to its end in simulated time."""
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(work)
