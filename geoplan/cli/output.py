"""Where output goes: files, pipes that may break, pages on a terminal."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from contextlib import contextmanager
from importlib import import_module
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Protocol, Self, TextIO, cast

import click

from geoplan.cli.files import write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from geoplan.plan.model import Plan


def write_runbook(plan: Plan, output_format: str, output: str | None, *, pager: bool) -> None:
    """Write a plan in the format of a module of ``render``; Markdown for a terminal is laid out for it."""
    if output_format == "markdown" and output is None and sys.stdout.isatty():
        _show(plan, pager=pager)
    else:
        package = "geoplan.render" if output_format == "json" else "geoplan.render.runbook"
        write(import_module(f"{package}.{output_format}").render(plan), output)


def _show(plan: Plan, *, pager: bool) -> None:
    from geoplan.render.runbook.terminal import render

    width, color = terminal()
    text = render(plan, width=width, color=color)
    name = _pager() if pager and sys.stdin.isatty() else None
    if name is None:
        click.echo(text, nl=False, color=color)
        return
    if not os.environ.get("LESS"):
        os.environ["LESS"] = "-R"  # else it shows the codes of colours as text
    # Whether the LESS of the user's own lets colours through is known to click, which is asked by not saying.
    click.echo_via_pager(text, color=None if color and name == "less" else color)


def _pager() -> str | None:
    """Return the name of the program that shows a text page by page, or None where there is none that can run."""
    try:
        words = shlex.split(os.environ.get("PAGER", "")) or ["less"]
    except ValueError:
        return None
    found = shutil.which(words[0])
    return PurePath(found).stem if found else None


def terminal() -> tuple[int, bool]:
    """Return how many columns standard output has, and whether it takes colour (NO_COLOR and the like count)."""
    from rich.console import Console

    console = Console(file=sys.stdout)
    return console.width, console.color_system is not None and not console.no_color


class Outlet:
    """A standard stream. From the first text on that it cannot take, what is written to it is dropped."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.lost_because: str | None = None
        """Why the stream could not be written, once that was so."""

    def write(self, text: str) -> int:
        """Write a text, or drop it."""
        if self.lost_because is None:
            try:
                return self._stream.write(text)
            except (OSError, ValueError) as error:
                self._lose(error)
        return len(text)

    def flush(self) -> None:
        """Have all that was written on its way, or drop it."""
        if self.lost_because is None:
            try:
                self._stream.flush()
            except (OSError, ValueError) as error:
                self._lose(error)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream has
        return getattr(self._stream, name)

    def _lose(self, error: OSError | ValueError) -> None:
        self.lost_because = getattr(error, "strerror", None) or str(error)


def forgiving(stream: TextIO) -> TextIO:
    """Return a stream whose failures are no errors."""
    return stream if isinstance(stream, Outlet) else cast("TextIO", Outlet(stream))


@contextmanager
def dropping_lost_output() -> Iterator[Outlet]:
    """Let standard output break without an error while the block lasts; once broken, it stays forgiving to the end."""
    before = sys.stdout
    outlet = before if isinstance(before, Outlet) else Outlet(before)
    sys.stdout = cast("TextIO", outlet)
    try:
        yield outlet
    finally:
        if outlet.lost_because is None:
            sys.stdout = before


class Showing(Protocol):
    """Something that is shown while its ``with`` block lasts."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


class Appending:
    """What goes to a pipe or a file: line after line, with nothing to take down at the end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return None
