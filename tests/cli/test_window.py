"""``--until`` and ``--window``: the moment at which a push has to be over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click
import pytest

from geoplan.cli.push_command import WindowOptions
from geoplan.cli.window import end_of, require_usable
from geoplan.errors import PushRefusedError

SATURDAY_LATE = datetime(2026, 11, 28, 23, 30, tzinfo=UTC)  # in Dublin too, in winter


def end(now: datetime = SATURDAY_LATE, *, until: str | None = None, window: str | None = None) -> datetime | None:
    return end_of(WindowOptions(until, window), now)


def test_nothing_said_is_no_end() -> None:
    assert end() is None


def test_time_of_day_is_the_next_one_here() -> None:
    found = end(until="04:00")
    assert found is not None
    assert (found.hour, found.minute) == (4, 0)
    assert timedelta() < found - SATURDAY_LATE <= timedelta(days=1)


def test_moment_keeps_its_zone_and_without_one_is_of_this_machine() -> None:
    assert end(until="2026-11-29T04:00+01:00") == datetime(2026, 11, 29, 3, tzinfo=UTC)
    assert end(until="2026-11-29T04:00") == datetime(2026, 11, 29, 4).astimezone()


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ("Sat 22:00-04:00 Europe/Dublin", datetime(2026, 11, 29, 4, tzinfo=UTC)),
        ("Sat 23:00-23:45 Europe/Dublin", datetime(2026, 11, 28, 23, 45, tzinfo=UTC)),
        ("saturday 22:00 - 04:00 UTC", datetime(2026, 11, 29, 4, tzinfo=UTC)),
        ("Sun 00:00-04:00 Europe/Berlin", datetime(2026, 11, 29, 3, tzinfo=UTC)),
    ],
)
def test_window_ends_in_its_own_zone(window: str, expected: datetime) -> None:
    assert end(window=window) == expected


def test_window_over_midnight_is_still_open_after_it() -> None:
    assert end(SATURDAY_LATE + timedelta(hours=3), window="Sat 22:00-04:00 UTC") == datetime(
        2026, 11, 29, 4, tzinfo=UTC
    )


@pytest.mark.parametrize("window", ["Sun 22:00-04:00 UTC", "Sat 20:00-23:00 UTC", "Sat 23:45-23:50 UTC"])
def test_window_that_is_closed_is_a_refusal_that_says_when_it_opens(window: str) -> None:
    with pytest.raises(PushRefusedError, match="it opens S") as caught:
        end(window=window)
    assert caught.value.exit_code == 4


def test_the_sooner_of_both_counts() -> None:
    expected = datetime(2026, 11, 29, 1, tzinfo=UTC)
    assert end(window="Sat 22:00-04:00 UTC", until="2026-11-29T01:00+00:00") == expected


@pytest.mark.parametrize(
    ("until", "window"),
    [
        ("later", None),
        ("25:00", None),
        (None, "22:00-04:00"),
        (None, "Sat 22-04"),
        (None, "Sat 22:00-04:00 Europe/Nowhere"),
        (None, "Sat 22:00-04:00 ../etc"),
    ],
)
def test_what_is_no_time_is_wrong_usage(until: str | None, window: str | None) -> None:
    with pytest.raises(click.UsageError, match=r"write it as|write a time"):
        end(until=until, window=window)


@pytest.mark.parametrize(
    "given",
    [
        WindowOptions(window="Fri 22:00-22:00"),
        WindowOptions(window="Fri 22:00"),
        WindowOptions(window="Fri 22:00-23:00 Europe/Nowhere"),
        WindowOptions(until="soon"),
    ],
)
def test_what_is_no_window_is_wrong_usage_whether_or_not_anything_is_to_be_done(given: WindowOptions) -> None:
    with pytest.raises(click.UsageError):
        require_usable(given)


def test_window_that_is_closed_is_one_all_the_same() -> None:
    for day in ("Mon", "Wed", "Fri"):
        require_usable(WindowOptions(window=f"{day} 22:00-22:01 UTC"))
