"""The lab's time: the event loop's, or a simulated one that tests advance; and how long things take."""

from __future__ import annotations

import asyncio
import heapq
import math
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Protocol

from geoplan.lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable


DEFAULT_BOOT_SECONDS = 3.0
DEFAULT_FAILOVER_SECONDS = 0.5
DEFAULT_SYNC_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Timings:
    """The three times that the behaviour turns on, in seconds.

    Raises :class:`LabError` for a time that cannot be, or if a boot would be over before the standby takes over.
    """

    boot_seconds: float = DEFAULT_BOOT_SECONDS
    """From going down until the unit is up again."""
    failover_seconds: float = DEFAULT_FAILOVER_SECONDS
    """From the active's going until the standby is active."""
    sync_seconds: float = DEFAULT_SYNC_SECONDS
    """From a change on the active until the standby has it."""

    def __post_init__(self) -> None:
        for name in ("boot_seconds", "failover_seconds", "sync_seconds"):
            seconds = getattr(self, name)
            if not math.isfinite(seconds) or seconds < 0:
                raise LabError(f"{name} is {seconds}", hint="write a number of seconds, 0 or more")
        if self.failover_seconds >= self.boot_seconds:
            raise LabError(
                f"a failover takes {self.failover_seconds:g} s and a boot {self.boot_seconds:g} s: "
                "the slave would never be active",
                hint="make failover_seconds shorter than boot_seconds",
            )


TOLERATED_LATENESS = 0.005  # seconds by which a loop with nothing else to do may come late


class Timer:
    """Something that is due at one moment, unless it is cancelled."""

    def __init__(self, when: float, action: Callable[[], None]) -> None:
        self.when = when
        self.action = action
        self.cancelled = False

    def cancel(self) -> None:
        """Make it not happen; does nothing once it has."""
        self.cancelled = True


class Clock(Protocol):
    """What the lab needs of time, in seconds that only ever grow."""

    def now(self) -> float:
        """Return the present time in seconds since any fixed moment."""

    def call_later(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Call ``action`` once ``seconds`` have passed."""


class _Agenda:
    """What is due and when; equal moments keep the order in which they were asked for."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Timer]] = []
        self._numbers = count()

    def add(self, when: float, action: Callable[[], None]) -> Timer:
        timer = Timer(when, action)
        heapq.heappush(self._due, (when, next(self._numbers), timer))
        return timer

    def next_due(self) -> float | None:
        """Return the moment at which something happens next, or None if nothing is due."""
        while self._due and self._due[0][2].cancelled:
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    def take(self, until: float) -> Timer | None:
        """Take out what is due first, where that is no later than a moment."""
        due = self.next_due()
        return heapq.heappop(self._due)[2] if due is not None and due <= until else None


class LoopClock:
    """The time of the running event loop; what is still due when it is stopped does not happen.

    It stands still while the loop gets no turn: otherwise a unit of a lab on a busy machine could be back from its
    reboot in the same instant in which its standby takes over, and nobody would ever see the standby active.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._agenda = _Agenda()
        self._lost = 0.0
        self._waking: asyncio.TimerHandle | None = None

    def now(self) -> float:
        """Return the loop's time in seconds, less what it lost by coming late."""
        present, due = self._loop.time() - self._lost, self._agenda.next_due()
        if due is not None and present > due + TOLERATED_LATENESS:  # here, too: it may never run backwards
            self._lost += present - due - TOLERATED_LATENESS
            return due + TOLERATED_LATENESS
        return present

    def call_later(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Call ``action`` from the loop once ``seconds`` have passed; equal moments keep the order of these calls."""
        timer = self._agenda.add(self.now() + max(0.0, seconds), action)
        self._wake_in_time()
        return timer

    def stop(self) -> None:
        """Cancel everything that is still due."""
        self._agenda = _Agenda()
        self._wake_in_time()

    def _wake_in_time(self) -> None:
        if self._waking:
            self._waking.cancel()
        due = self._agenda.next_due()
        self._waking = None if due is None else self._loop.call_at(due + self._lost, self._awake)

    def _awake(self) -> None:
        self._waking = None
        agenda, present = self._agenda, self.now()
        try:
            while agenda is self._agenda and (timer := agenda.take(until=present)):
                timer.action()
        finally:
            self._wake_in_time()


class SimulatedClock:
    """A time that stands still until it is advanced, so that no test sleeps."""

    def __init__(self, start: float = 0.0) -> None:
        self._now = start
        self._agenda = _Agenda()

    def now(self) -> float:
        """Return the simulated time in seconds."""
        return self._now

    def call_later(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Call ``action`` when the clock is advanced that far; equal moments keep the order of these calls."""
        return self._agenda.add(self._now + max(0.0, seconds), action)

    def next_due(self) -> float | None:
        """Return the moment at which something happens next, or None if nothing is due."""
        return self._agenda.next_due()

    def forget(self) -> None:
        """Let nothing happen that is due."""
        self._agenda = _Agenda()

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass and do all that falls due in them, in its order."""
        self.advance_to(self._now + seconds)

    def advance_to(self, moment: float) -> None:
        """Let time pass up to and including ``moment``."""
        while timer := self._agenda.take(until=moment):
            self._now = max(self._now, timer.when)
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
