"""``--until`` and ``--window``: when a push has to be over."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from geoplan.errors import PushRefusedError

if TYPE_CHECKING:
    from geoplan.cli.push_command import WindowOptions

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_TIME = r"([01]?\d|2[0-3]):([0-5]\d)"
_WINDOW = re.compile(rf"({'|'.join(DAYS)})[a-z]*\s+{_TIME}\s*-\s*{_TIME}(?:\s+(\S+))?", re.IGNORECASE)
AS_IN = "write it as in 'Sat 22:00-04:00 Europe/Dublin'"


def end_of(given: WindowOptions, now: datetime) -> datetime | None:
    """Return when a push has to be over, or None where nothing says so; ``now`` has a time zone.

    Raises :class:`click.UsageError` for what is no time, and :class:`PushRefusedError` outside of the window.
    """
    ends = [_until(given.until, now)] if given.until else []
    ends += [_end_of_window(given.window, now)] if given.window else []
    return min(ends, default=None)


def require_usable(given: WindowOptions) -> None:
    """Raise :class:`click.UsageError` for what is no time or no window, whether or not it is looked at later."""
    with suppress(PushRefusedError):  # whether it is open counts once something is to be done
        end_of(given, datetime.now(UTC))


def _until(text: str, now: datetime) -> datetime:
    """Return a moment; of a time of day the next one, by this machine's clock and zone."""
    if found := re.fullmatch(_TIME, text.strip()):
        here = now.astimezone()
        moment = here.replace(hour=int(found[1]), minute=int(found[2]), second=0, microsecond=0)
        return moment if moment > here else moment + timedelta(days=1)
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise click.UsageError(f"--until {text}: write a time of day, 04:00, or 2026-11-28T04:00+01:00") from None
    return moment if moment.tzinfo else moment.astimezone()


def _end_of_window(text: str, now: datetime) -> datetime:
    """Return the end of a weekly window that is open now."""
    found = _WINDOW.fullmatch(text.strip())
    if found is None:
        raise click.UsageError(f"--window {text}: {AS_IN}")
    if (int(found[2]), int(found[3])) == (int(found[4]), int(found[5])):
        raise click.UsageError(f"--window {text}: it ends when it begins, so it is empty or a day; {AS_IN}")
    try:
        here = now.astimezone(ZoneInfo(found[6]) if found[6] else None)
    except (ValueError, OSError, KeyError):  # a zone that is not there, or no name of one
        raise click.UsageError(f"--window {text}: there is no time zone '{found[6]}'; {AS_IN}") from None
    day = [name.lower() for name in DAYS].index(found[1].lower())
    begin = here.replace(hour=int(found[2]), minute=int(found[3]), second=0, microsecond=0)
    begin -= timedelta(days=(here.weekday() - day) % 7)
    begin = begin if begin <= here else begin - timedelta(days=7)
    end = begin.replace(hour=int(found[4]), minute=int(found[5]))
    end = end if end > begin else end + timedelta(days=1)
    if here < end:
        return end
    opens = begin + timedelta(days=7)
    raise PushRefusedError(
        f"the window '{text}' is closed; it opens {opens:%a %Y-%m-%d %H:%M %Z}; nothing was changed",
        hint="push then, or give --until",
    )
