"""All findings about live units, in one place: diff, status and the checks before a push show these."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from geoplan.live.findings.compare import verify
from geoplan.live.findings.fleet import certificates, clusters, links, lists_and_clusters, reachability, services
from geoplan.live.findings.forming import linked_without_master, what_is_linked
from geoplan.live.findings.kinds import FindingKind, Severity, generic_command
from geoplan.live.findings.pairs import as_if_formed, planned_pairs, problems_of_unit, sites_to_form
from geoplan.live.findings.settings import setting_findings
from geoplan.live.findings.states import Pair, state_findings
from geoplan.plan.model import Phase

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from geoplan.live.findings import Report
    from geoplan.live.findings.kinds import Command, Finding, Since
    from geoplan.live.links import KnownLinks
    from geoplan.live.model import Observations
    from geoplan.plan.model import Plan
    from geoplan.plan.pairs import HaPairSettings

NOTHING_SEEN: Since = MappingProxyType({})

OF_HA = frozenset(
    {
        FindingKind.NO_HA,
        FindingKind.SAME_MODE,
        FindingKind.MODES_SWAPPED,
        FindingKind.NO_PARTNER,
        FindingKind.PARTNER_MISMATCH,
        FindingKind.PORTS_DIFFER,
        FindingKind.PREFERRED_HOST_DIFFERS,
        FindingKind.ALL_INTERFACES_DIFFER,
        FindingKind.HA_NOT_TOLD,
    }
)
"""What a push that forms pairs may set, or must not change."""


def findings_of(  # noqa: PLR0913 - what is known beside the units' answers
    plan: Plan,
    facts: Observations,
    report: Report,
    *,
    max_clusters: int,
    forming: Collection[str] = (),
    recent: Collection[str] = (),
    since: Since = NOTHING_SEEN,
    command: Command = generic_command,
) -> tuple[Finding, ...]:
    """Return everything that is found about units, what has to be done first.

    ``report`` compares them with the plan. ``forming`` are the sites whose pairs a push forms, and ``recent`` those of
    which one has changed something a moment ago, where more is known of that than the units tell. ``since`` says when
    units were seen to come into their present state. ``command`` returns a command of geoplan about this topology as it
    is to be typed: it takes the command's name and further words.
    """
    found = [*_of_pairs(plan, facts, forming, since, command), *reachability(facts), *certificates(facts)]
    facts = as_if_formed(facts, frozenset(forming))
    if Phase.GEO in plan.phases():
        found += services(plan, facts)
        found += links(facts, report, command)
        found += lists_and_clusters(plan, report, forming, recent, command)
        found += clusters(plan, facts, max_clusters, command)
    formed = {pair.site: pair for pair in planned_pairs(plan)}
    found = [_judged(finding, formed, facts, forming) for finding in found]
    return tuple(sorted(found, key=lambda finding: finding.severity is Severity.KNOWING))


def _of_pairs(
    plan: Plan, facts: Observations, forming: Collection[str], since: Since, command: Command
) -> Iterator[Finding]:
    for site in facts.asked(plan):
        if site.kind == "ha_pair":
            master, slave = facts.of_site(site.name)
            pair = Pair(site, master, slave, plan.health_check_port_of(site.name), since, command)
            for finding in state_findings(pair):
                # What the health checks of single units answer says nothing of a pair.
                if site.name not in forming or finding.kind in (FindingKind.UNIT_DOWN, FindingKind.PAIR_DOWN):
                    yield finding
            for finding in setting_findings(plan, pair):
                yield _not_to_be_formed(finding, plan, facts) if finding.kind is FindingKind.NO_HA else finding


def _not_to_be_formed(finding: Finding, plan: Plan, facts: Observations) -> Finding:
    """Return a finding without the command that forms its pair, where that would be refused."""
    site = finding.sites[0]
    if not (linked := linked_without_master(plan, site, facts)):
        return finding
    message, hint = what_is_linked(plan, site, linked)
    return replace(finding, message=f"{finding.message}; {message}", hint=hint, commands=())


def _judged(
    finding: Finding, formed: dict[str, HaPairSettings], facts: Observations, forming: Collection[str]
) -> Finding:
    """Return a finding about HA parameters as it matters to a plan that forms its pair."""
    pair = formed.get(finding.sites[0]) if finding.sites else None
    if pair is None or finding.kind not in OF_HA:
        return finding
    wanted = {each.address: each for each in (pair.master, pair.slave)}
    blocks = any(
        any(problems_of_unit(unit, wanted[address], is_formed=pair.site in forming))
        for address in finding.units
        if address in wanted and (unit := facts.unit(address))
    )
    mild = Severity.MENDING if finding.severity is Severity.BLOCKING else finding.severity
    return replace(finding, severity=Severity.BLOCKING if blocks else mild)


def examine(  # noqa: PLR0913 - what is known beside the units' answers
    plan: Plan,
    facts: Observations,
    known: KnownLinks,
    *,
    max_clusters: int,
    since: Since = NOTHING_SEEN,
    command: Command = generic_command,
) -> tuple[Report, tuple[Finding, ...]]:
    """Compare units with the plan, and return that with everything that is found about them."""
    forming = sites_to_form(plan, facts)
    report = verify(plan, facts, known)
    formed = as_if_formed(facts, forming)
    found = findings_of(
        plan,
        facts,
        verify(plan, formed, known, forming=forming) if forming else report,
        max_clusters=max_clusters,
        forming=forming,
        since=since,
        command=command,
    )
    return report, found
