"""From one topology to the next: who leaves, who joins, and the steps between, in an order that loses nothing.

Links are cut before anything is deleted, and what joins has the group's GEO configuration before it is linked.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from geoplan.addresses import canonical
from geoplan.errors import ChangeRefusedError
from geoplan.plan.change_graph import GroupAfter, PartBefore, Work, build_change_graph, hosts_first, placements_of
from geoplan.plan.graph import Reboots
from geoplan.plan.lists import cluster_of, pairs_of, settings_of, standalones_of
from geoplan.plan.model import Action, Change, JoinedGroup, LeavingPart, SiteLists
from geoplan.plan.pairs import settings_of_pairs
from geoplan.plan.planner import Departure, StepsToDo, plan_of
from geoplan.topology.rules import require_well_formed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from geoplan.plan.model import Plan, SiteSettings
    from geoplan.topology.model import Group, Topology


def make_change(topology: Topology, old: Plan, *, replaced: Collection[str] = (), cleans_leaving: bool = False) -> Plan:
    """Plan what leads from an older plan to a topology, with the fewest reboots.

    ``replaced`` are the units, by their addresses, that are new boxes at the addresses of dead ones. With
    ``cleans_leaving`` sites that leave for good lose every cluster of the group, else only their own. Raises
    :class:`geoplan.errors.ChangeRefusedError` with every reason why no safe plan leads there, and
    :class:`geoplan.InvalidInputError` where the topology breaks a rule.
    """
    require_well_formed(topology)
    groups = topology.partner_groups()
    after = {site.name: site for group in groups for site in settings_of(group)}
    matched = _match(after, [site for site in old.sites if not old.change or site.name not in old.change.leaving])
    _require_possible(after, matched, replaced)
    leaving = tuple(_as_it_leaves(site) for site in matched.leaving)
    end = {**after, **{site.name: site for site in leaving}}
    interim = dict(interim_lists(end, matched.before))
    clusters = {cluster_of(site, group).site: cluster_of(site, group) for group in groups for site in group.sites}
    old_clusters = tuple(
        cluster.model_copy(update={"site": matched.now[cluster.site]})
        for cluster in old.clusters
        if cluster.site in matched.now
    )
    renewed = _renewed(after, matched.before, replaced)
    balanced = [pair.site for pair in settings_of_pairs(topology, every_pair=False) if pair.load_balancer]
    balanced += [matched.now[pair.site] for pair in old.ha_pairs if pair.load_balancer and pair.site in matched.now]
    emptied = frozenset(name for name, units in renewed.items() if len(units) == len(after[name].units))
    work = Work(
        before=tuple(_parts_before(matched, end, groups)),
        after=tuple(_groups_after(groups, matched, emptied)),
        settings=end,
        old_settings=matched.before,
        interim=interim,
        clusters=clusters,
        old_clusters={cluster.site: cluster for cluster in old_clusters},
        renewed=frozenset(renewed),
        emptied=emptied,
        balanced=frozenset(balanced),
        cleans_leaving=cleans_leaving,
    )
    change = Change.model_construct(
        old_topology=old.topology,
        old_checksum=old.checksum,
        old_sites=tuple(matched.before.values()),
        old_clusters=old_clusters,
        leaving=tuple(site.name for site in leaving),
        parts=tuple(_leaving_parts(work)),
        joined=tuple(
            JoinedGroup.model_construct(
                name=group.group.name, reference=group.reference, joining=tuple(site.name for site in group.joining)
            )
            for group in work.after
            if group.joining and group.core
        ),
        interim=tuple(interim.values()),
        replaced=tuple(sorted(replaced)),
        cleans_leaving=cleans_leaving,
    )
    reboots = Reboots((Action.REBOOT_MASTER,), topology.timing.sync_seconds + topology.timing.boot_seconds)
    steps = StepsToDo(build_change_graph(work), placements_of(work), reboots)
    return plan_of(topology, steps, departure=Departure(change, leaving))


class _Matched(NamedTuple):
    """The sites of the older plan, told apart by what became of them; all under the names they have now."""

    before: dict[str, SiteSettings]
    """What was planned for each site before."""
    leaving: tuple[SiteSettings, ...]
    now: dict[str, str]
    """The name now of each site before."""
    problems: tuple[str, ...]


def _match(after: Mapping[str, SiteSettings], old: Sequence[SiteSettings]) -> _Matched:
    """Say which site of the older plan is which one now: the one that shares a unit with it, whatever its name."""
    owners = {canonical(unit.address): site for site in after.values() for unit in site.units}
    before: dict[str, SiteSettings] = {}
    leaving, now, problems = [], {}, []
    taken = set(after)
    for site in old:
        found = list(
            dict.fromkeys(owners[key].name for unit in site.units if (key := canonical(unit.address)) in owners)
        )
        if len(found) > 1:
            problems.append(f"the units of '{site.name}' are in {len(found)} sites now: {', '.join(found)}")
        elif found and found[0] in before:
            problems.append(f"'{found[0]}' has units of '{before[found[0]].name}' and of '{site.name}'")
        elif found:
            now[site.name] = found[0]
            before[found[0]] = site.model_copy(update={"name": found[0]})
        else:
            name = _unlike(site.name, taken)
            taken.add(name)
            now[site.name] = name
            before[name] = site.model_copy(update={"name": name})
            leaving.append(before[name])
    return _Matched(before, tuple(leaving), now, tuple(problems))


def _unlike(name: str, taken: Collection[str]) -> str:
    """Return a name for a site that leaves, where another one has taken its own."""
    shown, number = name, 1
    while shown in taken:
        shown = f"{name} (old)" if number == 1 else f"{name} (old {number})"
        number += 1
    return shown


def _require_possible(after: Mapping[str, SiteSettings], matched: _Matched, replaced: Collection[str]) -> None:
    problems = list(matched.problems)
    for name, site in matched.before.items():
        if name not in after:
            continue
        if site.kind != after[name].kind:
            problems.append(f"'{name}' was {_KINDS[site.kind]} and is {_KINDS[after[name].kind]} now")
    units = {canonical(unit.address) for site in after.values() for unit in site.units}
    problems += [
        f"no site has the unit {address} that is to be replaced"
        for address in replaced
        if canonical(address) not in units
    ]
    if problems:
        raise ChangeRefusedError(
            "the change is refused, and nothing is planned:",
            problems,
            hint="make it in steps: let the site leave first, form or split the pair by hand, then let it join",
        )


_KINDS = {"ha_pair": "an HA pair", "standalone": "a standalone"}


def _as_it_leaves(site: SiteSettings) -> SiteSettings:
    """Return what a site comes to that leaves for good: a site alone (section 5.1)."""
    partners = {canonical(address) for address in site.geo_partners}
    access = tuple(address for address in site.remote_geo_access if canonical(address) not in partners)
    return site.model_copy(update={"group": f"{site.name} (leaves)", "remote_geo_access": access, "geo_partners": ()})


def interim_lists(
    end: Mapping[str, SiteSettings], before: Mapping[str, SiteSettings]
) -> Iterator[tuple[str, SiteLists]]:
    """Yield what the lists hold that lose something, once they have lost it and gained nothing; by site."""
    for name, old in before.items():
        wanted = {canonical(address) for address in end[name].geo_partners}
        partners = tuple(address for address in old.geo_partners if canonical(address) in wanted)
        gone = {canonical(address) for address in old.geo_partners} - wanted
        access = tuple(address for address in old.remote_geo_access if canonical(address) not in gone)
        if gone:
            yield name, SiteLists.model_construct(site=name, remote_geo_access=access, geo_partners=partners)


def _renewed(
    after: Mapping[str, SiteSettings], before: Mapping[str, SiteSettings], replaced: Collection[str]
) -> dict[str, list[str]]:
    """Return the new units of each site that goes on: at another address, or replaced where they were."""
    new = {canonical(address) for address in replaced}
    renewed: defaultdict[str, list[str]] = defaultdict(list)
    for name, site in after.items():
        if name not in before:
            continue
        old = {canonical(unit.address) for unit in before[name].units}
        for unit in site.units:
            if (key := canonical(unit.address)) in new or key not in old:
                renewed[name].append(unit.address)
    return dict(renewed)


def _parts_before(
    matched: _Matched, end: Mapping[str, SiteSettings], groups: Sequence[Group]
) -> Iterator[tuple[PartBefore, ...]]:
    """Yield the parts of each group before: sites that go to one group stay together; the first part goes on as it.

    That is the largest one that is not leaving for good. Sites that leave for good are a part each.
    """
    sizes = {group.name: len(group.sites) for group in groups}
    by_group: defaultdict[str, defaultdict[str, list[SiteSettings]]] = defaultdict(lambda: defaultdict(list))
    for name, site in matched.before.items():
        by_group[site.group][end[name].group].append(end[name])
    for old_group, parts in by_group.items():
        ordered = sorted(
            ((group, sites) for group, sites in parts.items()),
            key=lambda part: (part[0] not in sizes, -len(part[1])),
        )
        yield tuple(PartBefore(old_group, group if group in sizes else None, tuple(sites)) for group, sites in ordered)


def _groups_after(groups: Sequence[Group], matched: _Matched, emptied: Collection[str]) -> Iterator[GroupAfter]:
    """Yield each group with the sites that were one before, and those that join them.

    Those that were one are the largest part that comes from one group; of equals the first.
    """
    for group in groups:
        by_origin: defaultdict[str, list[str]] = defaultdict(list)
        for site in group.sites:
            if site.name in matched.before:
                by_origin[matched.before[site.name].group].append(site.name)
        biggest = max(map(len, by_origin.values()), default=0)
        core = next((frozenset(sites) for sites in by_origin.values() if len(sites) == biggest), frozenset())
        in_order = (*pairs_of(group), *standalones_of(group))
        first = min(in_order, key=lambda site: (site.name not in core, site.name in emptied))
        yield GroupAfter(
            group=group,
            core=tuple(site for site in in_order if site.name in core),
            joining=tuple(site for site in in_order if site.name not in core),
            reference=first.name,
        )


def _leaving_parts(work: Work) -> Iterator[LeavingPart]:
    for parts in work.before:
        for part in parts[1:] if parts[0].goes_to else parts:
            stay = parts[0] if parts[0].goes_to else None
            others = [site.name for other in parts if other is not part for site in other.sites]
            if others:
                yield LeavingPart.model_construct(
                    group=part.group,
                    sites=tuple(site.name for site in part.sites),
                    others=tuple(others),
                    stay=tuple(site.name for site in hosts_first(stay.sites)) if stay else (),
                )
