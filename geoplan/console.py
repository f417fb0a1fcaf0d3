"""What rich lays out for people, as text: of a given width, with colour only where asked for, the same everywhere."""

from __future__ import annotations

import re
from io import StringIO
from typing import TYPE_CHECKING, Any

from geoplan.wording import shown_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping

    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.padding import Padding
    from rich.segment import Segment
    from rich.style import Style

USUAL_COLUMNS = 80
MAX_COLUMNS = 10_000  # beyond it a line of blanks takes more memory than any text


def make_size_usable(environment: MutableMapping[str, str]) -> None:
    """Have COLUMNS and LINES hold sizes that a terminal can have.

    Libraries take any number from there, and lay nothing out in no column. Without LINES the terminal itself is asked.
    """
    for name in ("COLUMNS", "LINES"):
        given = environment.get(name)
        if given is not None and not (re.fullmatch("[0-9]{1,5}", given) and 0 < int(given) <= MAX_COLUMNS):
            del environment[name]
            if name == "COLUMNS":
                environment[name] = str(USUAL_COLUMNS)


def legible_console(**options: Any) -> Console:  # noqa: ANN401 - those of rich
    """Return a console of rich whose colours and moves of the cursor are its own: whatever else steers is shown."""
    from rich import console, padding, segment  # noqa: PLC0415 - whatever starts looks at the environment here

    class LegibleConsole(console.Console):
        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
            for part in super().render(renderable, options):
                own = part.control is not None or part.text.isprintable()  # as nearly all of a large table is
                yield part if own else segment.Segment(shown_lines(part.text), part.style)

        def render_lines(
            self,
            renderable: RenderableType,
            options: ConsoleOptions | None = None,
            *,
            style: Style | None = None,
            pad: bool = True,
            new_lines: bool = False,
        ) -> list[list[Segment]]:
            if options and pad and not new_lines and not self.is_terminal and isinstance(renderable, padding.Padding):
                lines = _lines_that_fit(renderable, options)
                if lines is not None:
                    return [[segment.Segment(line)] for line in lines]
            return super().render_lines(renderable, options, style=style, pad=pad, new_lines=new_lines)

    return LegibleConsole(highlight=False, emoji=False, markup=False, **options)


def _lines_that_fit(cell: Padding, options: ConsoleOptions) -> list[str] | None:
    """Return a cell of a table without colours as it is drawn, or None where that takes more than blanks around it.

    Most cells of a large table are that; rich finds it out at thirty times the cost.
    """
    content = cell.renderable if isinstance(cell.renderable, str) else getattr(cell.renderable, "plain", None)
    width = options.max_width - cell.left - cell.right
    if content is None or cell.top or cell.bottom or options.height is not None or options.justify == "center":
        return None
    lines = content.split("\n")
    if not all(line.isascii() and line.isprintable() and line == line.strip() and len(line) <= width for line in lines):
        return None
    align = str.rjust if options.justify == "right" else str.ljust
    return [" " * cell.left + align(line, width) + " " * cell.right for line in lines]


def laid_out(parts: Iterable[RenderableType], *, width: int, color: bool, soft_wrap: bool = False) -> str:
    """Return what a terminal ``width`` columns wide shows, no line with a blank at its end.

    ``soft_wrap`` leaves lines that are too long whole, to be broken by the terminal itself.
    """
    console = legible_console(
        file=StringIO(),
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        legacy_windows=False,
    )
    with console.capture() as captured:
        for part in parts:
            console.print(part, soft_wrap=soft_wrap)
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())
