"""Slugs: names as ids of steps, names of files and options have them."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def slugs_of(names: Iterable[str], *, kept: re.Pattern[str] | None = None) -> dict[str, str]:
    """Give each name a slug of its letters and digits; one that is empty or taken gets ``-2``, ``-3`` and so on.

    A name that is ``kept`` in small letters has these as its slug, whatever stands between its letters.
    """
    slugs: dict[str, str] = {}
    taken = {""}
    next_number: defaultdict[str, int] = defaultdict(lambda: 2)
    for name in names:
        plain = unicodedata.normalize("NFC", name).lower().strip()
        if kept is None or not kept.fullmatch(plain):
            plain = re.sub(r"[\W_]+", "-", plain).strip("-")
        slug = plain
        while slug in taken:
            slug = f"{plain}-{next_number[plain]}"
            next_number[plain] += 1
        taken.add(slug)
        slugs[name] = slug
    return slugs
