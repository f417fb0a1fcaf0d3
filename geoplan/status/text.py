"""The status as one table and sentences for people, fitted to the width of a terminal."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from geoplan.printing import laid_out
from geoplan.status.model import Severity
from geoplan.status.table import INDENT, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from geoplan.status.model import Finding, Status

DEFAULT_WIDTH = 80


def as_text(status: Status, *, width: int = DEFAULT_WIDTH, color: bool = False) -> str:
    """Return the table and the findings ``width`` columns wide, with escape codes for colour only where asked for."""
    return laid_out(as_lines(status, width=width), width=width, color=color, soft_wrap=True)


def as_lines(status: Status, *, width: int, height: int | None = None) -> list[Text]:
    """Return all lines, none wider than ``width`` but for commands to type, which are left whole.

    With a ``height`` that they exceed, sites with which nothing is wrong are left out, and then what is too much.
    """
    sentences = list(_findings(status, width))
    lines = [*table(status.sites, width), Text(), *sentences]
    if height is None or _height(lines, width) <= height:
        return lines
    troubled = {name for finding in status.findings for name in finding.sites}
    shown = [site for site in status.sites if site.name in troubled]
    left_out = len(status.sites) - len(shown)
    rows = table(shown, width) if shown else []
    if left_out:
        rows.append(Text(f"and {_count(left_out, 'site')} with which nothing is wrong", style="dim"))
    lines = [*rows, Text(), *sentences]
    if _height(lines, width) <= height:
        return lines
    end = [Text("and more: make the terminal larger", style="dim"), lines.pop()]
    while lines and _height([*lines, *end], width) > height:
        lines.pop()
    return [*lines, *end]


def _height(lines: Sequence[Text], width: int) -> int:
    return sum(max(1, -(-line.cell_len // width)) for line in lines)


def summary(status: Status) -> str:
    """Say in one line how many units there are and how much is wrong."""
    units = sum(len(site.units) for site in status.sites)
    size = f"{status.topology}: {_count(len(status.sites), 'site')}, {_count(units, 'unit')}"
    problems = sum(finding.severity is Severity.PROBLEM for finding in status.findings)
    return f"{size}: {_count(problems, 'finding') if problems else 'all is well'}"


def _findings(status: Status, width: int) -> Iterator[Text]:
    for finding in status.findings:
        yield from _finding(finding, width)
        yield Text()
    yield Text(summary(status), style="bold green" if status.is_well else "bold yellow")


def _finding(finding: Finding, width: int) -> Iterator[Text]:
    is_problem = finding.severity is Severity.PROBLEM
    title = Text("! " if is_problem else "- ", style="bold yellow" if is_problem else "cyan")
    if len(finding.sites) == 1:
        title.append(f"{finding.sites[0]}: ", style="bold")
    yield from _wrapped(title.append(finding.message, style="not bold default"), width)
    if finding.hint:
        yield from _wrapped(Text(f"{INDENT}hint: {finding.hint}", style="dim"), width)
    for command in finding.commands:
        yield Text(f"{INDENT * 2}{command}")


def _wrapped(text: Text, width: int) -> Iterator[Text]:
    """Break a sentence so that what follows its first line is indented."""
    console = Console(file=StringIO(), width=width, legacy_windows=False)
    first, *rest = text.wrap(console, width - len(INDENT))
    yield first
    for line in rest:
        yield Text(INDENT).append_text(line)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
