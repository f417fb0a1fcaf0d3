"""Words that every part of geoplan writes and compares in the same way: names, counts, lists, shortened texts."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


_FORBIDDEN_CATEGORIES = {"Cc", "Cs", "Zl", "Zp"}
_DIRECTION_MARKS = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def folded(name: str) -> str:
    """Return a name as people tell it from another: case, kinds of spaces and invisible characters do not count."""
    visible = "".join(character for character in name if unicodedata.category(character) != "Cf")
    return unicodedata.normalize("NFKC", " ".join(unicodedata.normalize("NFKC", visible).casefold().split()))


def shorten(text: str, width: int = 60) -> str:
    """Cut a long text for a message, so that a diagnostic stays one line."""
    return text if len(text) <= width else text[: width - 1] + "…"


def is_control(character: str) -> bool:
    """Return whether a character would do something to a terminal or a line other than appear in it."""
    return unicodedata.category(character) in _FORBIDDEN_CATEGORIES or character in _DIRECTION_MARKS


def count(number: int, noun: str) -> str:
    """Return how many there are: ``1 step``, ``18 steps``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def join_words(words: Iterable[str]) -> str:
    """Return ``a``, ``a and b``, ``a, b and c``."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
