"""The runbook laid out for a terminal, to be read page by page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.cells import cell_len, chop_cells
from rich.markdown import CodeBlock, ListItem, Markdown, Paragraph, TableElement
from rich.segment import Segment
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from geoplan.console import laid_out
from geoplan.render.runbook import markdown
from geoplan.render.text import DEFAULT_WIDTH

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.style import Style

    from geoplan.plan.model import Plan
    from geoplan.topology.api import UnitApi


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


BULLET = " • "


class _Paragraph(Paragraph):
    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from lines_of(self.text, options.max_width, console.width)


class _CodeBlock(CodeBlock):
    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        code = Syntax("", self.lexer_name, theme=self.theme).highlight(str(self.text).rstrip())
        code.rstrip()
        lines = lines_of(code, options.max_width - 2, console.width)
        yield Text()
        yield from move_right(" ", (line.render(console) for line in lines), options.max_width)
        yield Text()


class _ListItem(ListItem):
    def render_bullet(self, console: Console, options: ConsoleOptions) -> RenderResult:
        inside = options.update(width=options.max_width - len(BULLET))
        lines = Segment.split_lines(console.render(self.elements, inside))
        yield from move_right(BULLET, lines, options.max_width, console.get_style("markdown.item.bullet"))


class _Table(TableElement):
    """A table that breaks its lines between words alone, and becomes a list where that leaves no room for it."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        headings = [cell.content for cell in self.header.row.cells] if self.header and self.header.row else []
        rows = [[cell.content for cell in row.cells] for row in self.body.rows] if self.body else []
        columns = list(zip(headings, *rows, strict=True))
        narrowest = [max(map(cells_of_widest_word, column)) for column in columns]
        widest = [max(cell.cell_len for cell in column) for column in columns]
        for table in super().__rich_console__(console, options):
            if not isinstance(table, Table):
                yield table
                continue
            between = console.measure(table, options=options.update(width=sum(widest) * 2)).maximum - sum(widest)
            room = options.max_width - between
            if sum(narrowest) > room:
                yield from self._as_list(headings, rows, console, options)
                continue
            for column, width in zip(table.columns, _shared(room, narrowest, widest), strict=True):
                column.width = width
                column.overflow = "fold"
            yield table

    @staticmethod
    def _as_list(
        headings: list[Text], rows: list[list[Text]], console: Console, options: ConsoleOptions
    ) -> RenderResult:
        for number, (first, *others) in enumerate(rows):
            if number:
                yield Text()
            title = first.copy()
            title.stylize("bold")
            yield from lines_of(title, options.max_width, console.width)
            for heading, cell in zip(headings[1:], others, strict=True):
                entry = Text.assemble((f"{heading}: ", "markdown.table.header"), cell)
                lines = lines_of(entry, options.max_width - 2, console.width)
                yield from move_right("  ", (line.render(console) for line in lines), options.max_width)
        yield Text()


class _Runbook(Markdown):
    elements = {  # noqa: RUF012 - as the class it extends has it
        **Markdown.elements,
        "paragraph_open": _Paragraph,
        "fence": _CodeBlock,
        "list_item_open": _ListItem,
        "table_open": _Table,
    }


def render(plan: Plan, apis: Mapping[str, UnitApi], *, width: int = DEFAULT_WIDTH, color: bool = False) -> str:
    """Return the runbook ``width`` columns wide, without the picture, whose source says little on a terminal.

    An address or a URL stays in one piece unless it alone is wider: whoever copies half of one has a wrong one.
    """
    text = markdown.render(plan, apis, picture=False, links=False)
    # The theme of the terminal itself: code in its own colours, on its own background.
    runbook = _Runbook(text, code_theme="ansi_dark", hyperlinks=False)
    return laid_out([runbook], width=width, color=color)


def _shared(room: int, narrowest: list[int], widest: list[int]) -> list[int]:
    """Return how wide each column is: what its words need, and of what is left a share by what it still lacks."""
    if sum(widest) <= room:
        return widest
    left, lacking = room - sum(narrowest), sum(widest) - sum(narrowest)
    return [low + left * (high - low) // lacking for low, high in zip(narrowest, widest, strict=True)]
