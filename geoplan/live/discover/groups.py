"""Which sites are one group: those that name each other as GEO partners, be it by way of others."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.live.discover.sites import Oddity, speaker
from geoplan.live.findings.kinds import FindingKind
from geoplan.wording import join_words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from geoplan.live.discover.search import Discovery
    from geoplan.live.discover.sites import FoundSite

Edge = tuple[int, int]


class _Groups:
    """Sites, by their numbers, that are put into groups step by step."""

    def __init__(self, count: int) -> None:
        self._first = list(range(count))

    def of(self, site: int) -> int:
        """Return the first site of a site's group."""
        while self._first[site] != site:
            site = self._first[site]
        return site

    def join(self, one: int, other: int) -> None:
        """Make one group of those of two sites."""
        first, second = sorted((self.of(one), self.of(other)))
        self._first[second] = first

    def members(self) -> dict[int, list[int]]:
        """Return all groups by their first sites."""
        found: dict[int, list[int]] = {}
        for site in range(len(self._first)):
            found.setdefault(self.of(site), []).append(site)
        return found


def groups_of(
    sites: Sequence[FoundSite], discovery: Discovery, planned: Collection[str] = ()
) -> tuple[list[list[int]], list[tuple[int, Oddity]]]:
    """Return the groups, each as the numbers of its sites, and what is odd, each with the number of the site.

    A site that others name belongs to them although it does not name them, if it lets them connect, or if both are
    ``planned``, in a topology of somebody's: nobody's word alone puts another into a group. Two groups that are whole
    by themselves become one only where at least half of the entries that this takes are there: one wrong address joins
    no groups. A site that could not be read belongs to those of which most name it.
    """
    edges = _edges(sites, discovery)
    groups = _Groups(len(sites))
    for one, other in edges:
        if (other, one) in edges:
            groups.join(one, other)
    mutual = groups.members()
    is_whole = {site: len(members) > 1 for members in mutual.values() for site in members}
    between_groups = [(one, other) for one, other in edges if groups.of(one) != groups.of(other)]
    is_planned = [not set(planned).isdisjoint(site.units) for site in sites]
    granted = [
        (one, other)
        for one, other in between_groups
        if (is_planned[one] and is_planned[other]) or _lets_in(sites[one], sites[other], discovery)
    ]
    for one, other in granted:
        if not (is_whole[one] and is_whole[other]):
            groups.join(one, other)
    members = groups.members()
    across = Counter(frozenset((groups.of(one), groups.of(other))) for one, other in granted)
    for both, entries in across.items():
        one, other = min(both), max(both)
        if one != other and entries >= len(members[one]) * len(members[other]):
            groups.join(one, other)
    _join_silent(sites, edges, groups, discovery)
    odd = [
        (one, _one_sided(sites[one], sites[other]))
        for one, other in between_groups
        if groups.of(one) != groups.of(other)
    ]
    return list(groups.members().values()), odd


def _lets_in(site: FoundSite, other: FoundSite, discovery: Discovery) -> bool:
    """Return whether a site may connect to another one, by that one's own word."""
    unit = speaker(discovery, other)
    access = map(canonical, (unit.remote_geo_access or ()) if unit else ())
    return not site.addresses.isdisjoint(access)


def _join_silent(sites: Sequence[FoundSite], edges: Iterable[Edge], groups: _Groups, discovery: Discovery) -> None:
    """Put each site that told nothing into the one group that most name it in."""
    for silent, site in enumerate(sites):
        if speaker(discovery, site) is not None:
            continue
        named_in = Counter(groups.of(one) for one, other in edges if other == silent).most_common(2)
        if named_in and (len(named_in) == 1 or named_in[0][1] > named_in[1][1]):
            groups.join(named_in[0][0], silent)


def _edges(sites: Sequence[FoundSite], discovery: Discovery) -> dict[Edge, None]:
    """Return which site names a unit of which other one as its GEO partner."""
    owners = {address: number for number, site in enumerate(sites) for address in site.addresses}
    edges: dict[Edge, None] = {}
    for number, site in enumerate(sites):
        unit = speaker(discovery, site)
        for partner in (unit.geo_partners or ()) if unit else ():
            owner = owners.get(canonical(partner))
            if owner not in (None, number):
                edges[number, int(owner or 0)] = None
    return edges


def _one_sided(site: FoundSite, other: FoundSite) -> Oddity:
    message = (
        f"it names {join_words(other.shown)} as GEO partner, which is of another group that does not name it: "
        "they are written as two groups"
    )
    hint = "take the address out of the list on the unit, or make one group of both here"
    return Oddity(FindingKind.ONE_SIDED, site.units, message, hint)
