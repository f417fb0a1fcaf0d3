"""The time that waiting goes by."""

from __future__ import annotations

import asyncio
from typing import Protocol


class Clock(Protocol):
    """What waiting needs of time, in seconds that only ever grow."""

    def now(self) -> float:
        """Return the present time in seconds since any fixed moment."""

    async def sleep(self, seconds: float) -> None:
        """Return once so many seconds have passed."""


class LoopClock:
    """The time of the running event loop."""

    def now(self) -> float:
        """Return the loop's time in seconds."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Return once so many seconds have passed."""
        await asyncio.sleep(seconds)
