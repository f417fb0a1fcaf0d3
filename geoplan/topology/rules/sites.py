"""Rules for sites, their names, and the groups and clusters that they are in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.topology.finding import DOCUMENT, GEO, WARNING, Finding, rule
from geoplan.topology.model import BOOT_FLOOR_SECONDS, SYNC_FLOOR_SECONDS
from geoplan.topology.names import nearest
from geoplan.topology.partial import PartialSite, PartialTopology, Text
from geoplan.wording import count, folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@rule(
    "GEO109",
    "A key with nothing behind it",
    why="It may be what an edit left over; taking it for 'not given' could join sites that should be apart.",
)
def empty_value(topology: PartialTopology) -> Iterator[Finding]:
    for loc in topology.empty_values:
        yield Finding(loc, f"there is nothing behind '{loc[-1]}'", "write its value, or take the key out", at_key=True)


@rule("GEO305", "Two names are the same", why="Whoever reads 'Dublin' and 'dublin' at night takes one for the other.")
def name_used_twice(topology: PartialTopology) -> Iterator[Finding]:
    yield from _same_names("site", (site.name for site in topology.sites if site.name))
    yield from _same_names("group", (Text(group.loc, group.name) for group in topology.groups or ()), at_key=True)


def _same_names(kind: str, names: Iterable[Text], *, at_key: bool = False) -> Iterator[Finding]:
    seen: dict[str, Text] = {}
    for name in names:
        first = seen.setdefault(folded(name.text), name)
        if first is not name:
            message = f"the name '{name.text}' is used twice: another {kind} is called '{first.text}'"
            yield Finding(name.loc, message, f"give each {kind} a name that differs in more than case", at_key)


@rule("GEO401", "A site has no unit", why="A site is an HA pair or a standalone LoadMaster.", source=f"{DOCUMENT}, 5")
def site_without_units(topology: PartialTopology) -> Iterator[Finding]:
    for site in topology.sites:
        if not site.kinds and not site.unread_kind:
            hint = "add ha_pair: {master: ADDRESS, slave: ADDRESS} or standalone: ADDRESS"
            yield Finding(site.loc, f"{site.label} has neither ha_pair nor standalone", hint)


@rule(
    "GEO402",
    "A site is a pair and a standalone",
    why="It has to be one of the two: they follow different steps.",
    source=f"{DOCUMENT}, 5",
)
def site_of_both_kinds(topology: PartialTopology) -> Iterator[Finding]:
    for site in topology.sites:
        if len(site.kinds) > 1:
            message, hint = f"{site.label} has both ha_pair and standalone", "keep one of them, or make two sites of it"
            yield Finding((*site.loc, site.kinds[1]), message, hint, at_key=True)


@rule(
    "GEO403",
    "A site is in a group twice or in two groups",
    why="Partners share one configuration, so a site in two groups would make the two one.",
    source=f"{GEO}, HA Versus Partners",
)
def site_in_two_groups(topology: PartialTopology) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for group in topology.groups or ():
        for member in group.members:
            if folded(member.text) in seen:
                message = f"'{member.text}' is already in the group '{seen[folded(member.text)]}'"
                yield Finding(member.loc, message, "keep it in one group, once")
            seen.setdefault(folded(member.text), group.name)


@rule(
    "GEO404",
    "A site is in no group",
    why="With groups in the file, a site that none of them names would silently have no partner.",
)
def site_in_no_group(topology: PartialTopology) -> Iterator[Finding]:
    if topology.groups is None or not all(group.readable for group in topology.groups):
        return
    members = {folded(member.text) for group in topology.groups for member in group.members}
    for site in topology.sites:
        if site.name and folded(site.name.text) not in members:
            hint = "name it in a group; a site that has no partners is a group of its own"
            yield Finding(site.name.loc, f"{site.label} is in no group", hint)


MAX_COMPARED = 100_000
"""Names that are compared in all to find the sites that were meant; beyond it an unknown site gets no suggestion."""


@rule("GEO405", "A group names an unknown site", why="Groups name sites as 'sites' does, in any case.")
def unknown_site_in_group(topology: PartialTopology) -> Iterator[Finding]:
    names = {folded(site.name.text): site.name.text for site in topology.sites if site.name}
    compared = 0
    for group in topology.groups or ():
        for member in group.members:
            if folded(member.text) not in names:
                near = nearest(member.text, names.values()) if compared < MAX_COMPARED else None
                compared += len(names)
                hint = f"did you mean '{near}'?" if near else "name a site as 'sites' does"
                yield Finding(member.loc, f"'{member.text}' is no site of this topology", hint)


@rule(
    "GEO406",
    "A group is empty",
    why="A group without a site plans nothing; its sites may have been lost in an edit.",
)
def group_without_sites(topology: PartialTopology) -> Iterator[Finding]:
    for group in topology.groups or ():
        if group.readable and not group.members:
            hint = "name its sites, or leave it out"
            yield Finding(group.loc, f"the group '{group.name}' is empty", hint, at_key=True)


@rule(
    "GEO407",
    "Two clusters of a group have one name",
    why="Partners share their clusters, and the two could not be told apart.",
    source=f"{GEO}, Manage Clusters",
)
def cluster_name_used_twice(topology: PartialTopology) -> Iterator[Finding]:
    for group in topology.partner_groups:
        seen: dict[str, PartialSite] = {}
        for site in group.sites:
            if site.cluster_name is None:
                continue
            first = seen.setdefault(folded(site.cluster_name.text), site)
            named_by_site = site.cluster_name is site.name and first.cluster_name is first.name
            if first is not site and not named_by_site:  # sites of one name are told apart by GEO305
                message = f"the clusters of {first.label} and {site.label} are both called '{site.cluster_name.text}'"
                yield Finding(site.cluster_name.loc, message, "give one of the two another cluster: {name: …}")


@rule(
    "GEO408",
    "A group has too many sites",
    why="A LoadMaster takes 18 GEO clusters, and each site is one.",
    source=f"{GEO}, Manage Clusters",
)
def too_many_sites(topology: PartialTopology) -> Iterator[Finding]:
    for group in topology.partner_groups:
        sites, most = len(group.sites), topology.max_clusters
        if sites > most:
            message = f"{group.label} has {count(sites, 'site')}, more than the {count(most, 'GEO cluster')}"
            hint = f"split it into groups, or set limits: {{max_clusters: {sites}}} if your LoadMasters take more"
            yield Finding(group.sites[most].loc, f"{message} that a LoadMaster takes", hint)


@rule(
    "GEO508",
    "A time is shorter than a push ever waits",
    severity=WARNING,
    why="On a network a push waits as for a replication of 120 s and a boot of 60 s at least: a master rebooted before "
    "its slave holds the new lists leaves the site with the old ones.",
    source=f"{DOCUMENT}, 4; HA Feature Description",
)
def time_below_floor(topology: PartialTopology) -> Iterator[Finding]:
    for written, floor, what in (
        (topology.boot_seconds, BOOT_FLOOR_SECONDS, "boot"),
        (topology.sync_seconds, SYNC_FLOOR_SECONDS, "replication"),
    ):
        if written and 0 <= written.value < floor:
            message = f"a push waits as for a {what} of {floor:g} s at least, not of {written.value:g} s"
            yield Finding(written.loc, message, f"write {floor:g} or more; shorter times count in a lab alone")
