"""What blocks a change on whoever joins: it is empty, or what the plan makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geoplan.addresses import canonical
from geoplan.live.findings.clusters import deleted_from, find
from geoplan.live.findings.geo_merge import site_at, sites_by_address
from geoplan.live.findings.newcomers import GeoConfiguration, differences, reference_of
from geoplan.plan.model import Action
from geoplan.vendor import BACKUP, GEO_CONFIGURATION, MANAGE_CLUSTERS, MANAGE_FQDNS
from geoplan.wording import some_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.live.model import Observation, Observations
    from geoplan.plan.model import Change, Plan, SiteSettings

IN_TWO = (
    "nobody stays who would show that a deletion there does not travel: push a topology first in which this site "
    "stands alone, delete these clusters there by hand, and let it join then"
)


class ChangeProblem(NamedTuple):
    """One thing that blocks a change: where, what, and what to do."""

    where: str
    message: str
    hint: str


def newcomer_problems(plan: Plan, change: Change, name: str, facts: Observations) -> Iterator[ChangeProblem]:
    """Find what blocks a site from joining as it is."""
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
        yield ChangeProblem(unit.address, message, _how_to_join(_Ends(here, there, unit, reference)))


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
    planned = plan.clusters_of(site.group)
    places = sites_by_address(plan)
    known = {(site_at(places, cluster), cluster.name) for cluster in there.clusters}
    own = {found for each in planned if (found := find(plan, each, here.clusters)) and found.is_named(each.name)}
    for old, addresses in deleted_from(plan, site.group):  # it is seen by all once they are linked, and goes then
        own.update(
            found for found in here.clusters if canonical(found.address) in addresses and found.is_named(old.name)
        )
    return all(found in own or (site_at(places, found), found.name) in known for found in here.clusters)


def _how_to_join(ends: _Ends) -> str:
    """Say what makes a site joinable that is not empty: it loses by hand what it has, or gets what its group has."""
    here, unit, reference = ends.here, ends.unit.address, ends.reference.address
    steps = [f"delete {some_of(here.fqdns)} at {MANAGE_FQDNS}"] if here.fqdns else []
    steps += [f"delete {some_of([each.name for each in here.clusters])} at {MANAGE_CLUSTERS}"] if here.clusters else []
    return (
        f"a site joins empty: on {unit} by hand, once nothing needs them, {', then '.join(steps)}; or let it have what "
        f"its group has: restore {GEO_CONFIGURATION} alone of a backup of {reference} there ({BACKUP}). Then give this "
        "push again"
    )


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
