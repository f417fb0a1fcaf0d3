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

    from rich.console import Console

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
    timeline: str = "",
) -> None:
    """Write a plan in the format of a module of ``render``; Markdown for a terminal is laid out for it.

    ``old`` is the topology that a change starts from, where it is known: it says where units that leave are logged in
    to. Without it that is where units are as a rule. ``timeline`` is a picture for HTML.
    """
    if output_format == "markdown" and output is None and sys.stdout.isatty():
        _show(plan, _apis(plan, topology, old), pager=pager)
    elif output_format == "json":
        write(import_module("geoplan.render.json").render(plan), output)
    else:
        given = {"timeline": timeline} if timeline else {}
        write(text_of_runbook(plan, topology, output_format, old=old, **given), output)


def text_of_runbook(
    plan: Plan, topology: Topology, output_format: str, *, old: Topology | None = None, **given: str
) -> str:
    """Return a runbook in a format of ``render.runbook``, which takes what is ``given``."""
    render = import_module(f"geoplan.render.runbook.{output_format}").render
    return str(render(plan, _apis(plan, topology, old), **given))


def _apis(plan: Plan, topology: Topology, old: Topology | None) -> Mapping[str, UnitApi]:
    from geoplan.topology.api import apis_of, usual_apis

    units = (unit.address for site in plan.sites for unit in site.units)
    return usual_apis(units) | (apis_of(old) if old else {}) | apis_of(topology)


def _show(plan: Plan, apis: Mapping[str, UnitApi], *, pager: bool) -> None:
    from geoplan.render.runbook.terminal import render

    width, color = terminal()
    text = render(plan, apis, width=width, color=color)
    name = _pager() if pager and sys.stdin.isatty() else None
    if name is None:
        show_laid_out(text, color=color)
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


def columns() -> int | None:
    """Return how many columns lines of text have on a terminal; None elsewhere: a file or a pipe keeps its lines."""
    return terminal()[0] if sys.stdout.isatty() else None


# Colours, and the cursor of what redraws itself: nothing else has a use in what geoplan prints.
_OF_TERMINALS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Legible:
    """A standard stream in which everything can be read: what would steer a terminal is shown as its code.

    Units, files, journals and the environment hold what others wrote. Through ``own`` goes what geoplan has laid out
    itself: its colours, and on a terminal its moves of the cursor, are sent.
    """

    def __init__(self, stream: TextIO, *, steers: bool) -> None:
        self._stream = stream
        self.own: TextIO = cast("TextIO", self)
        if steers and stream.isatty():
            self.own = cast("TextIO", _Own(self, stream, _OF_TERMINALS))
        elif steers and os.environ.get("FORCE_COLOR"):
            self.own = cast("TextIO", _Own(self, stream, _COLOURS))

    def write(self, text: str) -> int:
        """Write a text as it can be read."""
        self._stream.write(shown_lines(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream has
        if name == "buffer":  # which would take anything
            raise AttributeError(name)
        return getattr(self._stream, name)


class _Own:
    """The way to a standard stream for what is laid out by :mod:`geoplan.console`, which shows what others wrote."""

    def __init__(self, legible: Legible, stream: TextIO, codes: re.Pattern[str]) -> None:
        self._legible = legible
        self._stream = stream
        self._codes = codes

    def write(self, text: str) -> int:
        """Write a text with geoplan's own codes."""
        own = [*self._codes.findall(text), ""]
        parts = zip(self._codes.split(text), own, strict=True)
        self._stream.write("".join(shown_lines(part) + kept for part, kept in parts))
        return len(text)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream has
        return getattr(self._legible, name)


def legible(stream: TextIO, *, steers: bool = False) -> TextIO:
    """Return a stream that shows what would steer a terminal, unless it does already."""
    return stream if isinstance(stream, Legible | Outlet) else cast("TextIO", Legible(stream, steers=steers))


def show_laid_out(text: str, *, color: bool) -> None:
    """Write what :func:`geoplan.console.laid_out` has made to standard output."""
    click.echo(text, file=_own_way(), nl=not text.endswith("\n"), color=color)


def own_console() -> Console:
    """Return a console of rich on standard output, for what redraws itself."""
    from geoplan.console import legible_console

    return legible_console(file=_own_way())


def _own_way() -> TextIO:
    return cast("TextIO", getattr(sys.stdout, "own", sys.stdout))


READER_GONE = 141
"""The exit code of a command that has no other end, once nobody reads its output: as the shell has it for SIGPIPE."""


class Outlet:
    """A standard stream. From the first text on that it cannot take, what is written to it is dropped.

    ``drops`` are the failures for which that holds; any other one is raised.
    """

    def __init__(self, stream: TextIO, drops: tuple[type[Exception], ...] = (OSError, ValueError)) -> None:
        self._stream = stream
        self.drops = drops
        self.lost_because: str | None = None
        """Why the stream could not be written, once that was so."""

    @property
    def own(self) -> TextIO:
        """The way for what geoplan has laid out itself, which is lost with the stream."""
        return cast("TextIO", _OwnOfOutlet(self))

    def write(self, text: str, *, is_own: bool = False) -> int:
        """Write a text, or drop it."""
        if self.lost_because is None:
            try:
                stream = getattr(self._stream, "own", self._stream) if is_own else self._stream
                return int(stream.write(text))
            except self.drops as error:
                self._lose(error)
        return len(text)

    def flush(self) -> None:
        """Have all that was written on its way, or drop it."""
        if self.lost_because is None:
            try:
                self._stream.flush()
            except self.drops as error:
                self._lose(error)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream has
        return getattr(self._stream, name)

    def _lose(self, error: Exception) -> None:
        self.lost_because = getattr(error, "strerror", None) or str(error)


class _OwnOfOutlet:
    """The way for what is laid out, through an outlet."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet

    def write(self, text: str) -> int:
        """Write a text with geoplan's own codes, or drop it."""
        return self._outlet.write(text, is_own=True)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream has
        return getattr(self._outlet, name)


def forgiving(stream: TextIO) -> TextIO:
    """Return a stream whose failures are no errors."""
    return stream if isinstance(stream, Outlet) else cast("TextIO", Outlet(stream))


@contextmanager
def dropping_lost_output() -> Iterator[Outlet]:
    """Let standard output break without an error while the block lasts; once broken, it stays forgiving to the end."""
    before = sys.stdout
    outlet = before if isinstance(before, Outlet) else Outlet(before)
    fewer, outlet.drops = outlet.drops, (OSError, ValueError)
    sys.stdout = cast("TextIO", outlet)
    try:
        yield outlet
    finally:
        outlet.drops = fewer
        if outlet.lost_because is None:
            sys.stdout = before


def for_a_reader(stream: TextIO) -> TextIO:
    """Return a stream whose reader may have had enough, such as ``head``: what follows is dropped, and is no error.

    So a command goes on to its verdict, and its exit code says what it found, whoever has read of it how much.
    """
    return stream if isinstance(stream, Outlet) else cast("TextIO", Outlet(stream, (BrokenPipeError,)))


def end_if_unread() -> None:
    """End a command that has no other end, once nobody reads its output."""
    sys.stdout.flush()
    if isinstance(sys.stdout, Outlet) and sys.stdout.lost_because:
        raise click.exceptions.Exit(READER_GONE)


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
