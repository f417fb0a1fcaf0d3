"""How wide a text is at most, and where it may be broken, without knowing the font that will show it."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# In em: what the widest of the usual system fonts need in bold, so that estimates err to the wide side.
_THIN = 0.42
_NARROW = 0.53
_LOWER = 0.73
_UPPER = 0.87
_BROAD = 1.13
_SYMBOL = 1.42
_MONOSPACED = 0.63

_THIN_CHARACTERS = frozenset(" ',.:;IJijl|\u00a0")
_NARROW_CHARACTERS = frozenset('!"()*-[]`/\\frst')
_BROAD_CHARACTERS = frozenset("%@MWmw")
_WITHOUT_WIDTH = {"Mn", "Me", "Cf"}
_PICTURES = {"So", "Cn", "Co"}
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
    if character in _THIN_CHARACTERS:
        return _THIN
    if character in _NARROW_CHARACTERS:
        return _NARROW
    category = unicodedata.category(character)
    if category in _WITHOUT_WIDTH:
        return 0
    if category in _PICTURES:
        return _SYMBOL
    if character in _BROAD_CHARACTERS or not character.isascii():
        return _BROAD  # also East Asian letters, which are 1 em wide; other alphabets stay below
    return _LOWER if character.islower() or character.isdigit() else _UPPER


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
