"""Where output goes: files, pipes that may break, pages on a terminal."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, Self, TextIO, cast

import click

from geoplan.cli.files import write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    from geoplan.plan.model import Plan
    from geoplan.topology.api import UnitApi
    from geoplan.topology.model import Topology


def write_runbook(plan: Plan, topology: Topology, output_format: str, output: str | None, *, pager: bool) -> None:
    """Write a plan in the format of a module of ``render``; Markdown for a terminal is laid out for it."""
    from geoplan.topology.api import apis_of

    apis = apis_of(topology)
    if output_format == "markdown" and output is None and sys.stdout.isatty():
        _show(plan, apis, pager=pager)
    elif output_format == "json":
        write(import_module("geoplan.render.json").render(plan), output)
    else:
        write(import_module(f"geoplan.render.runbook.{output_format}").render(plan, apis), output)


def _show(plan: Plan, apis: Mapping[str, UnitApi], *, pager: bool) -> None:
    from geoplan.render.runbook.terminal import render

    width, color = terminal()
    text = render(plan, apis, width=width, color=color)
    if pager:
        click.echo_via_pager(text, color=color)
    else:
        click.echo(text, nl=False, color=color)


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
