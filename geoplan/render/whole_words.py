"""Lines for a terminal in which a word, and so an address, is broken only where it alone is wider than the screen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.cells import cell_len, chop_cells
from rich.segment import Segment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.style import Style
    from rich.text import Text

_WORD = re.compile(r"\s*\S+\s*")
_PUNCTUATION = ".,;:)"


def cells_of_widest_word(text: Text) -> int:
    """Return how many cells the widest word of a text takes."""
    return max(map(cell_len, text.plain.split()), default=0)


def lines_of(text: Text, width: int, screen: int) -> Iterator[Text]:
    """Yield a text in lines of ``width`` cells; a word that needs more has a longer line, up to the whole screen."""
    for paragraph in text.split(allow_blank=True):
        for line in paragraph.divide(_breaks(paragraph.plain, width, screen)):
            line.rstrip()
            line.no_wrap = True
            line.overflow = "ignore"
            yield line


def _breaks(text: str, width: int, screen: int) -> Iterator[int]:
    """Yield the offsets at which new lines begin."""
    used = 0
    for word in _WORD.finditer(text):
        bare = word[0].rstrip()
        if used + cell_len(bare) > width and used:
            yield word.start()
            used = 0
        if cell_len(bare) <= max(width, screen):
            used += cell_len(word[0])
            continue
        # Too wide for any line. What only its punctuation makes too wide keeps the rest together.
        alone = cell_len(bare.rstrip(_PUNCTUATION))
        offset = word.start()
        for piece in chop_cells(word[0], screen if alone <= screen else width):
            if offset > word.start():
                yield offset
            offset += len(piece)
            used = cell_len(piece)


def move_right(
    margin: str, lines: Iterable[Iterable[Segment]], width: int, style: Style | None = None
) -> Iterator[Segment]:
    """Set lines to the right by a margin, whose mark stands in the first; a line too long for that by less."""
    blank = " " * len(margin)
    for number, line in enumerate(map(_without_break, lines)):
        room = max(0, width - Segment.get_line_length(line))
        if number == 0 and room < len(margin) and margin.strip():
            yield Segment(f"{margin.rstrip()}\n", style)
        yield Segment((margin if number == 0 and room >= len(margin) else blank)[:room], style)
        yield from line
        yield Segment.line()


def _without_break(line: Iterable[Segment]) -> list[Segment]:
    return [segment for segment in line if segment.text != "\n"]
