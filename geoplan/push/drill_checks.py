"""What forbids a failover drill beside what forbids any push: a pair on its slave, a debt, whatever differs.

A drill mends nothing, so whatever a push would mend has to be mended before. A push that reboots a master submits on
the slave meanwhile; a drill does not, so the slave has to be known to have its links before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.live.findings import Kind, Mend
from geoplan.live.links import Colour
from geoplan.live.model import State
from geoplan.plan.drill import drilled_site, goes_back
from geoplan.push.boots import room_problem
from geoplan.push.history import PairProgress
from geoplan.push.problems import Problem
from geoplan.wording import some_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from geoplan.live.findings import Difference, Report
    from geoplan.live.findings.kinds import Command
    from geoplan.live.links import Link
    from geoplan.live.model import Observation, Observations
    from geoplan.plan.model import Plan, SiteSettings
    from geoplan.push.history import History
    from geoplan.push.ledger import Ledger

PUSH_FIRST = "push first:"
GO_BACK = "make the master active again:"


def pairs_to_drill(plan: Plan, resumed: History | None) -> tuple[str, ...]:
    """Return the pair that a drill is still to reboot, if the plan is one."""
    site = drilled_site(plan)
    has_begun = resumed is not None and site is not None and resumed.last_reboot(site) is not None
    return () if site is None or has_begun else (site,)


def drill_problems(  # noqa: PLR0913 - what is known beside the units' answers
    plan: Plan,
    facts: Observations,
    report: Report,
    ledger: Ledger,
    *,
    resumed: History | None,
    now: datetime,
    command: Command,
) -> Iterator[Problem]:
    """Yield what forbids a drill; nothing where the plan is none.

    Whatever has to be pushed first is one command, however much that is. ``command`` returns a command of geoplan about
    the topology as it is typed.
    """
    name = drilled_site(plan)
    if name is None:
        return
    site = plan.site(name)
    slave = facts.of_site(name)[1]
    is_drilled = _is_drilled(resumed, name)
    next_active = _next_active(plan, site, facts)
    unlinked = () if is_drilled else tuple(_not_known_to_be_linked(site, next_active, report))
    to_reboot = {*report.pairs_to_finish, *((name,) if unlinked and next_active is slave else ())}
    reboots = (f"always={pair.name}" for pair in plan.sites if pair.name in to_reboot)
    push = command("push", *(word for pair in reboots for word in ("--reboot", pair)))
    for pair in plan.sites:
        if ledger.owes_reboot(pair) and not _is_drilled(resumed, pair.name):
            message = "its slave still owes links: a push left its reboot out, or did not come to it"
            yield Problem(pair.name, message, PUSH_FIRST, commands=(push,))
    if resumed is None or resumed.progress(name) is PairProgress.NOT_BEGUN:
        yield from _turn_problems(plan, site, facts, command)
        yield from _room_problems(plan, facts, ledger, now)
    for message in unlinked:
        yield _unlinked(site, next_active, message, push)
    for difference in report.differences:
        if not (is_drilled or _is_left(difference, plan, next_active, slave)):
            hint, commands = (difference.hint, ()) if difference.hint else (PUSH_FIRST, (push,))
            yield Problem(difference.site, difference.message, hint, commands=commands)


def _is_drilled(resumed: History | None, site: str) -> bool:
    """Return whether the drill that is resumed has rebooted a pair already: what follows from that is its finding."""
    return resumed is not None and resumed.last_reboot(site) is not None


def _next_active(plan: Plan, site: SiteSettings, facts: Observations) -> Observation:
    """Return the unit that the drill's first reboot makes active."""
    master, slave = facts.of_site(site.name)
    return master if goes_back(plan) and slave.state is State.ACTIVE else slave


def _turn_problems(plan: Plan, site: SiteSettings, facts: Observations, command: Command) -> Iterator[Problem]:
    slave = facts.of_site(site.name)[1]
    if slave.state is not State.ACTIVE or goes_back(plan):
        return
    message = f"its slave {slave.address} is active, so there is no failover to drill"
    if site.preferred_host == "none":
        again = command("drill", "--site", site.name, "--back")
        yield Problem(site.name, message, GO_BACK, commands=(again,))
    else:
        yield Problem(site.name, message, "wait until the master has taken over")


def _room_problems(plan: Plan, facts: Observations, ledger: Ledger, now: datetime) -> Iterator[Problem]:
    master, slave = facts.of_site(drilled_site(plan) or "")
    for unit in (master, slave) if goes_back(plan) else (master,):
        if problem := room_problem(unit, ledger.reboots_of(unit.address), now):
            yield problem


def _not_known_to_be_linked(site: SiteSettings, unit: Observation, report: Report) -> Iterator[str]:
    """Yield why a unit that would become active may drop out of GEO then: it is red, or nothing shows its links.

    What shows them is a partner that sees it green, what it saw itself while it was active, or a push that submitted
    its partners on it in its turn. Of a master nobody has to tell: it was submitted on when its lists were entered.
    """
    if unit.state is not State.STANDBY:
        return  # what it is instead is told by itself
    links = [link for link in report.links if link.is_asked and link.partner == unit.address and link.site != site.name]
    if red := [link.unit for link in links if link.is_red]:
        yield f"it is red on {some_of(red)}, so '{site.name}' may drop out of GEO once it is active"
    elif unit.role == "slave" and (untold := [link.unit for link in links if not _is_known(link)]):
        yield f"nothing shows that it has links with {some_of(untold)}, so '{site.name}' may drop out of GEO with it"


def _is_known(link: Link) -> bool:
    return link.is_proven or (link.is_unseen and link.colour is not Colour.RED)


def _unlinked(site: SiteSettings, unit: Observation, message: str, push: str) -> Problem:
    if unit.role == "slave":
        hint = "push first, which submits its partners while it is active (it reboots the master):"
        return Problem(unit.address, message, hint, sites=(site.name,), commands=(push,))
    return Problem(unit.address, message, f"make {unit.address} active by hand, and push at once:", commands=(push,))


def _is_left(difference: Difference, plan: Plan, next_active: Observation, slave: Observation) -> bool:
    """Return whether a difference is in no drill's way.

    What is red of the unit that would become active has a problem of its own. A slave that is red while it is active is
    what going back ends.
    """
    if difference.kind is not Kind.RED:
        return difference.mends in (Mend.LEFT, Mend.BY_HAND)
    ends = {difference.unit, difference.partner}
    if goes_back(plan) and slave.state is State.ACTIVE and slave.address in ends:
        return True
    return next_active.state is State.STANDBY and difference.partner == next_active.address
