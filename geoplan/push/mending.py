"""Whether a push mends a difference: by a step, or by what a step sets going."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from geoplan.live.findings import Kind, Mend
from geoplan.live.findings.compare import CLUSTERS
from geoplan.live.model import SUBJECTS
from geoplan.push.history import PairProgress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geoplan.live.findings import Difference, Report
    from geoplan.plan.model import Plan
    from geoplan.push.history import History
    from geoplan.push.preflight import PreflightInput

ON_ITS_WAY = timedelta(minutes=10)
"""How long after a change what follows from it is still expected elsewhere: units replicate every two minutes."""


def is_under_way(site: str, resumed: History | None) -> bool:
    """Tell whether the push that is resumed had begun the reboot of a pair, and had not seen its end."""
    return resumed is not None and resumed.progress(site) in (PairProgress.REBOOTING, PairProgress.RESUBMITTED)


@dataclass(frozen=True, slots=True)
class WaysToMend:
    """What this push sets going, and what an earlier one just has, so that other things follow."""

    groups: Mapping[str, str]
    """The group of each site."""
    active: Mapping[str, str | None]
    """The active unit of each site."""
    changing: frozenset[str]
    """The sites whose active unit is changed, or was so a moment ago: its standby follows."""
    linking: frozenset[str]
    """The groups in which partners are submitted, or were so a moment ago: new links share clusters."""
    entering: frozenset[tuple[str, str]]
    """The clusters that a step enters or completes, each behind its group."""

    @classmethod
    def of(cls, plan: Plan, report: Report, background: PreflightInput, forming: frozenset[str]) -> WaysToMend:
        """Find that out of a comparison of all units with the plan."""
        groups = {site.name: site.group for site in plan.sites}
        active = {site.site: site.unit for site in report.sites}
        own = [found for found in report.differences if found.unit == active[found.site]]
        steps = [found for found in own if found.mends is Mend.STEP]
        submitted = [found for found in steps if found.subject in SUBJECTS]
        submitted += [found for found in own if found.kind is Kind.RED and found.mends is Mend.SUBMISSION]
        recent = _recently_changed(plan, background)
        of_clusters = [found for found in own if found.subject == CLUSTERS]
        return cls(
            groups,
            active,
            changing=frozenset({found.site for found in (*steps, *of_clusters)} | recent | forming),
            linking=frozenset({groups[found.site] for found in submitted} | {groups[site] for site in recent}),
            entering=frozenset((groups[found.site], name) for found in steps for name in found.values),
        )

    def mends(self, difference: Difference) -> bool:
        """Tell whether a difference is gone after the push, or is nothing that blocks one."""
        if difference.mends is Mend.NOTHING:
            return False
        if difference.mends is not Mend.REPLICATION:
            return True
        if difference.unit != self.active[difference.site]:
            return difference.site in self.changing
        group = self.groups[difference.site]
        return group in self.linking or any((group, name) in self.entering for name in difference.values)


def _recently_changed(plan: Plan, background: PreflightInput) -> frozenset[str]:
    """Return the sites of which any push has changed something that may still be on its way to other units."""
    ledger, now = background.ledger, background.now
    return frozenset(
        site.name
        for site in plan.sites
        if any((moment := ledger.changed_at(unit.address)) and abs(now - moment) <= ON_ITS_WAY for unit in site.units)
    )
