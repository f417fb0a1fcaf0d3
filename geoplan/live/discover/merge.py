"""What was found, put into a topology file that somebody wrote: what is new comes in, and nothing else changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from geoplan.addresses import canonical
from geoplan.live.discover.document import Draft, Remark
from geoplan.live.discover.names import group_names, unused_name
from geoplan.live.discover.sites import Oddity
from geoplan.live.findings.kinds import FindingKind, Severity
from geoplan.topology.edit import Inserted, commented, edited
from geoplan.vendor import HA_PARAMETERS
from geoplan.wording import folded, join_words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from geoplan.live.discover.search import Discovery
    from geoplan.live.discover.sites import FoundSite
    from geoplan.topology.model import Site, Topology
    from geoplan.yaml12 import Loc


@dataclass(frozen=True)
class Merged:
    """A file with what was found, and how that is written."""

    draft: Draft
    text: str


def merged(text: str, mine: Topology, draft: Draft, discovery: Discovery) -> Merged:
    """Put what was found into the text of a topology file.

    New sites come to the end, and into the group of their partners; a site gets the NAT addresses, the place and the
    units from outside that it lacks. Its units stay as they are, whatever units say: a person has written who they are,
    and what is told otherwise is said. Where the file has something else, it stays as well: the comparison of both
    tells that. What the file has and nobody has found stays, and is said.
    """
    places = _places(mine, draft)
    names = _names(mine, draft, places)

    taken: set[Loc] = set()  # that the file has from units alone: what is odd about it is said there

    def edit(document: Any) -> None:  # noqa: ANN401 - plain, or as YAML keeps it
        for number, found in enumerate(draft.content["sites"]):
            place = places[number]
            if place < len(mine.sites):
                if _has_same_units(mine.sites[place], draft.sites[number]):
                    keys = _complete(document["sites"][place], mine.sites[place], found)
                    taken.update(("sites", place, key) for key in keys)
            else:
                taken.update({("sites", place), *(("sites", place, key) for key in found)})
                document["sites"].append({**found, "name": names[number]})
        _group(document, mine, draft, places, names)

    content, written = edited(text, edit)
    remarks = tuple(
        remark._replace(loc=("sites", places[int(remark.loc[1])], *remark.loc[2:])) if len(remark.loc) > 1 else remark
        for remark in draft.remarks
    )
    others = tuple(_others(mine, draft, places))
    lost = tuple(_lost(mine, set(places.values()), discovery))
    outside = {canonical(each) for site in mine.sites for each in site.extra_remote_geo_access}
    content = {"name": mine.name, **content}
    written = commented(written, _comments((*remarks, *others), taken))
    return Merged(Draft(content, (*remarks, *others, *lost), draft.sites, frozenset(outside)), written)


def _comments(remarks: Sequence[Remark], taken: Collection[Loc]) -> dict[Loc, list[str]]:
    """Return what has to be seen by whoever reads the file as comments: of its sites, and of what it has ``taken``."""
    comments: dict[Loc, list[str]] = {}
    for loc, oddity in remarks:
        said = f"{oddity.kind}: {oddity.message}"
        if oddity.severity is Severity.BLOCKING and len(loc) > 1:
            comments.setdefault(loc[:2], []).append(said)
        elif loc[:3] in taken:
            comments.setdefault(loc[:3], []).append(said)
    return comments


def _places(mine: Topology, draft: Draft) -> dict[int, int]:
    """Return where each site that was found stands in the file: at the first site that has one of its units.

    Two that were found may stand at one: a pair of the file, the units of which say that they are none.
    """
    owners: dict[str, int] = {}
    for number, site in enumerate(mine.sites):
        for unit in site.units:
            owners.setdefault(canonical(unit.address), number)
    places: dict[int, int] = {}
    free = len(mine.sites)
    for number, found in enumerate(draft.sites):
        known = [owners[unit] for unit in found.units if unit in owners]
        places[number] = known[0] if known else free
        free += not known
    return places


def _names(mine: Topology, draft: Draft, places: Mapping[int, int]) -> dict[int, str]:
    """Return the names that sites have in the file: their own, or new ones that nobody has."""
    taken = {folded(site.name) for site in mine.sites}
    names: dict[int, str] = {}
    for number, found in enumerate(draft.content["sites"]):
        if places[number] < len(mine.sites):
            names[number] = mine.sites[places[number]].name
        else:
            names[number] = unused_name(found["name"], taken)
            taken.add(folded(names[number]))
    return names


def _has_same_units(site: Site, found: FoundSite) -> bool:
    return {canonical(unit.address) for unit in site.units} == {*found.units}


def _others(mine: Topology, draft: Draft, places: Mapping[int, int]) -> Iterator[Remark]:
    """Say of which sites units tell otherwise who they are."""
    for number, found in enumerate(draft.sites):
        place = places[number]
        if place >= len(mine.sites) or _has_same_units(mine.sites[place], found):
            continue
        here = _as_site([unit.address for unit in mine.sites[place].units])
        message = f"the file has {here}, and by its units' own word it is {_as_site(found.units)}: the file stays"
        hint = f"see HA parameters on the units ({HA_PARAMETERS}), and write what is right into the file"
        oddity = Oddity(FindingKind.UNITS_DIFFER, found.units, message, hint, Severity.BLOCKING)
        yield Remark(("sites", place), oddity)


def _as_site(units: Sequence[str]) -> str:
    return f"the pair of {join_words(units)}" if len(units) > 1 else f"{units[0]} alone"


def _complete(written: Any, site: Site, found: Mapping[str, Any]) -> tuple[str, ...]:  # noqa: ANN401 - as above
    """Write what a site of the file lacks; return the keys of what somebody should look at."""
    told = found.get("ha_pair", found)
    for role in ("master", "slave", "standalone"):
        if role in told:
            _complete_unit(written, told[role])
    cluster = found.get("cluster", {})
    if "location" in cluster and site.cluster.location is None:
        if "cluster" in written:
            written["cluster"]["location"] = cluster["location"]
        else:
            written["cluster"] = {"location": cluster["location"]}
    known = {canonical(each) for each in site.extra_remote_geo_access}
    new = [each for each in found.get("extra_remote_geo_access", ()) if canonical(each) not in known]
    if new:
        written["extra_remote_geo_access"] = [*written.get("extra_remote_geo_access", ()), *new]
    return ("extra_remote_geo_access",) if new else ()


def _complete_unit(written: Any, unit: Mapping[str, Any]) -> None:  # noqa: ANN401 - as above
    """Write the NAT address of a unit that has none in the file."""
    if "nat_address" not in unit:
        return
    holder = written.get("ha_pair", written)
    for role in ("master", "slave", "standalone"):
        here = holder.get(role)
        address = here if isinstance(here, str) else (here or {}).get("address")
        if address is None or canonical(address) != canonical(unit["address"]):
            continue
        if isinstance(here, str):
            holder[role] = {"address": str(here), "nat_address": unit["nat_address"]}
        elif "nat_address" not in here:
            here["nat_address"] = unit["nat_address"]


def _group(
    document: Any,  # noqa: ANN401 - as above
    mine: Topology,
    draft: Draft,
    places: Mapping[int, int],
    names: Mapping[int, str],
) -> None:
    """Put new sites into the groups of their partners, or into new ones."""
    of_site = {folded(member): name for name, members in (mine.groups or {}).items() for member in members}
    found = draft.content.get("groups")
    numbers = {site["name"]: number for number, site in enumerate(draft.content["sites"])}
    components = [[numbers[name] for name in members] for members in found.values()] if found else [list(places)]
    alone = []
    for members in components:
        new = [number for number in members if places[number] >= len(mine.sites)]
        old = [number for number in members if number not in new]
        if not new:
            continue
        if not old:
            alone.append(new)
        elif mine.groups is not None:
            document["groups"][of_site[folded(names[old[0]])]].extend(Inserted(names[number]) for number in new)
    if not alone:
        return
    if mine.groups is None:
        kept = [site.name for site in mine.sites]
        joined = {number for members in components for number in members} - {n for members in alone for n in members}
        kept += [names[number] for number in sorted(joined) if places[number] >= len(mine.sites)]
        document["groups"] = {"group-1": kept}
    taken = {folded(name) for name in document["groups"]}
    labels = (label for label in group_names(len(taken) + len(alone)) if folded(label) not in taken)
    for members, label in zip(alone, labels, strict=False):
        document["groups"][label] = [names[number] for number in members]


def _lost(mine: Topology, found: set[int], discovery: Discovery) -> Iterator[Remark]:
    """Say which sites of the file nobody has told of."""
    for number, site in enumerate(mine.sites):
        if number in found:
            continue
        units = tuple(unit.address for unit in site.units)
        was_asked = any(canonical(unit) in discovery.units for unit in units)
        what = "by its units' own word it is another site" if was_asked else "it stays in the file, and was not asked"
        message = f"{join_words(units)}: {what}"
        hint = "give their addresses as well to have them read, or take the site out of the file"
        yield Remark(("sites", number), Oddity(FindingKind.SITE_NOT_FOUND, units, message, hint))
