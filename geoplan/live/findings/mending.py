"""Whether a push mends a difference: by a step, or by what a step sets going."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from geoplan.live.findings import Kind, Mend
from geoplan.live.findings.compare import CLUSTERS
from geoplan.live.model import HA_SUBJECT, SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from geoplan.live.findings import Difference, Report
    from geoplan.plan.model import Plan


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
    unknown: frozenset[str] = frozenset()
    """The groups of which not all sites were asked: what is entered there, and so comes to others, is not known."""

    @classmethod
    def of(cls, plan: Plan, report: Report, forming: Collection[str] = (), recent: Collection[str] = ()) -> WaysToMend:
        """Find that out of a comparison of all units with the plan.

        ``recent`` are the sites of which something was changed a moment ago, which may still be on its way elsewhere.
        """
        groups = {site.name: site.group for site in plan.sites}
        active = {site.site: site.unit for site in report.sites}
        own = [found for found in report.differences if found.unit == active[found.site]]
        steps = [found for found in own if found.mends is Mend.STEP and found.subject != HA_SUBJECT]
        submitted = [found for found in steps if found.subject in SUBJECTS]
        submitted += [found for found in own if found.kind is Kind.RED and found.mends is Mend.SUBMISSION]
        of_clusters = [found for found in own if found.subject == CLUSTERS and found.mends is not Mend.BY_HAND]
        return cls(
            groups,
            active,
            changing=frozenset({found.site for found in (*steps, *of_clusters)} | {*recent, *forming}),
            linking=frozenset({groups[found.site] for found in submitted} | {groups[site] for site in recent}),
            entering=frozenset((groups[found.site], name) for found in steps for name in found.values),
            unknown=frozenset(group for site, group in groups.items() if site not in active),
        )

    def mends(self, difference: Difference) -> bool:
        """Return whether a difference is gone after the push, or is nothing that blocks one."""
        if difference.mends is Mend.NOTHING:
            return False
        if difference.mends is not Mend.REPLICATION:
            return True
        if difference.unit != self.active[difference.site]:
            return difference.site in self.changing
        group = self.groups[difference.site]
        return group in self.linking | self.unknown or any((group, name) in self.entering for name in difference.values)
