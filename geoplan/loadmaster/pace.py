"""How often a unit is asked: it drops whoever sends too many calls, all clients and both wire formats together."""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from contextvars import ContextVar
from enum import IntEnum
from typing import TYPE_CHECKING

from geoplan.vendor import CALLS_WINDOW_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.loadmaster.clock import Clock


OWN_CALLS = 20
"""Of the vendor's :data:`geoplan.vendor.MAX_CALLS` in that time: people and other programs ask the unit, too."""


SHORTEST_PAUSE = 0.01  # a clock may not advance by less


class Haste(IntEnum):
    """How many calls of the last three seconds a call may find and still be sent: what is urgent has room kept for it.

    In the window of a reboot a submission has to go out at once, whatever was asked just before.
    """

    GLANCE = 8
    """A look that is one of many, and can do without."""
    READ = 12
    CHANGE = 14
    LAST_LOOK = 17
    """The look just before a request that relies on it."""
    AT_ONCE = OWN_CALLS
    """A reboot, a mode, a submission, and what is read just before it."""


_is_urgent: ContextVar[bool] = ContextVar("_is_urgent", default=False)


@contextmanager
def at_once() -> Iterator[None]:
    """Let everything that is asked in this block, and in tasks that it begins, use the room kept for what is urgent."""
    token = _is_urgent.set(True)
    try:
        yield
    finally:
        _is_urgent.reset(token)


class Pace:
    """The calls to one unit: never more than :data:`OWN_CALLS` in any three seconds.

    A lab that boots faster than units do counts in a time that is shorter by as much: ``window_seconds``.
    """

    def __init__(self, clock: Clock, window_seconds: float = CALLS_WINDOW_SECONDS) -> None:
        self._clock = clock
        self._window_seconds = window_seconds
        self._sent: deque[float] = deque(maxlen=OWN_CALLS)

    async def turn(self, haste: Haste) -> None:
        """Return once a call may be sent, and count it."""
        haste = Haste.AT_ONCE if _is_urgent.get() else haste
        while (seconds := self._seconds_left(haste)) > 0:
            await self._clock.sleep(max(seconds, SHORTEST_PAUSE))
        self._sent.append(self._clock.now())

    async def look(self) -> bool:
        """Count the call of a look; return False, and count nothing, where there is no room for one of many.

        The last look before a request waits until there is.
        """
        haste = Haste.LAST_LOOK if _is_urgent.get() else Haste.GLANCE
        while (seconds := self._seconds_left(haste)) > 0:
            if haste is Haste.GLANCE:
                return False
            await self._clock.sleep(max(seconds, SHORTEST_PAUSE))
        self._sent.append(self._clock.now())
        return True

    def _seconds_left(self, haste: Haste) -> float:
        """Return in how many seconds so urgent a call may be sent."""
        if len(self._sent) < haste:
            return 0.0
        since = self._clock.now() - self._sent[-haste]
        # A moment that lies ahead was told by another clock, and says nothing.
        return self._window_seconds - since if 0 <= since < self._window_seconds else 0.0


class Paces:
    """The pace of every unit, by where its API answers: whoever asks it in this process shares it."""

    def __init__(self, clock: Clock, window_seconds: float = CALLS_WINDOW_SECONDS) -> None:
        self._clock = clock
        self._window_seconds = window_seconds
        self._paces: dict[object, Pace] = {}

    def of(self, place: object) -> Pace:
        """Return the pace of a unit."""
        return self._paces.setdefault(place, Pace(self._clock, self._window_seconds))
