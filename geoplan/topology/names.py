"""How names compare: without regard to case, and by likeness where one is mistyped."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SHORTEST = 3  # letters of a word that is taken for the beginning of another
LIKENESS = 0.6  # of 1; below it a suggestion is more often wrong than right


def folded(name: str) -> str:
    """Return a name as people tell it from another: case, kinds of spaces and invisible characters do not count."""
    visible = "".join(character for character in name if unicodedata.category(character) != "Cf")
    return unicodedata.normalize("NFKC", " ".join(unicodedata.normalize("NFKC", visible).casefold().split()))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that a mistyped or shortened one most likely means."""
    import difflib  # noqa: PLC0415 - only a file with faults needs it

    by_folded = {folded(name): name for name in known}
    close = difflib.get_close_matches(folded(word), by_folded, n=1, cutoff=LIKENESS)
    longer = [name for name in by_folded if len(word) >= SHORTEST and name.startswith(folded(word))]
    if close:
        return by_folded[close[0]]
    return by_folded[longer[0]] if len(longer) == 1 else None
