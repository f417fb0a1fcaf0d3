"""How long to wait for units, and how; time comes from a clock."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

from geoplan.topology.model import BOOT_FLOOR_SECONDS, SYNC_FLOOR_SECONDS
from geoplan.vendor import CALLS_WINDOW_SECONDS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from geoplan.plan.model import Estimates


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


Found = TypeVar("Found")
MAX_POLL_SECONDS = 0.5
MIN_POLL_SECONDS = 0.02
MAX_LOOK_SECONDS = 3.0
MIN_LOOK_SECONDS = 0.1
DEFAULT_GRACE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Timings:
    """How long things take and how long to wait for them, in seconds."""

    boot_seconds: float
    sync_seconds: float
    grace_seconds: float = DEFAULT_GRACE_SECONDS
    """What is added to every deadline."""

    @classmethod
    def of(cls, estimates: Estimates, *, is_lab: bool = False) -> Timings:
        """Take the times that the topology gives, on a network never less than its floors.

        In a lab what is quick is waited for less long.
        """
        if is_lab:
            grace = min(DEFAULT_GRACE_SECONDS, 5 + 2 * estimates.boot_seconds)
            return cls(estimates.boot_seconds, estimates.sync_seconds, grace)
        boot_seconds = max(estimates.boot_seconds, BOOT_FLOOR_SECONDS)
        return cls(boot_seconds, max(estimates.sync_seconds, SYNC_FLOOR_SECONDS))

    @property
    def call_window_seconds(self) -> float:
        """The time in which a unit counts calls; a lab that boots faster counts in a shorter time."""
        return CALLS_WINDOW_SECONDS * min(1.0, self.boot_seconds / BOOT_FLOOR_SECONDS)

    def of_load_balancer(self, seconds: float) -> float:
        """Return how long a load balancer takes that takes so long behind real units; a quick lab has a quick one."""
        return seconds * min(1.0, self.boot_seconds / BOOT_FLOOR_SECONDS)

    @property
    def poll_seconds(self) -> float:
        """Between two looks; a failover must not fit between them."""
        return min(MAX_POLL_SECONDS, max(MIN_POLL_SECONDS, self.boot_seconds / 40))

    @property
    def health_timeout(self) -> float:
        """For one health check: a unit that hangs while it goes down must not hide its partner's failover."""
        return min(MAX_LOOK_SECONDS, max(MIN_LOOK_SECONDS, self.boot_seconds / 4))

    @property
    def replication_seconds(self) -> float:
        """What a replication takes at the very most, where nobody can be asked whether it has come to its end."""
        return 2 * self.sync_seconds

    @property
    def replication_deadline(self) -> float:
        """Until the standby holds what was entered on the active unit."""
        return 3 * self.sync_seconds + self.grace_seconds

    @property
    def failover_deadline(self) -> float:
        """Until the slave is active after its master was rebooted."""
        return self.boot_seconds + self.grace_seconds

    @property
    def return_deadline(self) -> float:
        """Until both units of a pair are healthy after a reboot."""
        return 3 * self.boot_seconds + self.grace_seconds

    @property
    def settle_timeout(self) -> float:
        """Until a site has one active unit, where nobody rebooted it."""
        return self.grace_seconds


async def until(
    clock: Clock,
    look: Callable[[], Awaitable[Found | None]],
    *,
    within: float,
    every: float,
    on_wait: Callable[[float], None] | None = None,
) -> Found | None:
    """Look again and again until something is found; return nothing once the deadline has passed.

    ``on_wait`` is called once, with the seconds that are waited at most, where the first look finds nothing.
    """
    deadline = clock.now() + within
    while (found := await look()) is None:
        if clock.now() >= deadline:
            return None
        if on_wait is not None:
            on_wait(within)
            on_wait = None
        await clock.sleep(every)
    return found
