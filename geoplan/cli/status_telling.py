"""Who is told of each look of a watch: people at the terminal, a page, programs."""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import click

from geoplan.cli.output import end_if_unread, own_console, terminal
from geoplan.status.json import as_json_line
from geoplan.status.table import as_lines, as_text
from geoplan.wording import local_time

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from geoplan.cli.status_page import StatusPage
    from geoplan.plan.model import Plan
    from geoplan.status.model import Seen, Status


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """How a watch shows what it sees, and whom else it tells."""

    seconds: float
    """Between two looks."""
    output_format: str
    output: str | None = None
    """The file that metrics are written to at each look."""
    port: int | None = None
    """The port of loopback that serves metrics or the page; None for any."""
    serve: bool = False
    """Whether a page shows it, in place of the terminal."""
    notify: tuple[str, ...] = ()
    """The program that is told of changes, with its arguments."""
    diff_seconds: float | None = None
    """Between two comparisons with the plan; None for none."""


class Telling(NamedTuple):
    """Who is told of a look."""

    show: Callable[[Status], None]
    """Shows it to people at the terminal."""
    tell: Callable[[Seen], Awaitable[None]]
    """Tells all that was seen to pages and programs."""
    page: StatusPage | None = None
    """The page, if one shows it."""


@asynccontextmanager
async def telling(options: WatchOptions, plan: Plan) -> AsyncIterator[Telling]:
    """Yield what shows each look to people, and tells it to pages and programs."""
    from geoplan.cli.status_metrics import showing_metrics
    from geoplan.cli.status_notify import Notifier

    tellers: list[Callable[[Seen], Awaitable[None]]] = []

    async def tell(seen: Seen) -> None:
        for teller in tellers:
            await teller(seen)

    async with AsyncExitStack() as running:
        if options.output_format == "prometheus":
            tellers.append(await running.enter_async_context(showing_metrics(options.output, options.port)))
        page: StatusPage | None = None
        if options.serve:
            from geoplan.cli.status_page import showing_page

            page = await running.enter_async_context(showing_page(plan, options.port or 0, options.seconds))
            tellers.append(page)
        if options.notify:
            tellers.append(Notifier(options.notify))
        yield Telling(running.enter_context(showing(None if options.serve else options.output_format)), tell, page)


@contextmanager
def showing(output_format: str | None) -> Iterator[Callable[[Status], None]]:
    """Yield what shows one status after the other: in place on a terminal, appended in a pipe, a line each as JSON.

    Metrics, and what a page shows, are not shown there.
    """
    if output_format in (None, "prometheus"):
        yield lambda _status: None
    elif output_format == "json":
        yield _while_read(_append_json)
    elif sys.stdout.isatty():
        with _redrawing() as show:
            yield _while_read(show)
    else:
        yield _while_read(_appending_changes())


def _while_read(show: Callable[[Status], None]) -> Callable[[Status], None]:
    """Return what shows a status, and ends the command where nobody reads it."""

    def show_or_end(status: Status) -> None:
        show(status)
        end_if_unread()

    return show_or_end


def _append_json(status: Status) -> None:
    click.echo(as_json_line(status), nl=False)
    sys.stdout.flush()


def _appending_changes() -> Callable[[Status], None]:
    """Return what writes the whole text with its time, unless nothing has changed but the time."""
    before: Status | None = None

    def show(status: Status) -> None:
        nonlocal before
        if before is None or replace(status, at=before.at) != before:
            parting = "\n" if before else ""
            moment = local_time(status.at)
            click.echo(f"{parting}{moment}\n\n{as_text(status, width=terminal()[0])}", nl=False)
            sys.stdout.flush()
        before = status

    return show


@contextmanager
def _redrawing() -> Iterator[Callable[[Status], None]]:
    """Yield what draws the whole text in the place of the one before; the last one stays."""
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    console = own_console()
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:

        def show(status: Status) -> None:
            width, height = console.size
            moment = Text(f"{status.at.astimezone():%H:%M:%S}   Ctrl-C to stop", style="dim")
            lines = as_lines(status, width=width, height=height - 3)  # the moment, an empty line, one for the cursor
            live.update(Group(moment, Text(), *lines), refresh=True)

        yield show
