"""What rich lays out for people, as text: of a given width, with colour only where asked for, the same everywhere."""

from __future__ import annotations

import re
from io import StringIO
from typing import TYPE_CHECKING, Any

from geoplan.wording import shown_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping

    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

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
    from rich import console, segment  # noqa: PLC0415 - whatever starts looks at the environment here

    class LegibleConsole(console.Console):
        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
            for part in super().render(renderable, options):
                own = part.control is not None or part.text.isprintable()  # as nearly all of a large table is
                yield part if own else segment.Segment(shown_lines(part.text), part.style)

    return LegibleConsole(highlight=False, emoji=False, markup=False, **options)


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
