"""How a watched status shows itself: in place on a terminal, appended in a pipe, a line for each look as JSON."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import click

from geoplan.cli.files import terminal
from geoplan.cli.output import Appending, Showing
from geoplan.status.json import as_json_line
from geoplan.status.table import as_lines, as_text

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from geoplan.status.model import Status


class View(Showing, Protocol):
    """Shows one status after the other while its ``with`` block lasts."""

    def show(self, status: Status) -> None:
        """Show how everything stands now."""


class JsonView(Appending):
    """One look a line."""

    def show(self, status: Status) -> None:
        """Write a status as one line of JSON."""
        click.echo(as_json_line(status), nl=False)
        sys.stdout.flush()


class PlainView(Appending):
    """The whole text with its time, whenever it is another one."""

    def __init__(self) -> None:
        self._before: Status | None = None

    def show(self, status: Status) -> None:
        """Write a status unless nothing has changed but the time."""
        if self._before is None or replace(status, at=self._before.at) != self._before:
            parting = "\n" if self._before else ""
            click.echo(
                f"{parting}{status.at.astimezone():%Y-%m-%d %H:%M:%S}\n\n{as_text(status, width=terminal()[0])}",
                nl=False,
            )
            sys.stdout.flush()
        self._before = status


class TerminalView:
    """The whole text, redrawn in place; the last one stays."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(highlight=False, emoji=False, markup=False)
        self._live = Live(console=self._console, auto_refresh=False, vertical_overflow="crop")

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, status: Status) -> None:
        """Draw a status in the place of the one before."""
        from rich.console import Group
        from rich.text import Text

        width, height = self._console.size
        moment = Text(f"{status.at.astimezone():%H:%M:%S}   Ctrl-C ends", style="dim")
        lines = as_lines(status, width=width, height=height - 3)  # the moment, an empty line, and one for the cursor
        self._live.update(Group(moment, Text(), *lines), refresh=True)


def view_of(output_format: str) -> View:
    """Return the view for where standard output leads."""
    if output_format == "json":
        return JsonView()
    return TerminalView() if sys.stdout.isatty() else PlainView()
