"""Where output goes: files, pipes that may break, pages on a terminal."""

from __future__ import annotations

import os
import re
import shutil
import sys
from contextlib import contextmanager
from importlib import import_module
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Protocol, Self, TextIO, cast

import click

from geoplan.cli.files import write
from geoplan.wording import shown_lines, words_of_command

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    from geoplan.plan.model import Plan
    from geoplan.topology.api import UnitApi
    from geoplan.topology.model import Topology


def write_runbook(  # noqa: PLR0913 - options
    plan: Plan,
    topology: Topology,
    output_format: str,
    output: str | None,
    *,
    pager: bool,
    old: Topology | None = None,
) -> None:
    """Write a plan in the format of a module of ``render``; Markdown for a terminal is laid out for it.

    ``old`` is the topology that a change starts from, where it is known: it says where units that leave are logged in
    to. Without it that is where units are as a rule.
    """
    from geoplan.topology.api import apis_of, usual_apis

    units = (unit.address for site in plan.sites for unit in site.units)
    apis = usual_apis(units) | (apis_of(old) if old else {}) | apis_of(topology)
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
        words = words_of_command(os.environ.get("PAGER", "")) or ["less"]
    except ValueError:
        return None
    found = shutil.which(words[0])
    return PurePath(found).stem if found else None


def terminal() -> tuple[int, bool]:
    """Return how many columns standard output has, and whether it takes colour (NO_COLOR and the like count)."""
    from rich.console import Console

    console = Console(file=sys.stdout)
    return console.width, console.color_system is not None and not console.no_color


# Colours, and the cursor of what redraws itself: nothing else has a use in what geoplan prints.
_OF_TERMINALS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Legible:
    """A standard stream in which everything can be read: what would steer a terminal is shown as its code.

    Files, journals and the environment hold what others wrote. What geoplan itself steers passes: on standard output,
    and if somebody wants colours.
    """

    def __init__(self, stream: TextIO, *, steers: bool) -> None:
        self._stream = stream
        self._own: re.Pattern[str] | None = None
        if steers and stream.isatty():
            self._own = _OF_TERMINALS
        elif steers and os.environ.get("FORCE_COLOR"):
            self._own = _COLOURS

    def write(self, text: str) -> int:
        """Write a text as it can be read."""
        self._stream.write(self._legible(text))
        return len(text)

    def _legible(self, text: str) -> str:
        if self._own is None:
            return shown_lines(text)
        own = [*self._own.findall(text), ""]
        return "".join(shown_lines(part) + kept for part, kept in zip(self._own.split(text), own, strict=True))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream has
        if name == "buffer":  # which would take anything
            raise AttributeError(name)
        return getattr(self._stream, name)


def legible(stream: TextIO, *, steers: bool = False) -> TextIO:
    """Return a stream that shows what would steer a terminal, unless it does already."""
    return stream if isinstance(stream, Legible | Outlet) else cast("TextIO", Legible(stream, steers=steers))


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
