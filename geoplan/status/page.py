"""What the live page shows of one look after the other, as plain values: the page only sets them in place.

Every text is what ``--watch`` shows, and what units say in it is made visible. The page sets all of it as text.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from geoplan.live.findings.kinds import Severity
from geoplan.status.model import LEFT, UNDER_WAY
from geoplan.status.notification import changes, findings_in
from geoplan.status.table import WRONG, is_seen_well, row_of, summary
from geoplan.wording import count, shown, shown_in_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from geoplan.live.findings.kinds import Finding
    from geoplan.plan.model import Plan
    from geoplan.status.model import RunningPush, Seen, SiteStatus, UnitStatus

MAX_CHANGES = 100
"""That are kept for a page which is opened later."""


class PageContent:
    """All that the page shows, and what of it is new."""

    def __init__(self, plan: Plan) -> None:
        self._places = {site.name: place for place, site in enumerate(plan.sites)}
        self._before: Seen | None = None
        self._changes: deque[dict[str, str]] = deque(maxlen=MAX_CHANGES)
        self.whole: Mapping[str, Any] = {"checksum": plan.checksum}
        """For a page that has just been opened."""

    def take(self, seen: Seen) -> Mapping[str, Any]:
        """Take a look, and return what of the page has changed by it: its time always."""
        at = _clock(seen.status.at)
        for text in self._changed(seen):
            self._changes.appendleft({"at": at, "text": shown_in_line(text)})
        self._before = seen
        status = seen.status
        troubled = {name for finding in findings_in(seen) if _is_problem(finding) for name in finding.sites}
        return self._now(
            {
                "at": at,
                "trouble": "",
                "verdict": shown_in_line(summary(status)),
                "is_well": is_seen_well(status),
                "groups": list(status.groups) if len(status.groups) > 1 else [],
                "sites": [self._site(site, is_troubled=site.name in troubled) for site in status.sites],
                "left_out": _left_out(status.sites_left_out),
                "states": dict(seen.states),
                "links": [
                    [" ".join(str(self._places[name]) for name in links.sites), links.colour.value]
                    for links in seen.links
                ],
                "findings": [_finding(finding) for finding in findings_in(seen)],
                "push": _push(seen.push) if seen.push else None,
                "changes": list(self._changes),
            }
        )

    def fail(self, at: datetime, why: str) -> Mapping[str, Any]:
        """Take that a look has failed, and return what of the page has changed by it."""
        return self._now({**self.whole, "trouble": f"The look at {_clock(at)} failed: {shown_in_line(why)}."})

    def _now(self, content: Mapping[str, Any]) -> Mapping[str, Any]:
        before, self.whole = self.whole, {**self.whole, **content}
        return {key: value for key, value in content.items() if key == "at" or before.get(key, ...) != value}

    def _changed(self, seen: Seen) -> Iterator[str]:
        """Yield what has changed since the look before, in words."""
        if self._before is None:
            return
        before = {unit.address: unit for _, unit in _units(self._before)}
        for site, unit in _units(seen):
            if unit.address in before and (was := before[unit.address].state) is not unit.state:
                yield f"{site.name}: {unit.address} is {unit.state}, was {was}"
        told = changes(findings_in(self._before), findings_in(seen))
        yield from (f"New: {_said(finding)}" for finding in told.appeared)
        yield from (f"Gone: {_said(finding)}" for finding in told.gone)
        if (self._before.push is None) is not (seen.push is None):
            yield "A push has begun" if seen.push else "The push has ended"

    def _site(self, site: SiteStatus, *, is_troubled: bool) -> dict[str, Any]:
        return {
            "place": self._places[site.name],
            "name": shown_in_line(site.name),
            "group": site.group,
            "is_troubled": is_troubled,
            "units": [_unit(site, unit) for unit in site.units],
        }


def _units(seen: Seen) -> Iterator[tuple[SiteStatus, UnitStatus]]:
    for site in seen.status.sites:
        yield from ((site, unit) for unit in site.units)


def _unit(site: SiteStatus, unit: UnitStatus) -> dict[str, Any]:
    return {
        "address": unit.address,
        "state": unit.state.value,
        "cells": [[shown_in_line(cell.plain), cell.style == WRONG] for cell in row_of(site, unit)],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind.value,
        "site": shown_in_line(finding.sites[0]) if len(finding.sites) == 1 else "",
        "message": shown(finding.message),
        "hint": shown(finding.hint),
        "commands": [shown(command) for command in finding.commands],
        "is_problem": _is_problem(finding),
    }


def _push(push: RunningPush) -> dict[str, Any]:
    return {
        "called": shown_in_line(push.called),
        "done": push.done,
        "progress": f"{push.done} of {count(len(push.steps), 'step')} done"
        if push.steps
        else "It checks: no step has begun.",
        "steps": [
            {"number": step.number, "name": shown_in_line(step.name), "state": step.state, "kind": _kind(step.state)}
            for step in push.steps
        ],
    }


def _kind(state: str) -> str:
    return {UNDER_WAY: "now", LEFT: "left", "failed": "failed"}.get(state, "done")


def _said(finding: Finding) -> str:
    where = f"{finding.sites[0]}: " if len(finding.sites) == 1 else ""
    return f"{where}{finding.message}"


def _is_problem(finding: Finding) -> bool:
    return finding.severity is not Severity.KNOWING


def _left_out(sites: int) -> str:
    return f"Not shown: {count(sites, 'site')} with which nothing is wrong." if sites else ""


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone():%H:%M:%S}"
