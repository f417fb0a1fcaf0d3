"""What forbids a failover drill beside what forbids any push: a pair on its slave, a debt, whatever differs.

A drill mends nothing, so whatever a push would mend has to be mended before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.live.findings import Kind, Mend
from geoplan.live.model import State
from geoplan.loadmaster.decode import moment
from geoplan.plan.drill import drilled_site, goes_back
from geoplan.push.boots import room_at
from geoplan.push.history import PairProgress
from geoplan.wording import local_time

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from geoplan.live.findings import Difference, Report
    from geoplan.live.model import Observations
    from geoplan.plan.model import Plan
    from geoplan.push.history import History
    from geoplan.push.ledger import Ledger

    Found = tuple[str, str, str]

PUSH_FIRST = "push first: geoplan push checks all of it and mends what it can"


def pairs_to_drill(plan: Plan, resumed: History | None) -> tuple[str, ...]:
    """Return the pair that a drill is still to reboot, if the plan is one."""
    site = drilled_site(plan)
    has_begun = resumed is not None and site is not None and resumed.last_reboot(site) is not None
    return () if site is None or has_begun else (site,)


def drill_problems(  # noqa: PLR0913 - what is known beside the units' answers
    plan: Plan, facts: Observations, report: Report, ledger: Ledger, *, resumed: History | None, now: datetime
) -> Iterator[Found]:
    """Yield what forbids a drill: where, what, and what to do; nothing where the plan is none."""
    name = drilled_site(plan)
    if name is None:
        return
    site = plan.site(name)
    master, slave = facts.of_site(name)
    for pair in plan.sites:
        if ledger.owes_reboot(pair) and not _is_drilled(resumed, pair.name):
            yield pair.name, "its slave still owes links: a push left its reboot out, or did not come to it", PUSH_FIRST
    if resumed is None or resumed.progress(name) is PairProgress.NOT_BEGUN:
        if slave.state is State.ACTIVE and not goes_back(plan):
            again = "go back with --back" if site.preferred_host == "none" else "wait until the master has taken over"
            yield name, f"its slave {slave.address} is active, so there is no failover to drill", again
        for unit in (master, slave) if goes_back(plan) else (master,):
            if later := room_at(ledger.reboots_of(unit.address), now, moment(unit.boot_time or "")):
                message = "it was rebooted 3 times in 5 minutes; one more reboot, and it makes itself passive"
                yield unit.address, message, f"try again after {local_time(later)}"
    for difference in report.differences:
        if not (
            _is_drilled(resumed, name) or _is_left(difference, slave.address if slave.state is State.STANDBY else None)
        ):
            yield difference.site, difference.message, difference.hint or PUSH_FIRST


def _is_drilled(resumed: History | None, site: str) -> bool:
    """Return whether the drill that is resumed has rebooted a pair already: what follows from that is its finding."""
    return resumed is not None and resumed.last_reboot(site) is not None


def _is_left(difference: Difference, slave: str | None) -> bool:
    """Return whether a difference is in no drill's way.

    That its own slave is red while it stands by may be its nature, or it never submitted: the drill shows which.
    """
    if difference.kind is Kind.RED:
        return slave is not None and difference.partner == slave
    return difference.mends in (Mend.LEFT, Mend.BY_HAND)


def red_standby(plan: Plan, report: Report) -> tuple[str, ...]:
    """Return the units that show the slave of a drill's pair red before it: it may drop out while it is active."""
    name = drilled_site(plan)
    slave = plan.site(name).units[1].address if name else None
    return tuple(link.unit for link in report.links if link.is_red and link.partner == slave)
