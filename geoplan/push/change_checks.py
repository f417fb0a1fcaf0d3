"""What blocks a change before it begins: OLD is a claim."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geoplan.addresses import canonical, same_addresses, without
from geoplan.live.findings.clusters import find
from geoplan.live.findings.compare import is_old_cluster
from geoplan.live.findings.ha_changes import changed_parameters
from geoplan.live.findings.kinds import generic_command
from geoplan.live.findings.leaving import clusters_to_delete, silent_leavers, unlike_before
from geoplan.live.findings.newcomers import seeded_sites
from geoplan.live.model import LIST_NAMES, SUBJECTS
from geoplan.plan.actions import DELETIONS
from geoplan.plan.model import Action
from geoplan.push.change_progress import pairs_to_join, renewed_units
from geoplan.push.deletions import lacks_probe, without_probe
from geoplan.push.history import number_in
from geoplan.push.newcomer_checks import ChangeProblem, newcomer_problems
from geoplan.push.options import RebootMode
from geoplan.vendor import HA_PARAMETERS, MANAGE_CLUSTERS, REMOTE_ACCESS
from geoplan.wording import shell_command, some_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.live.findings.kinds import Command
    from geoplan.live.model import Observations, Subject
    from geoplan.plan.model import Change, Plan, SiteLists, SiteSettings
    from geoplan.push.ledger import Ledger
    from geoplan.push.options import Options

CORRECT_OLD = "give as OLD what the units were pushed to last: geoplan diff OLD shows what differs from it"


def change_problems(
    plan: Plan, facts: Observations, options: Options, command: Command = generic_command
) -> Iterator[ChangeProblem]:
    """Find what blocks a change on units that are fit for it by themselves; ``command`` writes commands as typed."""
    change = plan.change
    if change is None:
        return
    absent = silent_leavers(plan, facts)
    start = _Start.of(options.undoes, command)
    for site in plan.sites:
        if site.name not in absent:
            for found in _lists_elsewhere(site, change, facts, plan, removes_unknown=options.remove_unknown):
                is_half_joined = options.undoes and site.name in change.leaving and found.has_nothing_else
                if not is_half_joined:  # a join that is taken back may not have come to its lists
                    yield start.of_list(found)
            if options.undoes and not options.remove_unknown:
                yield from _unplanned(site, change, facts, start)
            yield from _cluster_problems(site, change, facts, plan, start)
    yield from _unlike_before(plan, facts, start)
    yield from _swapped_roles(plan, change, facts)
    yield from _ha_elsewhere(plan, facts, start)
    for name in seeded_sites(plan):
        yield from newcomer_problems(plan, change, name, facts)


# -- OLD is a claim ----------------------------------------------------------------------------------------------------


def old_addresses(plan: Plan, site: str, subject: Subject) -> tuple[str, ...]:
    """Return what a site's list held by OLD: a change takes off what it names."""
    old = plan.change.old_site(site) if plan.change else None
    held: tuple[str, ...] = getattr(old, subject) if old else ()
    return held


class _Elsewhere(NamedTuple):
    """A list of a unit that is neither as it was before a change nor on the way to the plan's."""

    unit: str
    subject: Subject
    before: tuple[str, ...]
    """What it held before the change."""
    held: tuple[str, ...]
    planned: tuple[str, ...]

    @property
    def to_enter(self) -> tuple[str, ...]:
        """What a person enters to let the change go on: what it held before.

        Access alone links nobody: where somebody has taken off a part of what the change has added, it is the plan's.
        """
        is_begun = not without(self.before, self.held) and not without(self.held, self.planned)
        return self.planned if is_begun and self.subject == "remote_geo_access" else self.before

    @property
    def has_nothing_else(self) -> bool:
        """Whether all that it holds was there before the change as well."""
        return not without(self.held, self.before)

    @property
    def differs(self) -> str:
        """How it differs from what it held before."""
        lacks, has = without(self.before, self.held), without(self.held, self.before)
        parts = [f"it lacks {some_of(lacks)}"] * bool(lacks) + [f"it has {some_of(has)}"] * bool(has)
        return " and ".join(parts)


class _Start(NamedTuple):
    """Where a change starts, for whoever reads that a unit is not there: at OLD, or at what a push left."""

    name: str
    advice: str
    again: str = ""
    """The command that takes the push back; empty where the change starts at OLD."""

    @classmethod
    def of(cls, undoes: str | None, command: Command) -> _Start:
        if undoes is None:
            return cls("OLD", CORRECT_OLD)
        return cls(f"push {number_in(undoes)}", "", command("push"))

    def of_list(self, found: _Elsewhere) -> ChangeProblem:
        name = LIST_NAMES[found.subject]
        if not self.again:
            message = f"{name} is neither {self.name}'s nor on the way to the plan's: {found.differs}"
            changed = f"; or, if somebody has changed it, {_enter(found.to_enter)} at {REMOTE_ACCESS}, and push again"
            return ChangeProblem(found.unit, message, self.advice + changed)
        message = f"{name} is neither as {self.name} left it nor as it was before that: {found.differs}"
        return ChangeProblem(found.unit, message, self.by_hand(f"{_enter(found.before)} at {REMOTE_ACCESS}"))

    def of_cluster(self, unit: str, message: str, by_hand: str) -> ChangeProblem:
        at = f"{by_hand} at {MANAGE_CLUSTERS}"
        changed = f"{self.advice}; or, if somebody has changed it, {at}, and push again"
        return ChangeProblem(unit, message, self.by_hand(at) or changed)

    def by_hand(self, what: str) -> str:
        """Return how a person makes it again what the push left; empty where the change starts at OLD."""
        return f"somebody changed it since; on that unit, {what}; then: {self.again}" if self.again else ""


def _enter(addresses: tuple[str, ...]) -> str:
    value = " ".join(addresses)
    return f"enter {value}" if value else "empty the field"


def _lists_elsewhere(
    site: SiteSettings, change: Change, facts: Observations, plan: Plan, *, removes_unknown: bool
) -> Iterator[_Elsewhere]:
    """Compare the lists of a site's units with OLD, with what comes between, and with the plan."""
    if change.old_site(site.name) is None or site.name in seeded_sites(plan):
        return  # its lists are held against the plan, as those of every push
    new_units = renewed_units(plan, site)
    active = facts.active(site.name)
    for unit in (active,) if active else facts.of_site(site.name):  # to a standby they come from its active unit
        for subject in SUBJECTS:
            held: tuple[str, ...] | None = getattr(unit, subject)
            if held is None or (not held and unit.address in new_units):
                continue
            known = [getattr(each, subject) for each in lists_on_the_way(plan, site)]
            if any(_fits(held, wanted, removes_unknown=removes_unknown) for wanted in known):
                continue
            before = old_addresses(plan, site.name, subject)
            yield _Elsewhere(unit.address, subject, before, held, getattr(site, subject))


def _unplanned(site: SiteSettings, change: Change, facts: Observations, start: _Start) -> Iterator[ChangeProblem]:
    """Find what the lists of a site have that joins again, and that its push would remove."""
    unit = facts.active(site.name) if change.old_site(site.name) is None else None
    for subject in SUBJECTS if unit else ():
        if unit and (extra := without(getattr(unit, subject) or (), getattr(site, subject))):
            message = f"{LIST_NAMES[subject]} has {some_of(extra)}, which were not there before {start.name}"
            yield ChangeProblem(unit.address, message, start.by_hand(f"take them off at {REMOTE_ACCESS}"))


def lists_on_the_way(plan: Plan, site: SiteSettings) -> tuple[SiteSettings | SiteLists, ...]:
    """Return what has the lists that a site may hold: OLD, what comes between, and the plan."""
    change = plan.change
    known = (change.old_site(site.name), change.interim_lists(site.name)) if change else ()
    return (*(each for each in known if each), site)


def _fits(held: tuple[str, ...], wanted: tuple[str, ...], *, removes_unknown: bool) -> bool:
    return not without(wanted, held) and (removes_unknown or not without(held, wanted))


def _cluster_problems(
    site: SiteSettings, change: Change, facts: Observations, plan: Plan, start: _Start
) -> Iterator[ChangeProblem]:
    """See that a site that goes on in its group has the clusters that OLD says, as far as they stay."""
    unit, old = facts.active(site.name), change.old_site(site.name)
    if unit is None or unit.clusters is None or old is None or site.name in (*change.leaving, *seeded_sites(plan)):
        return
    entered = {step.site for step in plan.steps if step.action in (Action.ADD_CLUSTER, Action.DELETE_CLUSTER)}
    for before in change.old_clusters:
        owner = change.old_site(before.site)
        if owner is None or owner.group != old.group or before.site in (*change.leaving, *entered):
            continue
        if plan.site(before.site).group != site.group:
            continue
        planned = plan.cluster(before.site)
        found = find(plan, planned, unit.clusters)
        if found is None:
            message = f"it lacks the cluster '{before.name}' ({before.address}), which {start.name} has"
            yield start.of_cluster(unit.address, message, f"add the cluster '{before.name}' ({before.address}) again")
        elif not found.is_named(planned.name) and not is_old_cluster(plan, before.site, found.address, found.name):
            message = f"the cluster at {found.address} is called '{found.name}', and '{before.name}' by {start.name}"
            yield start.of_cluster(unit.address, message, f"call it '{before.name}' again")


def _unlike_before(plan: Plan, facts: Observations, start: _Start) -> Iterator[ChangeProblem]:
    """Refuse to delete what somebody else has put, or made of it, where a cluster was."""
    told: set[tuple[str, str]] = set()
    for step in plan.steps:
        unit = facts.active(step.on.site) if step.action in DELETIONS else None
        for cluster in clusters_to_delete(plan, step, unit.clusters or ()) if unit else ():
            fault = unlike_before(plan, cluster)
            if unit and fault and (unit.address, cluster.address) not in told:
                told.add((unit.address, cluster.address))
                message = f"the cluster at {cluster.address} would be deleted, and is not {start.name}'s: {fault}"
                yield start.of_cluster(unit.address, message, f"make the cluster at {cluster.address} what it was")


def _ha_elsewhere(plan: Plan, facts: Observations, start: _Start) -> Iterator[ChangeProblem]:
    """Find HA parameters that a step changes and that are neither as before nor as planned."""
    for change in plan.ha_changes:
        for unit in facts.of_site(change.site):
            for parameter in changed_parameters(change) if unit.ha else ():
                held = parameter.held(unit.ha) if unit.ha else None
                known = [parameter.planned(values) for values in (change.before, change.after)]
                if held is None or held in known:
                    continue
                shown = " nor ".join(map(parameter.shown, known))
                message = f"its {parameter.name} is {parameter.shown(held)}, and neither {shown}"
                by_hand = start.by_hand(f"set {parameter.name} to {parameter.shown(known[0])} at {HA_PARAMETERS}")
                yield ChangeProblem(unit.address, message, by_hand or start.advice)


def _swapped_roles(plan: Plan, change: Change, facts: Observations) -> Iterator[ChangeProblem]:
    """Refuse roles that are swapped in the file and not on the units: no push does that."""
    for site in plan.sites:
        old = change.old_site(site.name)
        if old is None or site.kind != "ha_pair" or site.name in change.leaving:
            continue
        now, before = ([canonical(unit.address) for unit in each.units] for each in (site, old))
        if now != before[::-1] or now == before:
            continue
        master, slave = facts.of_site(site.name)
        held = [unit.ha.mode if unit.ha else None for unit in (master, slave)]
        if held != ["master", "slave"]:
            shown = ", ".join(
                f"{unit.address} {mode or 'does not tell'}" for unit, mode in zip((master, slave), held, strict=True)
            )
            message = f"its roles are swapped in the file, and not on the units: {shown}"
            hint = (
                "put the roles in the file back as the units hold them; or swap the HA modes on both units by hand in "
                "a maintenance window (the slave first, to single, then both anew), and push then"
            )
            yield ChangeProblem(site.name, message, hint)


def replaced_twice(plan: Plan, facts: Observations, options: Options, ledger: Ledger) -> Iterator[ChangeProblem]:
    """Find pairs with a unit that an earlier push took for a new box and proved, and that holds what is planned.

    Most likely that push is repeated, and a reboot would serve nothing; a box that is new once more may have got its
    lists from its pair, and needs one. Only a person knows.
    """
    for name in sorted(pairs_to_join(plan)):
        site = plan.site(name)
        named = {canonical(address) for address in plan.change.replaced} if plan.change else set()
        units = [unit.address for unit in site.units if canonical(unit.address) in named]
        is_wanted = options.reboot is not RebootMode.CHANGED or name in options.reboot_sites
        if not units or is_wanted or not ledger.is_proven_since_renewed(site, units):
            continue
        held = [unit.geo_partners for address in units if (unit := facts.unit(address))]
        if all(partners and same_addresses(partners, site.geo_partners) for partners in held):
            verb = "was" if len(units) == 1 else "were"
            message = f"{some_of(units)} {verb} taken for a new box by an earlier push, which came to its end"
            hint = f"leave --replaced out; if it is new once more, say so with --reboot always={shell_command(name)}"
            yield ChangeProblem(name, message, hint)


def without_probes(plan: Plan, facts: Observations) -> Iterator[ChangeProblem]:
    """Find who leaves without its own cluster, of which a push that begins has deleted nothing yet."""
    for unit, own in without_probe(plan, facts):
        message, hint = lacks_probe(own)
        yield ChangeProblem(unit, message, f"{hint}; it is deleted again as a probe")
