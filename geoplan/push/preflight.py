"""Everything that blocks a push, found before anything is changed: each difference that nothing of it mends."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from geoplan.addresses import same_addresses, without
from geoplan.live.findings import Note, NoteKind
from geoplan.live.findings.collect import OF_HA, findings_of
from geoplan.live.findings.compare import ACTIVE_UNIT, STANDBY_UNIT, UNIT, verify
from geoplan.live.findings.fleet import too_many
from geoplan.live.findings.geo_merge import merge_problems
from geoplan.live.findings.ha_changes import pairs_with_ports_apart
from geoplan.live.findings.kinds import (
    NOT_READ,
    NOTED,
    OF_STATES,
    FindingKind,
    Severity,
    generic_command,
)
from geoplan.live.findings.leaving import (
    clusters_in_use,
    known_before,
    note_of_silence,
    notes_of_entries,
    silent_leavers,
)
from geoplan.live.findings.mending import WaysToMend
from geoplan.live.findings.notes import notes_of
from geoplan.live.findings.pairs import SINGLE, as_if_formed, planned_pairs, sites_to_form
from geoplan.live.model import HA_SUBJECT, LIST_NAMES, SUBJECTS, State
from geoplan.plan.model import Action, Phase
from geoplan.push.boots import room_problem
from geoplan.push.change_checks import change_problems, replaced_twice, without_probes
from geoplan.push.change_progress import pairs_to_join
from geoplan.push.drill_checks import drill_problems, pairs_to_drill
from geoplan.push.forming_checks import at_work_alone, lost_by_forming, unlike_planned
from geoplan.push.history import PairProgress
from geoplan.push.ledger import Ledger
from geoplan.push.options import RebootMode
from geoplan.push.problems import Override, Problem, told_once
from geoplan.push.reboots import Reboots
from geoplan.push.unsubmitted import unsubmitted, unsubmitted_notes
from geoplan.wording import join_words, some_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from geoplan.live.findings import Difference, Report
    from geoplan.live.findings.kinds import Command, Finding
    from geoplan.live.links import GivenSecrets
    from geoplan.live.model import Observation, Observations
    from geoplan.plan.model import Plan, SiteSettings
    from geoplan.push.history import History
    from geoplan.push.options import Options

_SEEN_TO = (UNIT, ACTIVE_UNIT, STANDBY_UNIT, HA_SUBJECT)
"""Of these differences the checks of the units themselves have more to say."""

ON_ITS_WAY = timedelta(minutes=10)
"""How long after a change what follows from it is still expected elsewhere: units replicate every two minutes."""


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
    findings: tuple[Finding, ...] = ()
    """Everything that was found about the units, also what blocks nothing."""
    unsubmitted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of pairs the partners that their lists hold already, and that nothing says their slaves have submitted."""

    put_off: tuple[Problem, ...] = ()
    """What blocks nothing yet: other sites come first, and then it is looked at again."""
    left_alone: frozenset[str] = frozenset()
    """The sites that are sent nothing, and of which nothing is asked."""

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
    command: Command = generic_command
    """Returns a command of geoplan about the topology as it is typed."""


_LEFT_TO_OTHERS = frozenset({FindingKind.GEO_DIFFERS, FindingKind.GEO_MERGE, FindingKind.TOO_MANY_CLUSTERS})
"""Findings of which the checks name each part, with what lets it pass."""
_TOLD_OTHERWISE = frozenset({FindingKind.GEO_DIFFERS, FindingKind.RED_PARTNER, FindingKind.UNKNOWN_CLUSTER})
"""Findings that the question before a push shows part by part, or a note of their own does."""
_UNHEALTHY = frozenset({FindingKind.UNCONNECTED, FindingKind.HEALTH_UNCLEAR, FindingKind.CONTRADICTORY})
_OF_PARTNERS = frozenset({FindingKind.GEO_OFF, FindingKind.SSH_OFF})
_CHANGED_BY = {
    Action.SET_PREFERRED_HOST: FindingKind.PREFERRED_HOST_DIFFERS,
    Action.SET_ALL_INTERFACES: FindingKind.ALL_INTERFACES_DIFFER,
    Action.SET_HEALTH_CHECK_PORT: FindingKind.PORTS_DIFFER,
}
"""Findings about HA parameters of pairs at work, by the steps that mend them."""
_WHILE_IT_BOOTS = _UNHEALTHY | NOT_READ | {FindingKind.UNIT_DOWN}
"""What is expected of a master that a push has just rebooted."""


def check(plan: Plan, facts: Observations, background: PreflightInput) -> PreflightResult:
    """Compare what all units say with what a push needs."""
    begun = [pair.site for pair in plan.ha_pairs if background.ledger.was_formed(plan.site(pair.site))]
    forming = sites_to_form(plan, facts, begun)
    facts, seen = as_if_formed(facts, forming), facts
    ledger = background.ledger
    report = verify(plan, facts, ledger.known_links(), forming=forming)
    owing = unsubmitted(plan, facts, report, ledger)
    reboots = Reboots(plan, background.options, ledger, background.resumed).to_do(facts, owing)
    recent = _recently_changed(plan, background)
    found = findings_of(
        plan,
        seen,
        report,
        max_clusters=background.max_clusters,
        forming=forming,
        recent=recent,
        command=background.command,
    )
    pairs = {pair.site: pair for pair in planned_pairs(plan)}
    told = [finding for finding in found if _is_told(finding, plan, background, pairs)]
    problems = [
        *(each for pair in pairs.values() for each in unlike_planned(pair, seen, is_formed=pair.site in forming)),
        *(problem for site in sorted(forming) for problem in at_work_alone(plan, site, seen)),
        *(problem for site in sorted(forming) for problem in lost_by_forming(site, seen, background.options)),
        *map(_problem, told),
    ]
    explained = {site for finding in told if finding.kind in OF_STATES for site in finding.sites} | forming
    for site in plan.sites:
        if site.kind == "ha_pair":
            is_explained = site.name in explained
            problems += _pair_problems(site, facts, background, reboots, is_explained=is_explained)
    problems += _geo_problems(plan, facts, background) if Phase.GEO in plan.phases() else ()
    silent, apart = silent_leavers(plan, facts), pairs_with_ports_apart(plan, facts)
    rooms = list(_rooms([facts.of_site(name)[0] for name in reboots if name not in apart], background))
    ways = WaysToMend.of(plan, report, forming, recent)
    problems += _unmended(plan, report, ways, background, [*problems, *rooms])
    left_out = silent | _pairs_to_wait_for(plan, facts) | apart
    problems = [*(problem for problem in problems if not _is_of(problem, left_out, facts)), *rooms]
    problems += [Problem(*each) for each in change_problems(plan, facts, background.options, background.command)]
    if background.resumed is None:
        problems += [Problem(*each) for each in replaced_twice(plan, facts, background.options, ledger)]
        problems += [Problem(*each) for each in without_probes(plan, facts)]
    known = {each.message for each in problems}
    of_drill = drill_problems(
        plan, facts, report, ledger, resumed=background.resumed, now=background.now, command=background.command
    )
    problems += [problem for problem in of_drill if problem.message not in known]
    notes = (
        *notes_of(plan, facts),
        *notes_of_entries(plan, facts),
        *map(note_of_silence, sorted(silent)),
        *(_noted(finding) for finding in found if _is_noted(finding, pairs, plan)),
        *(_left(difference) for difference in report.left_as_it_is),
        *(unsubmitted_notes(plan, facts, report, reboots) if background.options.reboot is not RebootMode.NEVER else ()),
    )
    resubmits = _sites_to_resubmit(plan, facts, report)
    reboots += pairs_to_drill(plan, background.resumed)
    put_off = _of_others(problems, apart, facts)
    problems = [problem for problem in problems if problem not in put_off]
    pairs_formed = tuple(sorted(forming))
    return PreflightResult(told_once(problems), notes, tuple(reboots), pairs_formed, resubmits, found, owing, put_off)


def _pairs_to_wait_for(plan: Plan, facts: Observations) -> frozenset[str]:
    """Return the pairs with a new unit of which the other one takes settings: they are made whole by hand."""
    return frozenset(name for name in pairs_to_join(plan) if any(unit.failure is None for unit in facts.of_site(name)))


def _of_others(problems: Iterable[Problem], apart: frozenset[str], facts: Observations) -> tuple[Problem, ...]:
    """Return the problems that do not keep pairs whose ports differ from being mended first: those of others alone."""
    return tuple(problem for problem in problems if apart and apart.isdisjoint(_sites_of(problem, facts)))


def _is_of(problem: Problem, sites: Collection[str], facts: Observations) -> bool:
    """Return whether a problem is one of these sites alone."""
    return all(site in sites for site in _sites_of(problem, facts))


def _sites_of(problem: Problem, facts: Observations) -> tuple[str, ...]:
    unit = facts.units.get(problem.where)
    return problem.sites or (unit.site if unit else problem.where,)


def _problem(finding: Finding) -> Problem:
    return Problem(
        ", ".join(finding.sites),
        finding.message,
        finding.hint,
        sites=finding.sites,
        kind=finding.kind,
        commands=finding.commands,
    )


def _is_told(finding: Finding, plan: Plan, background: PreflightInput, pairs: Collection[str]) -> bool:
    """Return whether a finding blocks this push, and nothing else has more to say of it."""
    if not finding.blocks_push or finding.kind in _LEFT_TO_OTHERS:
        return False
    if finding.kind in OF_HA and finding.sites[0] in pairs:
        return False  # what forms a pair may set it, or must not
    if _is_changed(finding, plan):
        return False  # a step of its own sets it
    if finding.kind in _OF_PARTNERS and plan.change and set(finding.sites) <= set(plan.change.leaving):
        return False  # who has no partners needs none of that
    if len(finding.units) == 1 and _is_under_way(finding.sites[0], background.resumed):
        is_master = finding.units[0] == plan.site(finding.sites[0]).units[0].address
        return finding.kind not in (_WHILE_IT_BOOTS if is_master else _UNHEALTHY)
    return True


def _is_changed(finding: Finding, plan: Plan) -> bool:
    """Return whether a finding is about an HA parameter that a step of its own changes."""
    change = plan.ha_change(finding.sites[0])
    return change is not None and any(_CHANGED_BY.get(action) is finding.kind for action in change.actions)


def _is_noted(finding: Finding, pairs: Collection[str], plan: Plan) -> bool:
    """Return whether a finding is left for a person, and nothing else says so."""
    if _is_changed(finding, plan):
        return False
    if finding.kind is FindingKind.ONE_CERTIFICATE:
        return True  # what is meant for two units would be entered on one
    is_told = finding.kind in _TOLD_OTHERWISE or (finding.kind in OF_HA and finding.sites[0] in pairs)
    return (finding.severity is Severity.MENDING or finding.kind in NOTED) and not is_told


def _noted(finding: Finding) -> Note:
    return Note(", ".join(finding.sites), finding.explained, NoteKind.FINDING)


def _is_under_way(site: str, resumed: History | None) -> bool:
    """Return whether the push that is resumed had begun the reboot of a pair, and had not seen its end."""
    return resumed is not None and resumed.progress(site) in (PairProgress.REBOOTING, PairProgress.RESUBMITTED)


def _recently_changed(plan: Plan, background: PreflightInput) -> frozenset[str]:
    """Return the sites of which any push has changed something that may still be on its way to other units."""
    ledger, now = background.ledger, background.now
    return frozenset(
        site.name
        for site in plan.sites
        if any((moment := ledger.changed_at(unit.address)) and abs(now - moment) <= ON_ITS_WAY for unit in site.units)
    )


def _unmended(
    plan: Plan, report: Report, ways: WaysToMend, background: PreflightInput, found: Sequence[Problem]
) -> list[Problem]:
    """Return a problem for each difference that nothing of this push mends, as far as none was found for it yet."""
    where = {problem.where for problem in found} | {site for problem in found for site in problem.sites}
    addresses = {site.name: {site.name, *(unit.address for unit in site.units)} for site in plan.sites}
    problems = []
    for difference in report.differences:
        if ways.mends(difference) or _is_under_way(difference.site, background.resumed):
            continue
        if difference.subject in _SEEN_TO and addresses[difference.site] & where:
            continue
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
    for site in plan.sites:
        yield from _unknown_addresses(plan, site, facts, background.options)
    if not background.options.accept_fqdn_loss:
        for found in clusters_in_use(plan, facts):
            hint = f"give its maps another cluster first; or give {Override.ACCEPT_FQDN_LOSS}"
            yield Problem(found.unit, found.message, hint, Override.ACCEPT_FQDN_LOSS)
    for group, message in too_many(plan, facts, background.max_clusters):
        yield Problem(plan.group_label(group), message, "remove clusters that nobody needs")
    if not background.options.accept_geo_merge:
        for merge in merge_problems(plan, facts, background.command):
            where, word = plan.group_label(merge.group), Override.ACCEPT_GEO_MERGE
            yield Problem(where, merge.message, merge.hint, word, commands=merge.commands)


def _pair_problems(
    site: SiteSettings, facts: Observations, background: PreflightInput, reboots: Sequence[str], *, is_explained: bool
) -> Iterator[Problem]:
    """Find why a pair cannot be set up or rebooted as it is now, unless its states are explained already."""
    under_way = _is_under_way(site.name, background.resumed)
    units = facts.of_site(site.name)
    is_pair = not any(unit.ha is not None and unit.ha.mode == SINGLE for unit in units)
    if is_pair and not is_explained:  # single units say nothing of a pair
        is_rebooted, secrets = site.name in reboots, background.ledger.secrets
        yield from _state_problems(site, units, secrets, under_way=under_way, is_rebooted=is_rebooted)


def _rooms(masters: Iterable[Observation], background: PreflightInput) -> Iterator[Problem]:
    """Find masters that one more reboot would make passive; no new unit that is waited for changes that."""
    for master in masters:
        progress = background.resumed.progress(master.site) if background.resumed else PairProgress.NOT_BEGUN
        if progress is PairProgress.NOT_BEGUN:
            problem = room_problem(master, background.ledger.reboots_of(master.address), background.now)
            yield from filter(None, (problem,))


def _state_problems(
    site: SiteSettings, units: Sequence[Observation], secrets: GivenSecrets, *, under_way: bool, is_rebooted: bool
) -> Iterator[Problem]:
    master, slave = units
    states = f"{master.address} (master) {master.condition}, {slave.address} (slave) {slave.condition}"
    active = [unit for unit in units if unit.state is State.ACTIVE]
    if len(active) != 1:
        yield Problem(site.name, f"not exactly one of its units is active: {states}", secrets.how_to_repair(site))
    elif under_way:
        return
    elif is_rebooted and active[0] is not master:
        hint = f"make {master.address} active first: switch over, or reboot {slave.address}"
        yield Problem(site.name, f"its slave is active, and its master is to be rebooted: {states}", hint)
    elif any(unit.state in (State.DOWN, State.UNKNOWN, State.CONTRADICTORY) for unit in units):
        yield Problem(site.name, f"it has no standby: {states}", "bring the other unit up first")


def _unknown_addresses(plan: Plan, site: SiteSettings, facts: Observations, options: Options) -> Iterator[Problem]:
    unit = facts.active(site.name)
    if unit is None or options.remove_unknown or options.undoes:  # that is held against what the push left there
        return
    unknown: dict[str, list[str]] = {}
    for subject in SUBJECTS:
        extra = without(getattr(unit, subject) or (), getattr(site, subject))
        if extra := without(extra, known_before(plan, site.name, subject, extra)):
            unknown.setdefault(some_of(extra), []).append(LIST_NAMES[subject])
    for shown, lists in unknown.items():
        verb = "have" if lists[1:] else "has"
        message = f"{join_words(lists)} {verb} {shown}, which the plan would remove"
        hint = f"put them into the topology, or give {Override.REMOVE_UNKNOWN}"
        if plan.change is None:
            hint = (
                "put them into the topology; or, if their site is to leave, push --from the topology that has it. "
                f"{Override.REMOVE_UNKNOWN} only takes them off the list, and leaves their clusters on all units"
            )
        yield Problem(unit.address, message, hint, Override.REMOVE_UNKNOWN)
