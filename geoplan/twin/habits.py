"""What may be so of units and people in a rehearsal from its beginning, or happens between requests: the habits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from geoplan.plan.model import Phase
from geoplan.twin.beginnings import (
    AnswerLostByQuickUnit,
    DeafUnits,
    Debts,
    EarlyReturns,
    EmptiedList,
    EmptiedNewcomer,
    EmptyStandby,
    ForgottenLinks,
    IgnoredSubmissions,
    NoRebootsAtFirst,
    ShortEstimates,
    StaleCluster,
)
from geoplan.twin.between import LOSSES, THENS, ClosedApi, LostRequest, Middlebox
from geoplan.twin.incidents import KILL_BEFORE, Case, at_change
from geoplan.twin.people import ClockSetBack, ForeignReboot, Hand, HandAtRead, SeedTakenAway, Switchover
from geoplan.twin.units import (
    Colours,
    HaTold,
    OtherParameter,
    RedStandbys,
    RefusingStandbys,
    Replication,
    TakingStandbys,
)
from geoplan.twin.watch import SUBMISSION
from geoplan.twin.witnesses import OtherHealth, OtherStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from geoplan.plan.model import Plan, SiteSettings
    from geoplan.twin.incidents import Change

SET_BACK_SECONDS = 7200.0


def habits(changes: Sequence[Change], plan: Plan) -> Iterator[Case]:
    """Yield what may be so from the beginning, or happens between requests: each at every pair or site."""
    yield Case("standbys:refuse", "standbys refuse all reads", (RefusingStandbys("all"),))
    yield Case("standbys:refuse-lists", "standbys refuse to tell their lists", (RefusingStandbys("both lists"),))
    yield Case("standbys:refuse-backup", "standbys refuse a backup", (RefusingStandbys("backup"),))
    yield Case("standbys:take-writes", "standbys take lists that reach nobody", (TakingStandbys(),))
    yield Case("standbys:red", "standbys run no GEO", (RedStandbys(),))
    yield Case("colours:nothing", "no unit tells the status of its partners", (Colours("nothing"),))
    yield Case("colours:some", "units tell the status of some partners", (Colours("some"),))
    yield Case("modes:untold", "no unit tells its HA mode", (HaTold("absent", "0"),))
    yield Case("clock:back", "the clock of this machine is set back by 2 h", (ClockSetBack(1.0, 7200.0),))
    yield from _of_all(changes, plan)
    for site in plan.sites:
        own = [change for change in changes if change.site == site.name]
        if not own:
            continue
        begun, last = own[0].seconds, own[-1].seconds
        for name, adds in (("add", True), ("remove", False)):
            for subject in ("geopartners", "geoclients"):
                meaning = f"somebody {name}s an address on {subject} of {site.name}"
                hand = Hand(site.name, subject, adds, max(0.0, last - 0.2))
                yield Case(f"{site.name}:hand-{name}s-{subject}", meaning, (hand,))
        submissions = [change for change in own if change.subject == SUBMISSION]
        if len(submissions) > 1:
            late = HandAtRead(site.name, submissions[-1].unit, submissions[-1].number - 1)
            yield Case(f"{site.name}:hand-adds-last", f"somebody adds a partner at {site.name} just in time", (late,))
        if site.kind == "ha_pair":
            yield from _habits_of_pair(site.name, site.units[0].address, site.units[1].address, begun, last)


def _habits_of_pair(site: str, master: str, slave: str, begun: float, last: float) -> Iterator[Case]:
    yield from _witnesses(site, master, slave)
    late = (TakingStandbys(), LostRequest(master, "set:geopartners", "late", 1, "failover"))
    meaning = f"{site} fails over while its partners are entered, and {master} takes them as a standby"
    yield Case(f"{site}:partners-late", meaning, late)
    meaning = f"{master} is back from its reboots too early, and each push of them is abandoned"
    yield Case(f"{site}:early-returns", meaning, (EarlyReturns(master),))
    for how in ("refused", "timeout", "certificate", "401"):
        meaning = f"the API of {slave} closes ({how}) while its health check answers"
        yield Case(f"{site}:closed-{how}", meaning, (ClosedApi(slave, how),))
    yield Case(
        f"{site}:other-parameter",
        f"{master} listens on all interfaces otherwise than planned",
        (OtherParameter(master, "all_interfaces"),),
    )
    yield Case(f"{site}:middlebox", f"something answers for dead units of {site}", (Middlebox(site),))
    for loss in LOSSES:
        for then in THENS[1:]:
            lost = LostRequest(master, "reboot", loss, 2, then)
            meaning = f"the reboot of {master} comes to nothing ({loss}), and meanwhile: {then}"
            yield Case(f"{site}:reboot-{loss}-{then.replace(' ', '-')}", meaning, (lost,))
    yield Case(f"{site}:replicates-slowly", f"{site} replicates ten times as slowly", (Replication(site, never=False),))
    yield Case(f"{site}:replicates-never", f"{site} does not replicate", (Replication(site, never=True),))
    for name, moment in (("early", begun), ("late", last)):
        yield Case(f"{site}:switchover-{name}", f"somebody switches {site} over", (Switchover(site, moment),))
        yield Case(f"{site}:slave-reboots-{name}", f"somebody reboots {slave}", (ForeignReboot(slave, moment),))


def _of_all(changes: Sequence[Change], plan: Plan) -> Iterator[Case]:
    """Yield what takes two things, or another beginning: a push that is not the first, or has not told all."""
    pairs = [site for site in plan.sites if site.kind == "ha_pair" and site.geo_partners]
    forms = Phase.HA in plan.phases()
    slaves = tuple(site.units[1].address for site in pairs)
    reboot = next((change.number for change in changes if change.subject == "reboot"), None)
    if slaves and not forms:
        first, untold = pairs[0], Colours("html")
        ignored = IgnoredSubmissions(slaves)
        short = (RefusingStandbys("both lists"), ShortEstimates())
        yield Case("times:too-short", "the topology says 0 s for a replication, and standbys refuse their lists", short)
        meaning = "slaves do not take their submission, and no unit tells the status of its partners"
        yield Case("colours:html-ignored", meaning, (untold, ignored))
        meaning = "reboots are left out at first, and no unit tells the status of its partners"
        yield Case("reboots:left-out", meaning, (untold, NoRebootsAtFirst()))
        meaning = f"the answer to the reboot of {first.units[0].address} is lost, and it boots in 15 s"
        lost = AnswerLostByQuickUnit(first.units[0].address, "reboot", "applied")
        yield Case("reboots:answered-late", meaning, (lost,))
        if reboot is not None:
            meaning = "killed and abandoned before the first reboot, and no unit tells the status of its partners"
            yield Case("reboots:abandoned", meaning, (untold, Debts(), at_change(reboot, KILL_BEFORE)), abandons=1)
    if forms:
        parameter = _own_parameter(plan)
        yield Case("modes:deaf", f"units do not take their HA parameter {parameter}", (DeafUnits(parameter),))
    for group in plan.change.joined if plan.change else ():
        members = next(each.sites for each in plan.groups if each.name == group.name)
        others = [name for name in members if name not in group.joining]
        for name in group.joining if others else ():
            unit, cluster = plan.site(name).units[0].address, plan.cluster(others[-1])
            meaning = f"somebody deletes the cluster '{cluster.name}' on {name} before it joins"
            yield Case(f"{name}:seed-deleted", meaning, (SeedTakenAway(unit, cluster.address),))
            source = plan.site(group.reference).units[0].address
            meaning = f"{name} had the GEO configuration of the others once, and was emptied by hand only now"
            yield Case(f"{name}:emptied", meaning, (EmptiedNewcomer(unit, source),))
    if plan.change is None and not forms:
        yield from _of_second_push(plan, pairs)


def _of_second_push(plan: Plan, pairs: Sequence[SiteSettings]) -> Iterator[Case]:
    """Yield what may be so of units that hold the plan already, by an earlier push."""
    someone = next((site.units[0].address for site in plan.sites[::-1] if site.remote_geo_access), None)
    if someone is None:
        return
    meaning = "pushed before, and all links are gone since"
    yield Case("again:links-lost", meaning, (ForgottenLinks(),), is_pushed=True)
    meaning = f"pushed before; then the clock was set back, and a push of the list of {someone} killed and abandoned"
    happens = (ClockSetBack(0.0, SET_BACK_SECONDS), EmptiedList(someone), at_change(1, KILL_BEFORE))
    yield Case("again:clock-back", meaning, happens, abandons=1, is_pushed=True)
    for site in pairs:
        meaning = f"pushed before, and the standby of {site.name} has lost its partners since"
        yield Case(f"{site.name}:again-empty-standby", meaning, (EmptyStandby(site.name),), is_pushed=True)
        stale = (StaleCluster(site.name, plan.cluster(site.name).name), EmptiedList(someone))
        meaning = f"pushed before, and the cluster of {site.name} does not follow its active unit"
        yield Case(f"{site.name}:again-stale-cluster", meaning, stale, is_pushed=True)


def _own_parameter(plan: Plan) -> Literal["hcai", "haprefered", "partner"]:
    """Return an HA parameter that the plan has otherwise than units have it before they form pairs."""
    masters = [plan.ha_pair(site.name).master for site in plan.sites if site.kind == "ha_pair"]
    if any(master.all_interfaces for master in masters):
        return "hcai"
    return "haprefered" if any(master.preferred_host == "none" for master in masters) else "partner"


def _witnesses(site: str, master: str, slave: str) -> Iterator[Case]:
    for unit, status, name in ((slave, 200, "slave"), (master, 503, "master")):
        meaning = f"something answers the health check of {unit} with {status} in its place"
        yield Case(f"{site}:health-of-{name}-{status}", meaning, (OtherHealth(unit, status),))
    for unit, told, name in (
        (slave, "Active", "slave"),
        (slave, "HA not configured", "slave"),
        (master, "Standby", "master"),
    ):
        word = told.lower().replace(" ", "-")
        yield Case(f"{site}:{name}-says-{word}", f"{unit} says '{told}' over its API", (OtherStatus(unit, told),))
