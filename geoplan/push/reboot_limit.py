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


def room_at(reboots: Iterable[datetime], now: datetime) -> datetime | None:
    """Return from when on a unit can be rebooted again, or nothing where it can be now."""
    recent = sorted(moment for moment in reboots if moment > now - WINDOW)
    return recent[-MAX_REBOOTS] + WINDOW if len(recent) >= MAX_REBOOTS else None


def require_room(context: Context, step: Step, unit: str) -> None:
    """Raise :class:`StepError` where one more reboot of a unit would pacify it."""
    later = room_at(context.journal.history.reboots_of(unit), context.clock.wall())
    if later is not None:
        raise StepError(
            step,
            f"it was rebooted {MAX_REBOOTS} times in 5 minutes, and once more would pacify it",
            unit=unit,
            hint=f"go on after {later.astimezone():%H:%M:%S}",
        )
