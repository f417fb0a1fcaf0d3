"""The report as JSON, for programs; its shape is in the README of this package."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from geoplan.twin import words

if TYPE_CHECKING:
    from geoplan.twin.report import Doubt, Outcome, Report, Row

FORMAT = "geoplan/whatif/1"


def render(report: Report) -> str:
    """Return everything that was tried, the worst first."""
    content = {
        "format": FORMAT,
        "topology": report.topology,
        "live": report.is_live,
        "well": report.is_well,
        "cases": report.cases,
        "possible": report.possible,
        "seed": report.seed,
        "groups": [{"name": name, "sites": sites} for name, sites in report.groups],
        "starts": [start.failed_over for start in report.starts],
        "units_off": report.off,
        "now": _outcome(report, report.now),
        "not_told": [_doubt(report, doubt) for doubt in report.doubts],
        "notes": report.notes,
        "assumed": report.assumed,
    }
    head = json.dumps(content, ensure_ascii=False, indent=2).removesuffix("\n}")
    rows = ",\n    ".join(json.dumps(_row(report, row), ensure_ascii=False) for row in report.rows)  # many: a line each
    return f'{head},\n  "rows": [\n    {rows}\n  ]\n}}\n'


def _row(report: Report, row: Row) -> dict[str, Any]:
    return {
        "failures": [
            {
                "kind": failure.kind.value,
                "sites": failure.sites,
                "units": failure.units,
                "others": failure.others,
                "region": failure.region,
                "text": words.failure_in_words(failure),
            }
            for failure in row.failures
        ],
        "starts": [start.failed_over for start in row.starts],
        "fault": row.is_fault,
        **_outcome(report, row.outcome),
    }


def _outcome(report: Report, outcome: Outcome) -> dict[str, Any]:
    return {
        "in_geo": [site for _, sites in report.groups for site in sites if site not in outcome.lost],
        "down": outcome.down,
        "cut_off": outcome.cut_off,
        "isolated": outcome.isolated,
        "red_links": outcome.red,
        "parted_links": outcome.parted,
        "briefly": outcome.briefly,
        "older": outcome.older,
        "standbys_behind": outcome.behind,
        "until": outcome.until.value,
        "lost_after_repair": outcome.lost_after,
        "red_links_after_repair": outcome.red_after,
        "at_next_failover": outcome.at_failover,
        "tasks": [
            {
                "kind": task.kind.value,
                "sites": task.sites,
                "units": task.units,
                "others": task.others,
                "text": words.task_in_words(task),
            }
            for task in outcome.tasks
        ],
    }


def _doubt(report: Report, doubt: Doubt) -> dict[str, Any]:
    return {
        "site": doubt.site,
        "unit": doubt.unit,
        "partners": doubt.partners,
        "off": doubt.is_off,
        "cut_off_if_not_there": doubt.at_once,
        "rows_if_not_there": [_row(report, row) for row in doubt.rows],
        "text": words.doubt_in_words(doubt),
    }
