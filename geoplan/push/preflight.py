"""Everything that blocks a push, found before anything is changed, in one report.

It passes a push only where every difference has something that mends it: a step, what replicates after one, partners
submitted again, a reboot; or where it is left as it is, which is said beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from geoplan.addresses import canonical, same_addresses, without
from geoplan.live.findings import Note, NoteKind
from geoplan.live.findings.clusters import addresses_of, unknown_to
from geoplan.live.findings.compare import ACTIVE_UNIT, STANDBY_UNIT, UNIT, verify
from geoplan.live.findings.geo_merge import merge_problems
from geoplan.live.findings.pairs import SINGLE, as_if_formed, planned_pairs, problems_of_unit, sites_to_form
from geoplan.live.model import CHECK_CREDENTIALS, HA_SUBJECT, LIST_NAMES, SUBJECTS, Cause, State
from geoplan.loadmaster.decode import moment
from geoplan.plan.model import Action, Phase
from geoplan.push.context import RebootMode
from geoplan.push.history import PairProgress
from geoplan.push.ledger import Ledger
from geoplan.push.mending import WaysToMend, is_under_way
from geoplan.push.readiness import room_at
from geoplan.vendor import has_partner_secret, parse_version

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from geoplan.live.findings import Difference, Report
    from geoplan.live.model import Observation, Observations
    from geoplan.plan.model import Plan, SiteSettings
    from geoplan.plan.pairs import HaPairSettings
    from geoplan.push.context import Options
    from geoplan.push.history import History

_SEEN_TO = (UNIT, ACTIVE_UNIT, STANDBY_UNIT, HA_SUBJECT)
"""Of these differences the checks of the units themselves have more to say."""
_QUESTIONS = {
    "firmware": "its version",
    "geo_enabled": "whether GEO is on",
    "ssh_access": "whether remote SSH access is on",
    "ha": "its HA parameters",
    **{str(subject): name for subject, name in LIST_NAMES.items()},
    "clusters": "its clusters",
    "fqdns": "its FQDNs",
}


class Override(StrEnum):
    """What the operator can say to let a push go on nevertheless."""

    REMOVE_UNKNOWN = "--remove-unknown"
    ACCEPT_GEO_MERGE = "--accept-geo-merge"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that blocks the push: where, what, and what to do."""

    where: str
    """A unit's address, or the name of a site or a group."""
    message: str
    hint: str = ""
    word: Override | None = None

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" + (f" ({self.hint})" if self.hint else "")


@dataclass(frozen=True, slots=True)
class PreflightResult:
    """What the checks found."""

    problems: tuple[Problem, ...]
    notes: tuple[Note, ...]
    reboots: tuple[str, ...]
    """The pairs that this push will reboot, as far as can be told now."""
    forms: tuple[str, ...] = ()
    """The pairs that this push forms of two single units."""
    resubmits: tuple[str, ...] = ()
    """The sites on whose active unit partners are submitted again, although its list is in place: links are red."""

    @property
    def changes_units(self) -> bool:
        """Whether units are rebooted, formed into pairs or submitted on, even where no list or cluster differs."""
        return bool(self.reboots or self.forms or self.resubmits)

    @property
    def is_clear(self) -> bool:
        """Whether nothing blocks the push."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class PreflightInput:
    """What the checks know beside the units' own answers."""

    options: Options
    max_clusters: int
    now: datetime
    ledger: Ledger = field(default_factory=Ledger)
    """What earlier pushes on these units left: pairs that are owed, and the room that reboots have."""
    resumed: History | None = None


def check(plan: Plan, facts: Observations, background: PreflightInput) -> PreflightResult:
    """Compare what all units say with what a push needs."""
    begun = [pair.site for pair in plan.ha_pairs if background.ledger.was_formed(plan.site(pair.site))]
    forming = sites_to_form(plan, facts, begun)
    facts, seen = as_if_formed(facts, forming), facts
    reboots = _pairs_to_reboot(plan, facts, background)
    ledger = background.ledger
    report = verify(plan, facts, ledger.known_links(), forming=forming)
    pairs = {pair.site: pair for pair in planned_pairs(plan)}
    problems = [
        *(
            problem
            for pair in pairs.values()
            for problem in _pair_parameters(pair, seen, is_formed=pair.site in forming)
        ),
        *(problem for site in plan.sites if site.name not in pairs for problem in _role_problems(site, facts)),
        *(problem for site in sorted(forming) for problem in _lost_by_forming(site, seen, background.options)),
        *(
            problem
            for site in plan.sites
            for problem in _site_problems(site, facts, background, reboots, is_formed=site.name not in forming)
        ),
        *(_geo_problems(plan, facts, background) if Phase.GEO in plan.phases() else ()),
    ]
    problems += _unmended(plan, report, background, forming, problems)
    notes = (*_notes(plan, facts), *(_left(found) for found in report.left_as_it_is))
    resubmits = _sites_to_resubmit(plan, facts, report)
    return PreflightResult(tuple(problems), notes, tuple(reboots), tuple(sorted(forming)), resubmits)


def _unmended(
    plan: Plan, report: Report, background: PreflightInput, forming: frozenset[str], found: Sequence[Problem]
) -> list[Problem]:
    """Return a problem for each difference that nothing of this push mends, as far as none was found for it yet."""
    ways = WaysToMend.of(plan, report, background, forming)
    where = {problem.where for problem in found}
    addresses = {site.name: {site.name, *(unit.address for unit in site.units)} for site in plan.sites}
    problems = []
    for difference in report.differences:
        if ways.mends(difference) or is_under_way(difference.site, background.resumed):
            continue
        if difference.subject in _SEEN_TO and addresses[difference.site] & where:
            continue
        # What is said of a standby names it; nothing is done on it.
        where_now = difference.unit if difference.unit == ways.active[difference.site] else None
        problems.append(Problem(where_now or difference.site, difference.message, difference.hint))
    return list(dict.fromkeys(problems))


def _left(difference: Difference) -> Note:
    message = f"{difference.message}; a push leaves it as it is on a pair at work ({difference.hint})"
    return Note(difference.site, message, NoteKind.LEFT_AS_IT_IS)


def _sites_to_resubmit(plan: Plan, facts: Observations, report: Report) -> tuple[str, ...]:
    """Return the sites of red links that hold their planned partners: what enters a list submits it, too."""
    return tuple(
        site
        for site in report.sites_to_resubmit
        if (unit := facts.active(site))
        and unit.geo_partners is not None
        and same_addresses(unit.geo_partners, plan.site(site).geo_partners)
    )


def _geo_problems(plan: Plan, facts: Observations, background: PreflightInput) -> Iterator[Problem]:
    """Find what blocks GEO on units that are fit for it by themselves."""
    for unit in facts.units.values():
        yield from _services_off(unit)
    yield from _secret_problems(plan, facts)
    for site in plan.sites:
        yield from _unknown_addresses(site, facts, background.options)
    yield from _cluster_problems(plan, facts, background.max_clusters)
    if not background.options.accept_geo_merge:
        for where, message, hint in merge_problems(plan, facts):
            yield Problem(where, message, hint, Override.ACCEPT_GEO_MERGE)


def _services_off(unit: Observation) -> Iterator[Problem]:
    if unit.geo_enabled is False:
        yield Problem(unit.address, "GEO is not enabled", "enable it under Global Balancing")
    if unit.ssh_access is False:
        hint = "turn on Allow Remote SSH Access under Remote Access: partners talk over it"
        yield Problem(unit.address, "remote SSH access is not allowed", hint)


def _pairs_to_reboot(plan: Plan, facts: Observations, background: PreflightInput) -> list[str]:
    options, history = background.options, background.resumed
    if options.reboot is RebootMode.NEVER:
        return []
    pairs = [step.site for step in plan.steps if step.action is Action.REBOOT_MASTER]

    def is_due(site: str) -> bool:
        if history and history.is_owed(site):
            return history.progress(site) is not PairProgress.RESUBMITTED  # of that one only the return is awaited
        if background.ledger.owes_reboot(plan.site(site)):
            return True
        unit = facts.active(site)
        held = unit.geo_partners if unit else None
        if held is None or not same_addresses(held, plan.site(site).geo_partners):
            return True
        wanted = options.reboot is RebootMode.ALWAYS or site in options.reboot_sites
        return wanted and not (history and history.was_finished(site))

    return [site for site in pairs if is_due(site)]


def _pair_parameters(pair: HaPairSettings, facts: Observations, *, is_formed: bool) -> Iterator[Problem]:
    """Find HA parameters that a push must not change."""
    for wanted in (pair.master, pair.slave):
        unit = facts.unit(wanted.address)
        for message, hint in problems_of_unit(unit, wanted, is_formed=is_formed) if unit else ():
            yield Problem(wanted.address, message, hint)


def _lost_by_forming(site: str, facts: Observations, options: Options) -> Iterator[Problem]:
    """Find what a slave has and its master does not: as the standby it takes over all that the master has."""
    if options.accept_geo_merge:
        return
    master, slave = facts.of_site(site)
    for unit in (master, slave):
        untold = [name for name in (*SUBJECTS, "clusters", "fqdns") if getattr(unit, name) is None]
        if untold and not unit.failure:
            message = "it does not tell all that its GEO configuration has, of which forming the pair may lose some"
            hint = f"see that it answers; or give {Override.ACCEPT_GEO_MERGE}"
            yield Problem(unit.address, message, hint, Override.ACCEPT_GEO_MERGE)
            return
    clusters = [f"the cluster '{found.name}'" for found in slave.clusters or () if found not in (master.clusters or ())]
    fqdns = [f"the FQDN {name}" for name in slave.fqdns or () if name not in (master.fqdns or ())]
    lists = [
        f"{LIST_NAMES[subject]} {', '.join(extra)}"
        for subject in SUBJECTS
        if (extra := without(getattr(slave, subject) or (), getattr(master, subject) or ()))
    ]
    if lost := (*clusters, *fqdns, *lists):
        message = f"as the standby of {master.address} it would lose {'; '.join(lost)}"
        hint = f"enter it on {master.address} first; or give {Override.ACCEPT_GEO_MERGE}"
        yield Problem(slave.address, message, hint, Override.ACCEPT_GEO_MERGE)


def _site_problems(
    site: SiteSettings, facts: Observations, background: PreflightInput, reboots: Sequence[str], *, is_formed: bool
) -> Iterator[Problem]:
    progress = background.resumed.progress(site.name) if background.resumed else PairProgress.NOT_BEGUN
    under_way = is_under_way(site.name, background.resumed)
    units = facts.of_site(site.name)
    for unit in units:
        if not (under_way and unit.role == "master" and unit.failure):
            yield from _unit_problems(unit)
    if site.kind != "ha_pair":
        return
    yield from _firmware_problems(site, units)
    if is_formed and not any(_is_single(unit) for unit in units):  # what single units answer says nothing of a pair
        yield from _state_problems(site, units, under_way=under_way, is_rebooted=site.name in reboots)
    if site.name in reboots and progress is PairProgress.NOT_BEGUN:
        yield from _room_problems(units[0], background)


def _unit_problems(unit: Observation) -> Iterator[Problem]:
    if unit.failure and not unit.refuses_reads:
        hints = {
            Cause.UNREACHABLE: "see that it is up and its API can be reached from here",
            Cause.UNAUTHORIZED: CHECK_CREDENTIALS,
            Cause.UNREADABLE: "see that its API is enabled and the URL is the right one",
            Cause.REFUSED: "see that its user may do this, and that the unit is the one that the topology names",
        }
        yield Problem(unit.address, unit.failure.message, unit.failure.hint or hints[unit.failure.cause])


def _firmware_problems(site: SiteSettings, units: Sequence[Observation]) -> Iterator[Problem]:
    master, slave = units
    if master.firmware and slave.firmware and parse_version(master.firmware) != parse_version(slave.firmware):
        message = f"its units run different firmware: {master.firmware} and {slave.firmware}"
        yield Problem(site.name, message, "bring both to the same version first (section 7)")


def _is_single(unit: Observation) -> bool:
    return unit.ha is not None and unit.ha.mode == SINGLE


def _role_problems(site: SiteSettings, facts: Observations) -> Iterator[Problem]:
    """Find HA parameters that GEO cannot be set up on; of single units nothing but that they are no pair yet."""
    units = facts.of_site(site.name)
    single = [unit for unit in units if _is_single(unit)]
    for unit in single:
        message = f"its HA mode is {SINGLE}, and the topology has it as {unit.role}"
        yield Problem(unit.address, message, "form the pair first: push with --phase ha, or all")
    if site.kind == "ha_pair" and not single:
        for unit, other in (units, units[::-1]):
            yield from _role_problems_of(site, unit, other)


def _role_problems_of(site: SiteSettings, unit: Observation, other: Observation) -> Iterator[Problem]:
    if unit.ha is None:
        return
    if unit.ha.mode is not None and unit.ha.mode != unit.role:
        yield Problem(unit.address, f"its HA mode is {unit.ha.mode}, and the topology has it as {unit.role}")
    partner = unit.ha.partner
    if partner is not None and _is_address(partner) and canonical(partner) != canonical(other.address):
        yield Problem(unit.address, f"its HA partner is {partner}, and the topology has {other.address}")
    wants_master = site.preferred_host != "none"
    if unit.ha.prefers_master is not None and unit.ha.prefers_master != wants_master and unit.role == "master":
        is_set = "Prefer Master" if unit.ha.prefers_master else "No Preferred Host"
        hint = f"write preferred_host: {'master' if unit.ha.prefers_master else 'none'} into the topology"
        yield Problem(unit.address, f"it is set to {is_set}, and the topology says otherwise", hint)


def _is_address(text: str) -> bool:
    """Tell whether a partner was given by its address; a name is not looked up."""
    return canonical(text) != text or text.replace(".", "").isdigit() or ":" in text


def _state_problems(
    site: SiteSettings, units: Sequence[Observation], *, under_way: bool, is_rebooted: bool
) -> Iterator[Problem]:
    master, slave = units
    states = f"{master.address} (master) {master.condition}, {slave.address} (slave) {slave.condition}"
    active = [unit for unit in units if unit.state is State.ACTIVE]
    if len(active) != 1:
        yield Problem(site.name, f"not exactly one of its units is active: {states}", "see to the pair first")
    elif under_way:
        return
    elif is_rebooted and active[0] is not master:
        hint = f"make {master.address} active first: switch over, or reboot {slave.address}"
        yield Problem(site.name, f"its slave is active, and its master is to be rebooted: {states}", hint)
    elif any(unit.state in (State.DOWN, State.UNKNOWN) for unit in units):
        yield Problem(site.name, f"it has no standby: {states}", "bring the other unit up first")


def _room_problems(master: Observation, background: PreflightInput) -> Iterator[Problem]:
    booted = moment(master.boot_time or "")
    if later := room_at(background.ledger.reboots_of(master.address), background.now, booted):
        message = "it was rebooted 3 times in 5 minutes, and once more would pacify it"
        yield Problem(master.address, message, f"try again after {later.astimezone():%Y-%m-%d %H:%M:%S}")


def _secret_problems(plan: Plan, facts: Observations) -> Iterator[Problem]:
    for group in plan.groups:
        if len(group.sites) == 1:
            continue
        units = [unit for name in group.sites for unit in facts.of_site(name) if unit.firmware]
        by_secret: dict[bool, list[Observation]] = {True: [], False: []}
        for unit in units:
            by_secret[has_partner_secret(parse_version(unit.firmware or ""))].append(unit)
        if all(by_secret.values()):
            having, lacking = (", ".join(unit.address for unit in by_secret[has]) for has in (True, False))
            message = f"{having} have the Partner Shared Secret and {lacking} do not: they refuse each other"
            yield Problem(f"group '{group.name}'", message, "bring all units to firmware on the same side of it")


def _unknown_addresses(site: SiteSettings, facts: Observations, options: Options) -> Iterator[Problem]:
    unit = facts.active(site.name)
    if unit is None or options.remove_unknown:
        return
    for subject in SUBJECTS:
        extra = without(getattr(unit, subject) or (), getattr(site, subject))
        if extra:
            message = f"{LIST_NAMES[subject]} has {', '.join(extra)}, which the plan would remove"
            hint = f"put them into the topology, or give {Override.REMOVE_UNKNOWN}"
            yield Problem(unit.address, message, hint, Override.REMOVE_UNKNOWN)


def _cluster_problems(plan: Plan, facts: Observations, max_clusters: int) -> Iterator[Problem]:
    for group in plan.groups:
        hosts = {step.on.site for step in plan.steps if step.action is Action.ADD_CLUSTER and step.site in group.sites}
        planned = [cluster for cluster in plan.clusters if cluster.group == group.name]
        union: dict[str, None] = {}
        for name in group.sites:
            unit = facts.active(name)
            if unit is None or unit.clusters is None:
                continue
            union |= {canonical(live.address): None for live in unit.clusters}
        missing = [cluster for cluster in planned if not addresses_of(plan, cluster) & union.keys()]
        if hosts and len(union) + len(missing) > max_clusters:
            message = f"{len(union)} clusters are there, {len(missing)} are to come, {max_clusters} is the limit"
            yield Problem(f"group '{group.name}'", message, "remove clusters that nobody needs")


def _notes(plan: Plan, facts: Observations) -> Iterator[Note]:
    for unit in facts.units.values():
        if unit.refuses_reads:
            what = unit.failure.message if unit.failure else ", ".join(_QUESTIONS[name] for name in unit.refused)
            message = f"{unit.address}: the standby refuses reads ({what}); replication gets its time"
            yield Note(unit.site, message, NoteKind.STANDBY_REFUSES)
        is_asked = unit.failure is None and unit.role != "standalone" and "ha" not in unit.refused
        if "ha" in unit.unread or (unit.ha is None and is_asked):
            message = f"{unit.address}: its platform does not tell its HA parameters, so its role is not checked"
            yield Note(unit.site, message, NoteKind.HA_NOT_TOLD)
    yield from _unmentioned(plan, facts)


def _unmentioned(plan: Plan, facts: Observations) -> Iterator[Note]:
    for site in plan.sites:
        unit = facts.active(site.name)
        if unit is None:
            continue
        for cluster in unknown_to(plan, site.group, unit.clusters or ()):
            shown = f"'{cluster.name}' ({cluster.address})"
            message = f"{unit.address}: the plan does not mention its cluster {shown}; it is left alone"
            yield Note(site.name, message, NoteKind.UNKNOWN_CLUSTER)
