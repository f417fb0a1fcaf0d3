"""How names compare: without regard to case, and by likeness where one is mistyped."""

from __future__ import annotations

import difflib
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LIKENESS = 0.6  # of 1; below it a suggestion is more often wrong than right


def folded(name: str) -> str:
    """Return a name as it compares without regard to case or to how its accents are composed."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that a mistyped one most likely means."""
    by_folded = {folded(name): name for name in known}
    found = difflib.get_close_matches(folded(word), by_folded, n=1, cutoff=LIKENESS)
    return by_folded[found[0]] if found else None
