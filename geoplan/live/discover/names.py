"""What sites are called: as their clusters, or else as their units, or else by their addresses; none alike."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from geoplan.addresses import canonical
from geoplan.live.discover.sites import Oddity
from geoplan.live.findings.kinds import FindingKind
from geoplan.topology.types import is_name
from geoplan.vendor import MAX_NAME_LENGTH
from geoplan.wording import folded, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence, Set

    from geoplan.live.discover.search import Discovery
    from geoplan.live.discover.sites import FoundSite
    from geoplan.live.model import GeoCluster


Units = tuple[str, ...]


class SiteNames(NamedTuple):
    """How a site is called, and its cluster where that is called otherwise."""

    site: str
    cluster: str | None
    oddities: tuple[Oddity, ...] = ()


def clusters_at(site: FoundSite, group: Sequence[FoundSite], discovery: Discovery) -> Iterator[GeoCluster]:
    """Yield the cluster of a site as each unit of its group has it, its own units first."""
    members = [*site.units, *(unit for other in group if other is not site for unit in other.units)]
    for address in members:
        unit = discovery.units.get(address)
        for cluster in (unit.clusters or ()) if unit else ():
            if canonical(cluster.address) in site.addresses:
                yield cluster


def names_of(groups: Sequence[Sequence[FoundSite]], discovery: Discovery) -> dict[Units, SiteNames]:
    """Return the names of all sites, by their units; of a cluster's the one that most units have."""
    names: dict[Units, SiteNames] = {}
    taken: set[str] = set()
    for group in groups:
        of_clusters: set[str] = set()
        for site in group:
            told = Counter(cluster.name for cluster in clusters_at(site, group, discovery) if cluster.name)
            wanted = told.most_common(1)[0][0] if told else None
            usable = wanted if wanted is not None and is_name(wanted) and folded(wanted) not in of_clusters else None
            oddities = () if usable == wanted else (_changed(site, wanted or ""),)
            name = unused_name(usable or _own_name(site, discovery), taken | of_clusters if usable is None else taken)
            taken.add(folded(name))
            of_clusters.add(folded(usable or name))
            names[site.units] = SiteNames(name, usable if usable != name else None, oddities)
    return names


def group_names(count: int) -> list[str]:
    """Return names for so many groups: live units have none."""
    return [f"group-{number}" for number in range(1, count + 1)]


def _own_name(site: FoundSite, discovery: Discovery) -> str:
    told = (discovery.units[address].host_name for address in site.units if address in discovery.units)
    return next((name for name in told if name and is_name(name)), site.units[0])


def unused_name(name: str, taken: Set[str]) -> str:
    """Return a name, with a number behind it where it is taken."""
    number, free = 1, name
    while folded(free) in taken:
        number += 1
        end = f" ({number})"
        free = f"{name[: MAX_NAME_LENGTH - len(end)].rstrip()}{end}"
    return free


def _changed(site: FoundSite, name: str) -> Oddity:
    message = f"its cluster is called '{shorten(name)}', which another cluster is too or which can be no name here"
    hint = "give the cluster a name of its own on the units, and write it here"
    return Oddity(FindingKind.NAME_CHANGED, site.units, message, hint)
