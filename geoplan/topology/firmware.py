"""What depends on a unit's firmware."""

from __future__ import annotations

import re

# Updating the LoadMaster Software: both releases that brought the Partner Shared Secret.
PARTNER_SECRET_LTSF = (7, 2, 54, 10)  # and later 7.2.54.x
PARTNER_SECRET_GA = (7, 2, 59, 4)  # and everything after it

# The lowest version to which a unit at or above it can go (section 7).
LOWEST_AFTER_DOWNGRADE = (7, 2, 36, 0)

Version = tuple[int, ...]


def parse_version(text: str) -> Version:
    """Return the four numbers that name a release: ``7.2.54.12.22642.RELEASE`` is (7, 2, 54, 12)."""
    numbers = [int(number) for number in re.findall(r"\d+", text)[:4]]
    return tuple(numbers + [0] * (4 - len(numbers)))


def has_partner_secret(version: Version) -> bool:
    """Tell whether partners have to share a secret under this firmware."""
    ltsf = version[:3] == PARTNER_SECRET_LTSF[:3] and version >= PARTNER_SECRET_LTSF
    return ltsf or version >= PARTNER_SECRET_GA


def becomes_inaccessible(present: Version, to: Version) -> bool:
    """Tell whether a unit would be lost for good by this change (section 7)."""
    return to < LOWEST_AFTER_DOWNGRADE <= present
