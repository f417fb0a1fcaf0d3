"""No unit is rebooted more often than it bears: more than 3 reboots in 5 minutes pacify it (WUI guide, *HA Mode*)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from geoplan.push.context import StepError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from geoplan.plan.model import Step
    from geoplan.push.context import Context

MAX_REBOOTS = 3
WINDOW = timedelta(minutes=5)
CLOCK_SET_BACK = timedelta(days=1)
"""How far ahead a recorded moment may be because this machine's clock was set back since."""
OF_ONE_REBOOT = timedelta(minutes=10)
"""How long after a recorded reboot a unit can say that it booted, and mean that one."""


def room_at(reboots: Iterable[datetime], now: datetime, booted: datetime | None = None) -> datetime | None:
    """Return from when on a unit can be rebooted again, or nothing where it can be now.

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


def require_room(context: Context, step: Step, unit: str, booted: datetime | None = None) -> None:
    """Raise :class:`StepError` where one more reboot of a unit, by all pushes and its own word, would pacify it."""
    later = room_at(context.ledger.reboots_of(unit), context.clock.wall(), booted)
    if later is not None:
        raise StepError(
            step,
            f"it was rebooted {MAX_REBOOTS} times in 5 minutes, and once more would pacify it",
            unit=unit,
            hint=f"go on after {later.astimezone():%Y-%m-%d %H:%M:%S}",
        )
