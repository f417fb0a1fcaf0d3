"""What blocks a change before it begins: OLD is a claim, and who joins is empty, or what the plan makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geoplan.addresses import canonical, same_addresses, without
from geoplan.live.findings.clusters import find
from geoplan.live.findings.compare import is_old_cluster
from geoplan.live.findings.geo_merge import site_at, sites_by_address
from geoplan.live.findings.leaving import silent_leavers
from geoplan.live.findings.newcomers import (
    GeoConfiguration,
    differences,
    reference_of,
    seeded_sites,
)
from geoplan.live.model import LIST_NAMES, SUBJECTS
from geoplan.plan.actions import DELETIONS
from geoplan.plan.model import Action
from geoplan.push import records as models
from geoplan.push.options import RebootMode
from geoplan.push.outcome import StepState
from geoplan.wording import shell_command, some_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from geoplan.live.model import Observation, Observations, Subject
    from geoplan.plan.model import Change, Plan, SiteLists, SiteSettings
    from geoplan.push.history import History
    from geoplan.push.ledger import Ledger
    from geoplan.push.options import Options

CORRECT_OLD = "give as OLD what the units were pushed to last: geoplan diff OLD shows what differs from it"
EMPTY_IT = (
    "a site joins empty: delete its FQDNs and clusters there by hand (Global Balancing), once nothing needs them, "
    "or let it join by a restore of the group's GEO Configuration"
)

IN_TWO = (
    "nobody stays who would show that a deletion there does not travel: push a topology first in which this site "
    "stands alone, delete these clusters there by hand, and let it join then"
)


class ChangeProblem(NamedTuple):
    """One thing that blocks a change: where, what, and what to do."""

    where: str
    message: str
    hint: str


def pairs_to_join(plan: Plan) -> frozenset[str]:
    """Return the pairs that get a new unit: what is wrong with them now is waited for, by a step of its own."""
    return frozenset(step.site for step in plan.steps if step.action is Action.JOIN_HA_PAIR)


def units_to_renew(plan: Plan, ledger: Ledger, resumed: History | None = None) -> frozenset[str]:
    """Return the units that a push takes for new boxes: what is proven of those before them is void then.

    At another address a box is new once: where an earlier push has proven it, it is as any other. A push that is
    resumed has said it when it began.
    """
    if resumed is not None:
        return resumed.renewed
    found: set[str] = set()
    for site in plan.sites:
        units = renewed_units(plan, site)
        named = {canonical(address) for address in plan.change.replaced} if plan.change else set()
        is_said = any(canonical(unit) in named for unit in units)
        if is_said or site.kind != "ha_pair" or not ledger.is_proven_since_renewed(site, units):
            found |= {canonical(unit) for unit in units}
    return frozenset(found)


def pairs_with(renewed: Collection[str], plan: Plan) -> frozenset[str]:
    """Return the pairs whose new unit a push takes for a new box; ``renewed`` are such units, in one spelling."""
    pairs = map(plan.site, pairs_to_join(plan))
    return frozenset(site.name for site in pairs if any(canonical(unit.address) in renewed for unit in site.units))


def is_left_to_change(plan: Plan, facts: Observations, renewed: Collection[str]) -> bool:
    """Return whether a change has something to do that no comparison of lists and clusters shows: what is to go.

    ``renewed`` are the units that it takes for new boxes.
    """
    change = plan.change
    if change is None:
        return False
    for step in plan.steps:
        if step.action not in (Action.DELETE_CLUSTER, Action.PROBE_UNLINKED):
            continue
        unit, old = facts.active(step.on.site), change.old_cluster(step.site)
        if unit and old and any(canonical(each.address) == canonical(old.address) for each in unit.clusters or ()):
            return True
    return bool(pairs_with(renewed, plan))


_JOINING = frozenset({Action.SET_GEO_PARTNERS, Action.SET_REMOTE_GEO_ACCESS, Action.SEED_GEO_CONFIGURATION})
_LEAVING = frozenset({Action.REMOVE_GEO_PARTNERS, Action.REMOVE_REMOTE_GEO_ACCESS, Action.VERIFY_UNLINKED}) | DELETIONS
_ENDED_WELL = frozenset({StepState.DONE, StepState.IN_PLACE, StepState.RECORDED, StepState.LEFT_OUT})


def steps_left_behind(plan: Plan, history: History) -> frozenset[str]:
    """Return the steps of a leave that a push which is resumed has ended before it began what comes after them.

    A site that leaves one group for another has the new partners by now: to take off again what is on its lists would
    undo that.
    """
    if plan.change is None:
        return frozenset()
    steps = {step.id: step for step in plan.steps}
    begun = [record.step for record in history.records if isinstance(record, models.Changing | models.Seeding)]
    to_see = [name for name in dict.fromkeys(begun) if name in steps and steps[name].action in _JOINING]
    before: set[str] = set()
    while to_see:
        fresh = [name for name in steps[to_see.pop()].after if name not in before]
        before.update(fresh)
        to_see += fresh
    return frozenset(
        name for name in before if steps[name].action in _LEAVING and history.step_states.get(name) in _ENDED_WELL
    )


def change_problems(
    plan: Plan, facts: Observations, options: Options, ledger: Ledger, resumed: History | None = None
) -> Iterator[ChangeProblem]:
    """Find what blocks a change on units that are fit for it by themselves."""
    change = plan.change
    if change is None:
        return
    absent = silent_leavers(plan, facts)
    for site in plan.sites:
        if site.name not in absent:
            yield from _list_problems(site, change, facts, plan, removes_unknown=options.remove_unknown)
            yield from _cluster_problems(site, change, facts, plan)
    yield from _swapped_roles(plan, change, facts)
    if resumed is None:
        yield from _replaced_twice(plan, facts, options, ledger)
    for name in seeded_sites(plan):
        yield from _newcomer_problems(plan, change, name, facts)


# -- OLD is a claim ----------------------------------------------------------------------------------------------------


def old_addresses(plan: Plan, site: str, subject: Subject) -> tuple[str, ...]:
    """Return what a site's list held by OLD: a change takes off what it names."""
    old = plan.change.old_site(site) if plan.change else None
    held: tuple[str, ...] = getattr(old, subject) if old else ()
    return held


def _list_problems(
    site: SiteSettings, change: Change, facts: Observations, plan: Plan, *, removes_unknown: bool
) -> Iterator[ChangeProblem]:
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
            claimed = old_addresses(plan, site.name, subject)
            lacks, has = without(claimed, held), without(held, claimed)
            parts = [f"it lacks {some_of(lacks)}"] * bool(lacks) + [f"it has {some_of(has)}"] * bool(has)
            message = f"{LIST_NAMES[subject]} is neither OLD's nor on the way to the plan's: {' and '.join(parts)}"
            yield ChangeProblem(unit.address, message, CORRECT_OLD)


def lists_on_the_way(plan: Plan, site: SiteSettings) -> tuple[SiteSettings | SiteLists, ...]:
    """Return what has the lists that a site may hold: OLD, what comes between, and the plan."""
    change = plan.change
    known = (change.old_site(site.name), change.interim_lists(site.name)) if change else ()
    return (*(each for each in known if each), site)


def _fits(held: tuple[str, ...], wanted: tuple[str, ...], *, removes_unknown: bool) -> bool:
    return not without(wanted, held) and (removes_unknown or not without(held, wanted))


def renewed_units(plan: Plan, site: SiteSettings) -> frozenset[str]:
    """Return the units of a site that are new: at another address, or replaced where they were."""
    change = plan.change
    old = change.old_site(site.name) if change else None
    if change is None or old is None:
        return frozenset()
    before = {canonical(unit.address) for unit in old.units}
    replaced = {canonical(address) for address in change.replaced}
    units = [unit.address for unit in site.units]
    return frozenset(unit for unit in units if canonical(unit) in replaced or canonical(unit) not in before)


def _cluster_problems(site: SiteSettings, change: Change, facts: Observations, plan: Plan) -> Iterator[ChangeProblem]:
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
            message = f"it lacks the cluster '{before.name}' ({before.address}), which OLD has"
            yield ChangeProblem(unit.address, message, CORRECT_OLD)
        elif not found.is_named(planned.name) and not is_old_cluster(plan, before.site, found.address, found.name):
            message = f"the cluster at {found.address} is called '{found.name}', and '{before.name}' by OLD"
            yield ChangeProblem(unit.address, message, CORRECT_OLD)


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


def _replaced_twice(plan: Plan, facts: Observations, options: Options, ledger: Ledger) -> Iterator[ChangeProblem]:
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


# -- who joins ---------------------------------------------------------------------------------------------------------


def _newcomer_problems(plan: Plan, change: Change, name: str, facts: Observations) -> Iterator[ChangeProblem]:
    site = plan.site(name)
    reference = facts.active(reference_of(plan, site.group))
    unit = facts.active(name)
    if unit is None or reference is None:
        return  # that its pair has no active unit is told by itself
    if unit.failure is None and unit.geo_enabled is None:
        yield ChangeProblem(unit.address, "it joins, and does not tell that GEO is on", "enable GEO there, and see it")
    for each in (unit, reference):
        if each.failure is None and (each.clusters is None or each.fqdns is None):
            message = "it does not tell all its clusters and FQDNs, which have to be known before a site joins"
            yield ChangeProblem(each.address, message, "see that it answers listclusters and listfqdns")
            return
    if unit.clusters is None or unit.fqdns is None or reference.clusters is None or reference.fqdns is None:
        return
    here = GeoConfiguration(unit.clusters, unit.fqdns)
    there = GeoConfiguration(reference.clusters, reference.fqdns)
    part = change.part_of(name)
    if _is_merged(change, name) and (here.fqdns or part is None):
        yield from _merge_problems(plan, change, name, _Ends(here, there, unit, reference))
    elif part and not (here.fqdns or there.fqdns or _is_cleaned(plan, change, name)):
        if not _is_empty_or_on_its_way(plan, site, here, there):
            message = f"it joins with clusters of a group that nobody goes on with: {here.shown}"
            yield ChangeProblem(unit.address, message, IN_TWO)
    elif part is None and not _is_empty_or_on_its_way(plan, site, here, there):
        message = f"it joins and is not empty: {here.shown}; {reference.address} has {there.shown}"
        yield ChangeProblem(unit.address, message, EMPTY_IT)


def _is_cleaned(plan: Plan, change: Change, name: str) -> bool:
    """Return whether steps delete what a site has of the group that it leaves."""
    part = change.part_of(name)
    deleting = {step.site for step in plan.steps if step.action is Action.DELETE_OTHER_CLUSTERS}
    return part is not None and not deleting.isdisjoint(part.sites)


def _is_empty_or_on_its_way(plan: Plan, site: SiteSettings, here: GeoConfiguration, there: GeoConfiguration) -> bool:
    """Return whether a newcomer has nothing, all that its group has, or clusters that this plan has entered there."""
    if here.is_empty or not differences(plan, site.group, here, there):
        return True
    if here.fqdns:
        return False
    planned = [cluster for cluster in plan.clusters if cluster.group == site.group]
    places = sites_by_address(plan)
    known = {(site_at(places, cluster), cluster.name) for cluster in there.clusters}
    own = {found for each in planned if (found := find(plan, each, here.clusters)) and found.is_named(each.name)}
    return all(found in own or (site_at(places, found), found.name) in known for found in here.clusters)


def _is_merged(change: Change, name: str) -> bool:
    """Return whether a site comes from a group that nobody goes on with: with all of it, or what is left of it."""
    part = change.part_of(name)
    is_whole = part is None and change.old_site(name) is not None and change.joined_by(name) is not None
    return is_whole or (part is not None and not part.stay)


class _Ends(NamedTuple):
    """A site that joins and the one whose configuration it takes over, as both tell it."""

    here: GeoConfiguration
    there: GeoConfiguration
    unit: Observation
    reference: Observation


def _merge_problems(plan: Plan, change: Change, name: str, ends: _Ends) -> Iterator[ChangeProblem]:
    """Refuse to merge two groups with FQDNs where those of one would be lost.

    Who has none is seeded with the configuration of the group that it joins, and keeps its backup.
    """
    here, there, unit, reference = ends
    if not here.fqdns or {each.lower() for each in here.fqdns} == {each.lower() for each in there.fqdns}:
        return
    if there.fqdns:
        message = (
            f"two groups with FQDNs of their own are not merged: {unit.address} has {some_of(here.fqdns)}, "
            f"{reference.address} has {some_of(there.fqdns)}"
        )
        hint = "enter the FQDNs of one group on the other by hand, and delete them there; then push"
        yield ChangeProblem(name, message, hint)
        return
    message = (
        f"{unit.address} has FQDNs and {reference.address}, whose configuration would go on, has none: so these groups "
        "are not merged"
    )
    yield ChangeProblem(name, message, _how_to_keep(plan, change, name))


def _how_to_keep(plan: Plan, change: Change, name: str) -> str:
    """Say how the group with FQDNs goes on: a group is made around the one before that has its name."""
    old, now = change.old_site(name), plan.site(name).group
    before = old.group if old else now
    if before != now and all(group.name != before for group in plan.groups):
        return (
            f"let the group that has the FQDNs go on: call the merged group '{before}' under groups: in the topology, "
            f"in place of '{now}', and push again; then the other sites are seeded, one at a time"
        )
    others = [site.name for site in plan.sites_of(now) if (was := change.old_site(site.name)) and was.group != before]
    return (
        f"make two pushes of it: first, with --clean-leaving, one to a topology without {some_of(others)}, which leave "
        "and lose their clusters; then this one, --from that topology"
    )
