"""Time as a push sees it: nothing here knows any other."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What a push needs of time."""

    def now(self) -> float:
        """Return the present time in seconds since any fixed moment; it only ever grows."""

    def wall(self) -> datetime:
        """Return the date and time in UTC."""

    async def sleep(self, seconds: float) -> None:
        """Wait until that many seconds have passed."""


class SystemClock:
    """The computer's time."""

    def now(self) -> float:
        """Return the computer's monotonic time in seconds."""
        return time.monotonic()

    def wall(self) -> datetime:
        """Return the date and time in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Let everything else go on for that many seconds."""
        await asyncio.sleep(seconds)
