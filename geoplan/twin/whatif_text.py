"""The report as a table for people, fitted to the width of a terminal, and as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from geoplan.console import laid_out
from geoplan.render.runbook.markdown import in_cell, name
from geoplan.render.runbook.markdown import words as escaped
from geoplan.render.text import DEFAULT_WIDTH, table
from geoplan.twin import words
from geoplan.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from geoplan.twin.report import Report, Row

MOST_ROWS = 60
"""Of pairs of failures, so many are shown; single failures all are."""
HEADINGS = ("What fails", "Lost", "What ends it")


def render(report: Report, *, width: int = DEFAULT_WIDTH, color: bool = False) -> str:
    """Return the verdict and the table, ``width`` columns wide, with escape codes for colour only where asked for."""
    return laid_out(_parts(report), width=width, color=color).rstrip("\n") + "\n"


def render_markdown(report: Report) -> str:
    """Return the verdict and the table as GitHub Flavored Markdown."""
    lines = [f"## {name(report.topology)}: what if", "", f"{words.scope_in_words(report)}.", ""]
    lines += [f"- {escaped(sentence)}" for sentence in words.verdict(report)]
    lines += ["", f"| {' | '.join(HEADINGS)} |", "|---|---|---|"]
    shown, left_out = rows_to_show(report)
    lines += [f"| {' | '.join(in_cell(escaped(cell), cell) for cell in _cells(row))} |" for row in shown]
    lines += [part for each in _below(report, left_out) for part in ("", escaped(each))]
    return "\n".join(lines) + "\n"


def rows_to_show(report: Report) -> tuple[list[Row], int]:
    """Return of each failure the row that costs most, of pairs only the worst, and how many are left out."""
    rows = report.worst
    singles = [row for row in rows if len(row.failures) == 1]
    pairs = [row for row in rows if len(row.failures) > 1]
    return [*singles, *pairs[:MOST_ROWS]], len(pairs[MOST_ROWS:])


def _parts(report: Report) -> Iterator[RenderableType]:
    yield Text(report.topology, style="bold")
    yield words.scope_in_words(report)
    yield ""
    for sentence in words.verdict(report):
        yield Text(sentence if report.is_well else f"! {sentence}", style="" if report.is_well else "bold")
    shown, left_out = rows_to_show(report)
    drawn = table(*HEADINGS)
    for row in shown:
        drawn.add_row(*_cells(row), style="bold" if row.is_fault else "")
    yield drawn
    yield from _below(report, left_out)


def _below(report: Report, left_out: int) -> Iterator[str]:
    """Yield what stands below the table."""
    yield from filter(None, (left_out_in_words(left_out), words.assumed_in_words(report)))


def _cells(row: Row) -> tuple[str, str, str]:
    return words.row_in_words(row), words.lost_in_words(row.outcome), words.ending_in_words(row.outcome)


def left_out_in_words(number: int) -> str:
    """Return what is said of the pairs of failures that are not shown, if there are any."""
    return f"{count(number, 'pair')} of failures that cost less are not shown: see --format json." if number else ""
