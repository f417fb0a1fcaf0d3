"""How wide a text is at most, and where it may be broken, without knowing the font that will show it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

# In em. Each is above what the usual system fonts need at the weights used, so that estimates err to the wide side.
_NARROW = 0.42
_LOWER = 0.66
_UPPER = 0.84
_BROAD = 1.02
_EAST_ASIAN = 1.08
_SYMBOL = 1.42
_MONOSPACED = 0.63

_NARROW_CHARACTERS = frozenset(" !'(),./:;I[]`fijlrt|\u00a0")
_BROAD_CHARACTERS = frozenset("%@MWmw")
_WITHOUT_WIDTH = {"Mn", "Me", "Cf"}
_JOINER = "\u200d"


def width_of(text: str, size: float) -> float:
    """Return how wide a text in a proportional font of that size is at most."""
    return size * sum(_em(character) for character in text)


def monospaced_width_of(text: str, size: float) -> float:
    """Return how wide an address in a monospaced font of that size is at most."""
    return size * _MONOSPACED * len(text)


def wrap(text: str, size: float, width: float) -> tuple[str, ...]:
    """Break a text into lines no wider than ``width``, after spaces where there are some.

    Nothing is lost: joined, the lines are the text again. A single character wider than ``width`` stands alone.
    """
    lines: list[str] = []
    line = ""
    for word in _words(text):
        if width_of((line + word).rstrip(), size) <= width:
            line += word
        elif width_of(word.rstrip(), size) <= width:
            lines.append(line)
            line = word
        else:
            for piece in _pieces(word):
                if line and width_of((line + piece).rstrip(), size) > width:
                    lines.append(line)
                    line = ""
                line += piece
    return tuple(part for part in (*lines, line) if part)


def _em(character: str) -> float:
    if character in _NARROW_CHARACTERS:
        return _NARROW
    if character in _BROAD_CHARACTERS:
        return _BROAD
    category = unicodedata.category(character)
    if category in _WITHOUT_WIDTH:
        return 0
    if ord(character) < 0x250:  # noqa: PLR2004 - the end of Latin; other alphabets vary more
        return _UPPER if category in ("Lu", "So", "Sm") else _LOWER
    if unicodedata.east_asian_width(character) in "WF" and category != "So":
        return _EAST_ASIAN
    return _SYMBOL if category in ("So", "Cn", "Co") else _BROAD


def _words(text: str) -> Iterator[str]:
    """Yield the words with the spaces that follow each."""
    start = 0
    for index in range(1, len(text)):
        if text[index - 1] == " " and text[index] != " ":
            yield text[start:index]
            start = index
    yield text[start:]


def _pieces(word: str) -> Iterator[str]:
    """Yield what readers take for single characters: marks and joined signs stay with the one before them."""
    piece = ""
    for character in word:
        if piece and not (unicodedata.category(character) in _WITHOUT_WIDTH or piece.endswith(_JOINER)):
            yield piece
            piece = ""
        piece += character
    yield piece
