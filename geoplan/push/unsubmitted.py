"""Partners that are on a pair's list already, and that its slave may never have submitted.

Lists replicate, and submissions do not: a list that somebody entered by hand is on both units, and links only the one
that was active. So what a slave has is known from the journals, from links that it showed green, or not at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.addresses import canonical, same_addresses
from geoplan.live.findings import Mend, Note, NoteKind
from geoplan.live.model import SUBJECTS
from geoplan.plan.model import Action
from geoplan.wording import shell_command, some_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from geoplan.live.findings import Report
    from geoplan.live.model import Observations
    from geoplan.plan.model import Plan, SiteSettings
    from geoplan.push.ledger import Ledger


def unsubmitted(plan: Plan, facts: Observations, report: Report, ledger: Ledger) -> dict[str, tuple[str, ...]]:
    """Return of each pair the partners that a change adds, that its list holds, and that nothing says its slave has.

    Only a change tells what is new; of a push without one nobody knows what a slave has submitted at some time.
    """
    if plan.change is None:
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for site in _rebooted_pairs(plan):
        old, active = plan.change.old_site(site.name), facts.active(site.name)
        had = set(map(canonical, old.geo_partners)) if old else set[str]()
        held = set(map(canonical, active.geo_partners or ())) if active else set[str]()
        slave = site.units[1].address
        known = ledger.sights(slave) | ledger.unproven(slave) | ledger.due(slave) | _seen_by(plan, slave, report)
        in_question = [each for each in site.geo_partners if canonical(each) in held - had - known]
        if in_question:
            found[site.name] = tuple(in_question)
    return found


def unsubmitted_notes(plan: Plan, facts: Observations, report: Report, reboots: Collection[str]) -> Iterator[Note]:
    """Yield of each pair that is not rebooted, while others of its group get partners, what its slave may not have."""
    changing = {each.site for each in report.differences if each.subject in SUBJECTS and each.mends is Mend.STEP}
    groups = {plan.site(site).group for site in changing}
    for site in _rebooted_pairs(plan):
        active, slave = facts.active(site.name), site.units[1].address
        held = active.geo_partners if active else None
        is_in_place = held is not None and same_addresses(held, site.geo_partners)
        if site.name in reboots or site.group not in groups or not is_in_place:
            continue
        seen = _seen_by(plan, slave, report)
        if left := [address for address in site.geo_partners if canonical(address) not in seen]:
            message = (
                f"links of the slave {slave} to {some_of(left)}: not proven; its list holds them, so this push does "
                f"not reboot its pair. Unless that slave has submitted them: --reboot always={shell_command(site.name)}"
            )
            yield Note(site.name, message, NoteKind.LINK_NOT_PROVEN)


def _rebooted_pairs(plan: Plan) -> Iterator[SiteSettings]:
    for step in plan.steps:
        if step.action is Action.REBOOT_MASTER:
            yield plan.site(step.site)


def _seen_by(plan: Plan, unit: str, report: Report) -> frozenset[str]:
    """Return the partners, as lists have them, to which a unit's link is proven now, from either end."""
    shown = _shown_addresses(plan)
    proven = [link for link in report.links if link.is_proven]
    ends = [link.partner for link in proven if link.unit == unit] + [
        link.unit for link in proven if link.partner == unit
    ]
    return frozenset(canonical(shown[end]) for end in ends)


def _shown_addresses(plan: Plan) -> Mapping[str, str]:
    return {unit.address: unit.nat_address or unit.address for site in plan.sites for unit in site.units}
