"""The report as one page for a browser, with the picture in which each failure shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.render import failures
from geoplan.twin import words
from geoplan.twin.whatif_text import HEADINGS, left_out_in_words, rows_to_show

if TYPE_CHECKING:
    from geoplan.plan.model import Plan
    from geoplan.twin.report import Report, Row


def render(report: Report, plan: Plan) -> str:
    """Return the page; ``plan`` is that of the topology, for the picture."""
    shown, left_out = rows_to_show(report)
    page = failures.FailurePage(
        scope=words.scope_in_words(report),
        verdict=[*words.verdict(report), *filter(None, [words.assumed_in_words(report)])],
        is_well=report.is_well,
        headings=HEADINGS,
        rows=[_row(row) for row in shown],
        left_out=left_out_in_words(left_out),
    )
    return failures.render(plan, page)


def _row(row: Row) -> failures.FailureRow:
    outcome = row.outcome
    return failures.FailureRow(
        failure=words.row_in_words(row),
        lost=words.lost_in_words(outcome),
        ending=words.ending_in_words(outcome),
        is_fault=row.is_fault,
        sites=tuple(site for failure in row.failures for site in (*failure.sites, *failure.others)),
        off=tuple(unit for failure in row.failures for unit in failure.units),
        gone=(*outcome.down, *outcome.isolated),
        cut_off=(*outcome.cut_off, *(site for link in outcome.red for site in link)),
        briefly=outcome.briefly,
    )
