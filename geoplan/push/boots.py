"""When a unit was booted last, in its own words, and when it can be rebooted once more."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from geoplan.errors import UnitError
from geoplan.loadmaster.decode import moment
from geoplan.push.problems import Problem
from geoplan.vendor import MAX_REBOOTS, REBOOT_WINDOW_SECONDS
from geoplan.wording import local_time

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from geoplan.live.model import Observation
    from geoplan.live.unit import Unit

WINDOW = timedelta(seconds=REBOOT_WINDOW_SECONDS)
CLOCK_SET_BACK = timedelta(days=1)
"""How far ahead a recorded moment may be because this machine's clock was set back since."""
OF_ONE_REBOOT = timedelta(minutes=10)
"""How long after a recorded reboot a unit can say that it booted, and mean that one."""
SAME_BOOT_SECONDS = 5.0
FIRST_YEAR = 2001


def room_at(reboots: Iterable[datetime], now: datetime, booted: datetime | None = None) -> datetime | None:
    """Return from when on a unit can be rebooted again, or None where it can be now.

    ``reboots`` are those of all pushes, ``booted`` is when the unit itself says that it booted last, whoever did that.
    A moment that is still to come, because the clock was set back since, counts as recent, unless the unit says that it
    was booted long ago, or the moment is more than a day ahead: then the clock was wrong at that time.
    """
    moments = list(reboots)
    if booted and not any(timedelta() <= booted - moment <= OF_ONE_REBOOT for moment in moments):
        moments.append(booted)
    is_long_ago = booted is not None and booted <= now - WINDOW
    latest = now if is_long_ago else now + CLOCK_SET_BACK
    recent = sorted(moment for moment in moments if now - WINDOW < moment <= latest)
    return recent[-MAX_REBOOTS] + WINDOW if len(recent) >= MAX_REBOOTS else None


def room_problem(unit: Observation, reboots: Iterable[datetime], now: datetime) -> Problem | None:
    """Return what forbids one more reboot of a unit, by all pushes and its own word; None where there is room."""
    later = room_at(reboots, now, moment(unit.boot_time or ""))
    if later is None:
        return None
    message = f"it was rebooted {MAX_REBOOTS} times in 5 minutes; one more reboot, and it makes itself passive"
    return Problem(unit.address, message, f"try again after {local_time(later)}")


def is_another_boot(known: str, now: str) -> bool:
    """Return whether two boot times are those of two boots: a unit that works one out may be off by some seconds.

    What is no moment of this century, such as the time since the boot, tells nothing.
    """
    before, after = moment(known), moment(now)
    if before is None or after is None or min(before, after).year < FIRST_YEAR:
        return False
    return abs((after - before).total_seconds()) > SAME_BOOT_SECONDS


def as_clock_time(told: str) -> str:
    """Return a moment that a unit writes as people here read their clocks; what is none as it is written."""
    found = moment(told)
    return told if found is None or found.year < FIRST_YEAR else local_time(found)


async def boot_time(unit: Unit) -> str | None:
    """Return when a unit was booted last, in its own words, or None if it does not tell."""
    try:
        return await unit.boot_time()
    except UnitError:
        return None
