"""Which sites are one group: those that name each other as GEO partners, be it by way of others."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.live.discover.sites import Oddity, speaker
from geoplan.live.findings.kinds import FindingKind
from geoplan.wording import join_words

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def groups_of(sites: Sequence[FoundSite], discovery: Discovery) -> tuple[list[list[int]], list[tuple[int, Oddity]]]:
    """Return the groups, each as the numbers of its sites, and what is odd, each with the number of the site.

    A site that is named, or names others, on one side alone belongs to them. Two groups that are whole by themselves
    become one only where at least half of the entries that this takes are there: one wrong address joins no groups.
    """
    edges = _edges(sites, discovery)
    groups = _Groups(len(sites))
    for one, other in edges:
        if (other, one) in edges:
            groups.join(one, other)
    mutual = groups.members()
    is_whole = {site: len(members) > 1 for members in mutual.values() for site in members}
    between_groups = [(one, other) for one, other in edges if groups.of(one) != groups.of(other)]
    for one, other in between_groups:
        if not (is_whole[one] and is_whole[other]):
            groups.join(one, other)
    members = groups.members()
    across = Counter(frozenset((groups.of(one), groups.of(other))) for one, other in between_groups)
    for both, entries in across.items():
        one, other = min(both), max(both)
        if one != other and entries >= len(members[one]) * len(members[other]):
            groups.join(one, other)
    odd = [
        (one, _one_sided(sites[one], sites[other]))
        for one, other in between_groups
        if groups.of(one) != groups.of(other)
    ]
    return list(groups.members().values()), odd


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
