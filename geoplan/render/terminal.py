"""The runbook laid out for a terminal, to be read page by page."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markdown import Markdown, TableElement
from rich.table import Table

from geoplan.render import markdown
from geoplan.render.text import DEFAULT_WIDTH

if TYPE_CHECKING:
    from rich.console import ConsoleOptions, RenderResult

    from geoplan.plan.model import Plan


class _WholeTable(TableElement):
    """A table that breaks what does not fit, since an address that is cut short is a wrong one."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for part in super().__rich_console__(console, options):
            if isinstance(part, Table):
                for column in part.columns:
                    column.overflow = "fold"
            yield part


class _Runbook(Markdown):
    elements = {**Markdown.elements, "table_open": _WholeTable}  # noqa: RUF012 - as the class it extends has it


def render(plan: Plan, *, width: int = DEFAULT_WIDTH, color: bool = False) -> str:
    """Return the runbook ``width`` columns wide, without the picture, whose source says little on a terminal."""
    console = Console(
        file=StringIO(),
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        legacy_windows=False,
        highlight=False,
        emoji=False,
    )
    text = markdown.render(plan, picture=False, links=False)
    with console.capture() as captured:
        # The theme of the terminal itself: code in its own colours, on its own background.
        console.print(_Runbook(text, code_theme="ansi_dark", hyperlinks=False))
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())
