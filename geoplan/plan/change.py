"""From one topology to the next: who leaves, who joins, and the steps between, in an order that loses nothing.

Links are cut before anything is deleted, and what joins has the group's GEO configuration before it is linked.
"""

from __future__ import annotations

from collections import defaultdict
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from geoplan.addresses import canonical, without
from geoplan.plan.change_graph import Work, build_change_graph, hosts_first, placements_of
from geoplan.plan.change_parts import groups_after, parts_of
from geoplan.plan.change_refusals import Matched, require_possible, require_safe, require_sound, shown_addresses
from geoplan.plan.change_scope import touched_by
from geoplan.plan.graph import Reboots
from geoplan.plan.ha_change import ha_changes
from geoplan.plan.lists import cluster_of, lists_without, settings_of
from geoplan.plan.model import Action, Change, JoinedGroup, LeavingPart
from geoplan.plan.pairs import settings_of_pairs
from geoplan.plan.planner import Departure, StepsToDo, plan_of
from geoplan.plan.retired import require_meant
from geoplan.topology.rules import require_well_formed
from geoplan.topology.types import address_order

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from geoplan.plan.change_parts import PartBefore
    from geoplan.plan.model import Plan, SiteLists, SiteSettings
    from geoplan.topology.model import Topology


class Stood(NamedTuple):
    """What a site had before it joined, to which it comes back once that is undone."""

    remote_geo_access: tuple[str, ...]
    """Of its access list what names none of the sites that it joined."""
    clusters: tuple[str, ...] = ()
    """The sites whose clusters it had."""


def make_change(  # noqa: PLR0913 - what a change is of
    topology: Topology,
    old: Plan,
    *,
    replaced: Collection[str] = (),
    cleans_leaving: bool = False,
    retired: Collection[str] = (),
    owing: Collection[str] = (),
) -> Plan:
    """Plan what leads from an older plan to a topology, with the fewest reboots.

    ``replaced`` are the units, by their addresses, that are new boxes at the addresses of dead ones. With
    ``cleans_leaving`` sites that leave for good lose every cluster of the group, else only their own. ``retired`` are
    the older groups, by name, that leave as a whole: a group that nobody names is not taken apart by a wrong OLD.
    ``owing`` are pairs, by name, that are rebooted whatever changes: earlier pushes left their reboots out. For a
    part of a topology it is the change of these groups alone, as long as it touches no other one. Raises
    :class:`geoplan.errors.ChangeRefusedError` with every reason why no safe plan leads there, and
    :class:`geoplan.InvalidInputError` where the topology breaks a rule.
    """
    plan = plan_change(topology, old, replaced=replaced, cleans_leaving=cleans_leaving, owing=owing)
    require_meant(plan, retired)
    return plan


def plan_change(  # noqa: PLR0913 - what a change is of
    topology: Topology,
    old: Plan,
    *,
    replaced: Collection[str] = (),
    cleans_leaving: bool = False,
    stood: Mapping[str, Stood] = MappingProxyType({}),
    owing: Collection[str] = (),
) -> Plan:
    """Plan a change as :func:`make_change` does, where it is known to be meant: OLD is what a push has left.

    Sites of ``stood``, by name, come to what they had before they joined, and keep those clusters.
    """
    require_well_formed(topology)
    require_sound(old)
    groups = topology.partner_groups()
    names = [group.name for group in groups]
    after = {site.name: site for group in groups for site in settings_of(group)}
    there = [site for site in old.sites if not old.change or site.name not in old.change.leaving]
    matched = _match(after, touched_by(topology, there), {site.name for site in topology.whole.sites})
    require_possible(after, matched, replaced)
    leaving = tuple(_as_they_leave(matched.leaving, names, stood))
    end = {**after, **{site.name: site for site in leaving}}
    parts = parts_of(matched.before.values(), {name: site.group for name, site in end.items()}, names)
    interim = dict(_interim_lists(parts.before, end, matched.before, {site.name for site in leaving}))
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
        before=parts.before,
        after=tuple(groups_after(groups, parts.cores, emptied)),
        settings=end,
        old_settings=matched.before,
        interim=interim,
        clusters=clusters,
        old_clusters={cluster.site: cluster for cluster in old_clusters},
        renewed=frozenset(renewed),
        emptied=emptied,
        balanced=frozenset(balanced),
        cleans_leaving=cleans_leaving,
        ha_changes=tuple(ha_changes(topology, old, matched.now)),
        taken_back=frozenset(_taken_back(parts.before, stood)),
        owing=frozenset(owing),
    )
    require_safe(work)
    change = Change.model_construct(
        old_topology=old.topology,
        old_checksum=old.checksum,
        old_sites=tuple(matched.before.values()),
        old_clusters=old_clusters,
        leaving=tuple(site.name for site in leaving),
        parts=tuple(_leaving_parts(work, stood)),
        joined=tuple(
            JoinedGroup.model_construct(
                name=group.group.name, reference=group.reference, joining=tuple(site.name for site in group.joining)
            )
            for group in work.after
            if group.joining and group.core
        ),
        interim=tuple(interim.values()),
        replaced=tuple(sorted(_as_planned(after, replaced), key=address_order)),
        cleans_leaving=cleans_leaving,
    )
    timing = topology.timing
    reboots = Reboots((Action.REBOOT_MASTER,), timing.sync_seconds + timing.boot_seconds, timing.sync_seconds)
    steps = StepsToDo(build_change_graph(work), placements_of(work), reboots)
    return plan_of(topology, steps, departure=Departure(change, leaving, work.ha_changes))


def older_plan(plan: Plan) -> Plan:
    """Return the older plan that a change starts from, as far as it tells: the same change can be made from it again.

    So it needs neither the file that it began with nor the units as they were. That pairs which leave were behind a
    load balancer it does not tell, and no live unit does. Raises :class:`ValueError` for a plan of no change.
    """
    change = plan.change
    if change is None:
        raise ValueError(f"the plan of '{plan.topology}' is no change")
    return plan.model_copy(
        update={
            "topology": change.old_topology,
            "checksum": change.old_checksum,
            "groups": (),
            "sites": change.old_sites,
            "clusters": change.old_clusters,
            "steps": (),
            "change": None,
            "ha_changes": tuple(each.model_copy(update={"after": each.before}) for each in plan.ha_changes),
        }
    )


def _match(after: Mapping[str, SiteSettings], old: Sequence[SiteSettings], names: Collection[str]) -> Matched:
    """Say which site of the older plan is which one now: the one that shares a unit with it, whatever its name.

    ``names`` are those that sites have now, in any group.
    """
    owners = {canonical(unit.address): site for site in after.values() for unit in site.units}
    before: dict[str, SiteSettings] = {}
    now: dict[str, str] = {}
    leaving, problems = [], []
    taken = set(names)
    for site in old:
        found = list(
            dict.fromkeys(owners[key].name for unit in site.units if (key := canonical(unit.address)) in owners)
        )
        if len(found) > 1:
            problems.append(f"the units of '{site.name}' are in {len(found)} sites now: {', '.join(found)}")
        elif found and found[0] in before:
            first = next(name for name, then in now.items() if then == found[0])
            problems.append(f"'{found[0]}' has units of '{first}' and of '{site.name}'")
        elif found:
            now[site.name] = found[0]
            before[found[0]] = site.model_copy(update={"name": found[0]})
        else:
            name = _unlike(site.name, taken)
            taken.add(name)
            now[site.name] = name
            before[name] = site.model_copy(update={"name": name})
            leaving.append(before[name])
    return Matched(before, tuple(leaving), now, tuple(problems))


def _unlike(name: str, taken: Collection[str]) -> str:
    """Return a name for a site that leaves, where another one has taken its own."""
    shown, number = name, 1
    while shown in taken:
        shown = f"{name} (old)" if number == 1 else f"{name} (old {number})"
        number += 1
    return shown


def _as_they_leave(
    sites: Iterable[SiteSettings], groups: Collection[str], stood: Mapping[str, Stood]
) -> Iterator[SiteSettings]:
    """Yield what sites come to that leave for good: each a site alone (section 5.1), in a group of its own."""
    for site in sites:
        access = without(site.remote_geo_access, site.geo_partners)
        if site.name in stood:
            access = stood[site.name].remote_geo_access
        group = _unlike(f"{site.name} (leaves)", groups)
        yield site.model_copy(update={"group": group, "remote_geo_access": access, "geo_partners": ()})


def _interim_lists(
    parts: Sequence[Sequence[PartBefore]],
    end: Mapping[str, SiteSettings],
    before: Mapping[str, SiteSettings],
    leaving: Collection[str],
) -> Iterator[tuple[str, SiteLists]]:
    """Yield what the lists hold that lose something, once they have lost it and gained nothing."""
    for part in (part for whole in parts for part in whole):
        linked = {address for site in part.sites for address in shown_addresses(before[site.name])}
        for name in (site.name for site in part.sites):
            old = before[name]
            kept = linked & set(map(canonical, end[name].geo_partners))
            gone = set(map(canonical, old.geo_partners)) - kept
            if name in leaving:  # where its join is undone, its own address may go as well
                gone |= set(map(canonical, without(old.remote_geo_access, end[name].remote_geo_access)))
            if gone:
                yield name, lists_without(old, gone)


def _taken_back(parts: Iterable[Sequence[PartBefore]], stood: Mapping[str, Stood]) -> Iterator[str]:
    """Yield the sites whose clusters none of their group had before a push made that, which is taken back."""
    for whole in parts:
        sites = [site.name for part in whole for site in part.sites]
        if all(name in stood for name in sites):
            had = {name for site in sites for name in stood[site].clusters}
            yield from (name for name in sites if name not in had)


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


def _as_planned(after: Mapping[str, SiteSettings], replaced: Collection[str]) -> list[str]:
    """Return replaced units each once, as the topology spells their addresses."""
    given = {canonical(address) for address in replaced}
    return [unit.address for site in after.values() for unit in site.units if canonical(unit.address) in given]


def _leaving_parts(work: Work, stood: Mapping[str, Stood]) -> Iterator[LeavingPart]:
    for parts in work.before:
        stay = hosts_first(parts[0].sites, work.emptied) if parts[0].goes_on else []
        for part in parts[1:] if stay else parts:
            others = [site.name for other in parts if other is not part for site in other.sites]
            if others:
                yield LeavingPart.model_construct(
                    group=part.group,
                    sites=tuple(site.name for site in part.sites),
                    others=tuple(others),
                    stay=tuple(site.name for site in stay),
                    keeps=tuple(name for s in part.sites if s.name in stood for name in stood[s.name].clusters),
                )
