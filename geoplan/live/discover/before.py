"""What live units are before a change: the topology that it starts from, or why none can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from geoplan.addresses import canonical, is_address
from geoplan.live.discover.document import Draft, Remark, draft_of
from geoplan.live.discover.judge import observations_of, usable
from geoplan.live.discover.names import group_names, unused_name
from geoplan.live.discover.pairs import pairs_of
from geoplan.live.discover.search import How
from geoplan.live.findings import Kind, Mend
from geoplan.live.findings.clusters import is_placed
from geoplan.live.findings.compare import CLUSTERS, verify
from geoplan.live.findings.kinds import FindingKind, Severity
from geoplan.live.model import REMOTE_LM, SUBJECTS
from geoplan.plan.lists import cluster_of
from geoplan.plan.model import Phase
from geoplan.plan.planner import make_plan
from geoplan.topology.model import Group, Location
from geoplan.wording import folded, some_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from geoplan.live.discover.search import Discovery, Naming
    from geoplan.live.discover.sites import FoundSite
    from geoplan.live.model import GeoCluster
    from geoplan.topology.model import Site, Topology

_LINKING = frozenset({How.HA_PARTNER, How.GEO_PARTNER})


@dataclass(frozen=True)
class Before:
    """Where a change starts, as units tell it."""

    topology: Topology | None
    """None where units of the new topology have no GEO configuration yet, or nobody told one."""
    problems: tuple[str, ...]
    """What is inconsistent, or was not told, so that no change may start from it."""
    unasked: Mapping[str, tuple[str, ...]]
    """The addresses that belong, or may belong, and were not asked, each with those that name it."""


class _Known(NamedTuple):
    """What the new topology says of units."""

    sites: Mapping[str, Site]
    """By the addresses of their units."""
    groups: Mapping[str, str]
    """By the sites' names."""
    nat: Mapping[str, str]
    outside: frozenset[str]
    """The addresses that are nobody's to ask: units from outside, and NAT addresses of its own."""


def outside_of(new: Topology) -> frozenset[str]:
    """Return the addresses that a topology explains and that no unit is asked at."""
    return _known(new).outside


def before_change(
    new: Topology, discovery: Discovery, ports: Mapping[str, int], *, replaced: Collection[str] = ()
) -> Before:
    """Return the topology that units hold before a change to ``new``.

    It has the groups of which a unit of the new topology is one, with all of their sites: who is linked with none of
    them is no part of the change. Sites that the new topology has are called as there, and stand in its order.
    ``replaced`` are new boxes at the addresses of dead ones: what these lack is no fault.
    """
    known = _known(new)
    nat = {**known.nat, **_nat_of_lone_sites(discovery, known)}
    planned = {unit: {canonical(each.address) for each in site.units} for unit, site in known.sites.items()}
    draft = draft_of(discovery, ports, name="live", nat=nat, planned=planned)
    groups = [each for each in _groups(draft) if _belongs(each, draft, discovery, known)]
    kept = [draft.sites[number] for members in groups for number in members]
    problems = list(_odd(draft, {*(number for members in groups for number in members)}, known))
    unasked = dict(_unasked(kept, discovery, known))
    if not kept:
        return Before(None, tuple(problems), unasked)
    content, order = _content(draft, groups, new, known, discovery)
    content, topology, left_out = usable(content)
    problems += [f"{each.oddity.message}" for each in left_out]
    problems += _differences(topology, [draft.sites[number] for number in order], discovery, known, replaced)
    return Before(topology, tuple(dict.fromkeys(problems)), unasked)


def _known(new: Topology) -> _Known:
    sites, nat = {}, {}
    for site in new.sites:
        for unit in site.units:
            sites[canonical(unit.address)] = site
            if unit.nat_address:
                nat[canonical(unit.address)] = canonical(unit.nat_address)
    outside = {canonical(each) for site in new.sites for each in site.extra_remote_geo_access} | {*nat.values()}
    groups = {site.name: group.name for group in new.partner_groups() for site in group.sites}
    return _Known(sites, groups, nat, frozenset(outside - {*sites}))


def _nat_of_lone_sites(discovery: Discovery, known: _Known) -> dict[str, str]:
    """Return the NAT addresses that sites without partners had, by their units: nobody else tells those.

    A unit alone has one cluster of its site's name, and that stands where the site was reached. Where a unit is, there
    is no NAT: a pair whose master is replaced had its cluster at that unit.
    """
    found: dict[str, str] = {}
    partners = pairs_of(discovery, {}).claims.values()
    taken = {*known.sites, *known.nat.values(), *discovery.units, *partners}
    for site in known.sites.values():
        first, told = site.units[0], [discovery.units.get(canonical(unit.address)) for unit in site.units]
        if any(unit.geo_partners for unit in told if unit):
            continue
        cluster = cluster_of(site, Group(known.groups[site.name], (site,)))
        shown = {
            canonical(each.address)
            for unit in told
            for each in (unit.clusters or () if unit else ())
            if each.type is REMOTE_LM and each.is_named(cluster.name) and is_address(each.address)
        }
        if len(shown) == 1 and shown.isdisjoint(taken):
            found[canonical(first.address)] = shown.pop()
    return found


def _groups(draft: Draft) -> list[list[int]]:
    """Return the groups of a draft as the numbers of their sites."""
    numbers = {site["name"]: number for number, site in enumerate(draft.content["sites"])}
    written = draft.content.get("groups")
    return [[numbers[name] for name in names] for names in written.values()] if written else [list(numbers.values())]


def _belongs(members: Sequence[int], draft: Draft, discovery: Discovery, known: _Known) -> bool:
    """Return whether a group is where the change starts: a site alone only if it has a cluster of its own.

    Any other site alone is new to the group that it joins, whatever is left on it.
    """
    sites = [draft.sites[number] for number in members]
    if not any(unit in known.sites for site in sites for unit in site.units):
        return False
    return len(sites) > 1 or any(_own_clusters(sites[0], sites, discovery))


def _own_clusters(site: FoundSite, group: Sequence[FoundSite], discovery: Discovery) -> Iterator[GeoCluster]:
    """Yield the Remote LM cluster of a site as the units of its group show it, its own first."""
    for address in (*site.units, *(unit for other in group if other is not site for unit in other.units)):
        unit = discovery.units.get(address)
        for cluster in (unit.clusters or ()) if unit else ():
            if cluster.type is REMOTE_LM and canonical(cluster.address) in site.addresses:
                yield cluster


def _odd(draft: Draft, kept: Collection[int], known: _Known) -> Iterator[str]:
    """Yield what is odd about sites of the change; of those that are only to join it, that they could not be read."""
    for remark in draft.remarks:
        oddity = remark.oddity
        if oddity.severity is Severity.KNOWING or oddity.kind is FindingKind.NOT_ASKED:
            continue
        number = int(remark.loc[1]) if len(remark.loc) > 1 else None
        is_new = bool({*map(canonical, oddity.units)} & {*known.sites})
        of_all = number is None and (is_new or oddity.severity is Severity.BLOCKING)
        if number in kept or of_all or (is_new and oddity.kind is FindingKind.UNREADABLE):
            yield _said(remark)


def _said(remark: Remark) -> str:
    units = some_of(remark.oddity.units)
    message = remark.oddity.message
    return message if not units or units in message else f"{units}: {message}"


def _unasked(kept: Sequence[FoundSite], discovery: Discovery, known: _Known) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield what would have to be asked: all that units of the change name, and whom those to join are linked with."""
    of_change = {unit for site in kept for unit in site.units}
    stands_for = {address for site in kept for address in site.addresses if any(u in known.sites for u in site.units)}
    stands_for |= {address for site in kept for address in site.addresses if address not in site.units}
    for address, namings in discovery.not_asked.items():
        if address in known.outside or address in stands_for:
            continue
        said = [naming for naming in namings if _matters(naming, of_change, known)]
        if said:
            yield address, tuple(dict.fromkeys(f"{naming.how} of {naming.by}" for naming in said))


def _matters(naming: Naming, of_change: Collection[str], known: _Known) -> bool:
    by = canonical(naming.by)
    return naming.how is not How.ACCESS and (by in of_change or (by in known.sites and naming.how in _LINKING))


# -- the content of a topology -----------------------------------------------------------------------------------------


def _content(
    draft: Draft, groups: Sequence[Sequence[int]], new: Topology, known: _Known, discovery: Discovery
) -> tuple[dict[str, Any], list[int]]:
    """Return the groups of a draft as a topology's content, and the draft's numbers of its sites in their order."""
    places = {site.name: number for number, site in enumerate(new.sites)}
    theirs = {number: _site_of(draft.sites[number], known) for members in groups for number in members}
    order = sorted(theirs, key=lambda number: places[site.name] if (site := theirs[number]) else len(places) + number)
    names: dict[int, str] = {}
    for number in order:
        site = theirs[number]
        wanted = site.name if site else draft.content["sites"][number]["name"]
        names[number] = unused_name(wanted, {folded(name) for name in names.values()})
    content: dict[str, Any] = {key: value for key, value in draft.content.items() if key not in {"sites", "groups"}}
    content["sites"] = []
    for number in order:
        (members,) = (each for each in groups if number in each)
        of_group = [draft.sites[each] for each in members]
        shown = next(_own_clusters(draft.sites[number], of_group, discovery), None)
        written = {**draft.content["sites"][number], "name": names[number]}
        content["sites"].append(_with_cluster(written, shown, theirs[number], known))
    if len(groups) > 1 or new.groups is not None:
        labels = _labels(groups, theirs, known, _with_fqdns(groups, draft, discovery))
        content["groups"] = {
            label: [names[number] for number in order if number in members]
            for label, members in zip(labels, groups, strict=True)
        }
    return content, order


def _site_of(found: FoundSite, known: _Known) -> Site | None:
    """Return the site of the new topology that a found one is."""
    return next((known.sites[unit] for unit in found.units if unit in known.sites), None)


def _with_cluster(
    written: dict[str, Any], shown: GeoCluster | None, site: Site | None, known: _Known
) -> dict[str, Any]:
    """Write a site's cluster as units show it, and as the new topology has it where that comes to the same."""
    if shown is None:
        return written
    cluster: dict[str, Any] = {**written.get("cluster", {}), "name": shown.name}
    if site:
        planned = cluster_of(site, Group(known.groups[site.name], (site,)))
        if shown.is_named(planned.name):
            cluster["name"] = planned.name
        if planned.location and is_placed(planned, shown):
            cluster["location"] = _as_written(planned.location)
    return {**written, "cluster": cluster}


def _as_written(location: Location) -> dict[str, float]:
    return {"latitude": location.latitude, "longitude": location.longitude}


def _with_fqdns(groups: Sequence[Sequence[int]], draft: Draft, discovery: Discovery) -> frozenset[int]:
    """Return the groups, by their numbers, of which any unit has FQDNs."""
    units = [[unit for each in members for unit in draft.sites[each].units] for members in groups]
    told = [[discovery.units[unit].fqdns for unit in of_group if unit in discovery.units] for of_group in units]
    return frozenset(number for number, of_group in enumerate(told) if any(of_group))


def _labels(
    groups: Sequence[Sequence[int]], theirs: Mapping[int, Site | None], known: _Known, with_fqdns: Collection[int]
) -> list[str]:
    """Return names for groups, which units have none of: of each the new group's with most of its sites, if any.

    A new group is made around the one before that has its name: so those with FQDNs, which nobody enters again, choose
    first.
    """
    labels: dict[int, str] = {}
    names = dict.fromkeys(known.groups.values())
    shares = []
    for number, members in enumerate(groups):
        goes_to = [known.groups[site.name] for each in members if (site := theirs[each])]
        shares += [(number not in with_fqdns, -goes_to.count(name), number, name) for name in names]
    for _, shared, number, name in sorted(shares, key=lambda each: each[:3]):
        if shared and number not in labels and name not in labels.values():
            labels[number] = name
    taken = {folded(name) for name in names}
    free = (name for name in group_names(len(groups) + len(taken)) if folded(name) not in taken)
    return [labels.get(number) or next(free) for number in range(len(groups))]


# -- what does not fit -------------------------------------------------------------------------------------------------


def _differences(
    topology: Topology, sites: Sequence[FoundSite], discovery: Discovery, known: _Known, replaced: Collection[str]
) -> Iterator[str]:
    """Yield where lists and clusters are not those of the topology that they are taken for, and who was not read."""
    plan = make_plan(topology, (Phase.GEO,))
    facts = observations_of(plan, discovery)
    new_boxes = {canonical(address) for address in replaced}
    goes_on = {unit for site in sites if _site_of(site, known) for unit in site.units}
    passed_over = {unit for unit in goes_on if unit not in known.sites} | new_boxes
    for found in verify(plan, facts).differences:
        if found.unit is None and any(canonical(unit.address) in passed_over for unit in plan.site(found.site).units):
            continue
        if (found.unit is not None and canonical(found.unit) in passed_over) or found.mends is Mend.BY_HAND:
            continue  # what no push changes is no claim of anybody's; other clusters are looked at below
        if found.subject in (*SUBJECTS, CLUSTERS) or found.kind is Kind.UNREADABLE:
            where = f"'{found.site}'" if found.unit is None else found.unit
            yield found.message if where in found.message else f"{where}: {found.message}"
    yield from _left_clusters(topology, sites, discovery, known)


def _left_clusters(
    topology: Topology, sites: Sequence[FoundSite], discovery: Discovery, known: _Known
) -> Iterator[str]:
    """Yield the Remote LM clusters of units that are linked with nobody here: as a leave leaves them that stopped."""
    owned = {address for site in sites for address in site.addresses} | known.outside | {*known.sites}
    for number, site in enumerate(sites):
        left = {
            canonical(cluster.address): cluster.name
            for address in site.units
            if (unit := discovery.units.get(address))
            for cluster in unit.clusters or ()
            if cluster.type is REMOTE_LM and canonical(cluster.address) not in owned
        }
        if asked := [f"'{name}' ({address})" for address, name in left.items() if address in discovery.units]:
            yield f"'{topology.sites[number].name}' has the cluster {some_of(asked)} of a unit that is no partner"
