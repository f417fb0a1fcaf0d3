"""What tells one boot from another, and whether there is room for one more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from geoplan.push.boots import is_another_boot, room_at

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("known", "now", "differ"),
    [
        ("1767139200", "1767139201", False),
        ("1767139200", "1767139300", True),
        ("Thu Jan  1 00:00:00 2026", "2026-01-01T00:00:03Z", False),
        ("Thu Jan  1 00:00:00 2026", "2026-01-01T00:10:00Z", True),
        ("12345", "12399", False),  # the time since the boot
        ("up 3 days", "up 4 days", False),
    ],
)
def test_boot_times_are_of_two_boots_only_where_moments_are_apart(known: str, now: str, differ: bool) -> None:
    assert is_another_boot(known, now) is differ


def test_moments_of_a_clock_that_ran_far_ahead_block_no_reboot() -> None:
    days = [NOW + timedelta(days=number) for number in (300, 301, 302)]
    assert room_at(days, NOW) is None
    soon = [NOW + timedelta(minutes=number) for number in (60, 61, 62)]
    assert room_at(soon, NOW) is not None
    assert room_at(soon, NOW, booted=NOW - timedelta(hours=1)) is None
