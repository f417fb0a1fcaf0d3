"""What was found as the content of a topology file: keys and values, and what is odd, with where that belongs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from geoplan.addresses import canonical
from geoplan.live.discover.groups import groups_of
from geoplan.live.discover.names import clusters_at, group_names, names_of
from geoplan.live.discover.nat import with_nat
from geoplan.live.discover.search import How, belongs
from geoplan.live.discover.sites import FoundSite, Oddity, found_sites, speaker
from geoplan.live.findings.kinds import FindingKind, Severity
from geoplan.topology.api import url_of
from geoplan.topology.types import is_firmware, is_unit_address
from geoplan.vendor import API_PORT, DEFAULT_HEALTH_CHECK_PORT, MAX_CLUSTERS, parse_version
from geoplan.wording import join_words, shorten, some_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from geoplan.live.discover.names import SiteNames
    from geoplan.live.discover.pairs import Planned
    from geoplan.live.discover.search import Discovery
    from geoplan.live.model import GeoCluster
    from geoplan.yaml12 import Loc

MAX_EXTRA = 50
"""Access entries of one site that are kept as units from outside."""
MAX_LATITUDE, MAX_LONGITUDE = 90.0, 180.0


class Remark(NamedTuple):
    """Something odd, and the place of the file where it is said."""

    loc: Loc
    oddity: Oddity


@dataclass(frozen=True)
class Draft:
    """The content of a topology file, and what is odd about it."""

    content: dict[str, Any]
    remarks: tuple[Remark, ...]
    sites: tuple[FoundSite, ...]
    """In the order of the file."""
    outside: frozenset[str] = frozenset()
    """The addresses that somebody has written down as units from outside, in one spelling."""

    @property
    def owners(self) -> Mapping[str, int]:
        """The numbers of sites by all addresses that stand for them."""
        return {address: number for number, site in enumerate(self.sites) for address in site.addresses}


@dataclass
class _Writing:
    """What is told of one site as it is written down."""

    number: int
    site: FoundSite
    content: dict[str, Any]
    remarks: list[Remark] = field(default_factory=list)

    @property
    def units(self) -> list[dict[str, Any]]:
        """Its units as they are written."""
        pair = self.content.get("ha_pair")
        return [pair["master"], pair["slave"]] if pair else [self.content["standalone"]]

    def remark(self, oddity: Oddity, *keys: str) -> None:
        self.remarks.append(Remark(("sites", self.number, *keys), oddity))


def draft_of(
    discovery: Discovery,
    ports: Mapping[str, int],
    *,
    name: str,
    nat: Mapping[str, str] | None = None,
    planned: Planned | None = None,
) -> Draft:
    """Return what was found as a topology.

    ``ports`` are those of the units' APIs, by their addresses in one spelling, as far as they were reached there.
    ``nat`` are NAT addresses that are known of units, likewise. ``planned`` are the units of a topology of somebody's.
    """
    sites = with_nat(found_sites(discovery, planned), discovery, nat)
    groups, one_sided = groups_of(sites, discovery, planned or {})
    ordered = [sites[number] for members in groups for number in members]
    of_group = [[sites[number] for number in members] for members in groups]
    names = names_of(of_group, discovery)
    owned = {address for site in ordered for address in site.addresses}
    written: list[_Writing] = []
    for group in of_group:
        for site in group:
            one = _Writing(len(written), site, {"name": names[site.units].site})
            _write_units(one, discovery)
            _write_cluster(one, names[site.units], group, discovery)
            _write_extra(one, discovery, owned)
            for oddity in (*site.oddities, *names[site.units].oddities):
                one.remark(oddity)
            written.append(one)
    for number, oddity in one_sided:
        written[ordered.index(sites[number])].remark(oddity)
    content: dict[str, Any] = {"name": name}
    content |= _health_check_port(written, discovery)
    content |= _api_ports(written, ports)
    content["sites"] = [one.content for one in written]
    if len(groups) > 1:
        labels = group_names(len(groups))
        content["groups"] = {
            label: [names[site.units].site for site in group] for label, group in zip(labels, of_group, strict=True)
        }
    largest = max(map(len, of_group), default=0)
    if largest > MAX_CLUSTERS:
        content["limits"] = {"max_clusters": largest}
    remarks = (*_remarks_at_top(discovery), *(remark for one in written for remark in one.remarks))
    return Draft(content, remarks, tuple(ordered))


def _write_units(one: _Writing, discovery: Discovery) -> None:
    units = [_unit(address, one.site, discovery) for address in one.site.units]
    if len(units) == 1:
        one.content["standalone"] = units[0]
        return
    pair: dict[str, Any] = {"master": units[0], "slave": units[1]}
    told = [unit.ha for address in one.site.units if (unit := discovery.units.get(address)) and unit.ha]
    prefers = next((ha.prefers_master for ha in told if ha.prefers_master is not None), None)
    if prefers is False:
        pair["preferred_host"] = "none"
    if len(told) == len(units) and all(ha.all_interfaces for ha in told):
        pair["health_check"] = {"all_interfaces": True}
    one.content["ha_pair"] = pair


def _unit(address: str, site: FoundSite, discovery: Discovery) -> dict[str, Any]:
    unit = discovery.units.get(address)
    written: dict[str, Any] = {"address": unit.address if unit else address}
    if nat := (site.nat or {}).get(address):
        written["nat_address"] = nat
    if unit and unit.firmware and is_firmware(unit.firmware):
        written["firmware"] = ".".join(map(str, parse_version(unit.firmware)))
    return written


def _write_cluster(one: _Writing, names: SiteNames, group: Sequence[FoundSite], discovery: Discovery) -> None:
    cluster: dict[str, Any] = {}
    if names.cluster is not None:
        cluster["name"] = names.cluster
    told = [each for each in clusters_at(one.site, group, discovery) if _place(each) or _has_no_place(each)]
    places = Counter(map(_place, told))
    if places and (place := places.most_common(1)[0][0]):
        cluster["location"] = {"latitude": place[0], "longitude": place[1]}
    if cluster:
        one.content["cluster"] = cluster


def _place(cluster: GeoCluster) -> tuple[float, float] | None:
    """Return where a cluster stands; units show one that has no place at 0, 0, which is in the sea."""
    if cluster.latitude is None or cluster.longitude is None or _has_no_place(cluster):
        return None
    if abs(cluster.latitude) > MAX_LATITUDE or abs(cluster.longitude) > MAX_LONGITUDE:
        return None
    return round(cluster.latitude, 6), round(cluster.longitude, 6)


def _has_no_place(cluster: GeoCluster) -> bool:
    return (cluster.latitude, cluster.longitude) == (0, 0)


def _write_extra(one: _Writing, discovery: Discovery, owned: set[str]) -> None:
    """Keep what a site's access list has of units that are no site here and that nobody names as more."""
    unit = speaker(discovery, one.site)
    extra = {
        canonical(address): address
        for address in ((unit.remote_geo_access or ()) if unit else ())
        if _is_outside(canonical(address), discovery, owned)
    }
    if not extra:
        return
    kept = list(extra.values())[:MAX_EXTRA]
    one.content["extra_remote_geo_access"] = kept
    message = f"{some_of(kept)} may connect, and is no partner: kept as a GEO unit from outside"
    hint = "take it out if it is not one that has to stay"
    one.remark(
        Oddity(FindingKind.OUTSIDE_ACCESS, one.site.units, message, hint, Severity.KNOWING), "extra_remote_geo_access"
    )


def _is_outside(address: str, discovery: Discovery, owned: set[str]) -> bool:
    return address not in owned and is_unit_address(address) and not belongs(discovery.named.get(address, ()))


def _health_check_port(written: Sequence[_Writing], discovery: Discovery) -> dict[str, int]:
    """Write the health check ports: once for all where all pairs have the same one."""
    ports: dict[int, int] = {}
    for one in written:
        for address in one.site.units if len(one.site.units) > 1 else ():
            unit = discovery.units.get(address)
            if unit and unit.ha and unit.ha.health_check_port:
                ports.setdefault(one.number, unit.ha.health_check_port)
    usual = Counter(ports.values()).most_common(1)[0][0] if len(set(ports.values())) == 1 else None
    usual = usual or DEFAULT_HEALTH_CHECK_PORT
    for number, port in ports.items():
        if port != usual:
            pair = written[number].content["ha_pair"]
            pair["health_check"] = {"port": port, **pair.get("health_check", {})}
    return {} if usual == DEFAULT_HEALTH_CHECK_PORT else {"health_check_port": usual}


def _api_ports(written: Sequence[_Writing], ports: Mapping[str, int]) -> dict[str, int]:
    """Write the ports of the APIs: once for all where all that are known are the same."""
    usual = Counter(ports.values()).most_common(1)[0][0] if ports else API_PORT
    for one in written:
        known = {ports[address] for address in one.site.units if address in ports}
        if len(known) == 1 and known != {usual}:
            one.content["api_port"] = min(known)
        for unit in one.units if len(known) > 1 else ():
            port = ports.get(canonical(unit["address"]), usual)
            unit.update({"api": url_of(unit["address"], port)} if port != usual else {})
    return {} if usual == API_PORT else {"api_port": usual}


def _remarks_at_top(discovery: Discovery) -> Iterator[Remark]:
    """Yield what is of no site, or of all."""
    if discovery.was_cut:
        message = f"only {len(discovery.units)} units were asked: units name more than can belong together"
        hint = "see what their lists hold, and ask the units of one group alone"
        yield Remark((), Oddity(FindingKind.TOO_MANY_NAMED, (), message, hint, Severity.BLOCKING))
    for unit in discovery.too_many:
        message = f"{unit} names more addresses than belong to any GEO system; only a part was looked at"
        hint = "see what its lists hold"
        yield Remark((), Oddity(FindingKind.TOO_MANY_NAMED, (unit,), message, hint, Severity.BLOCKING))
    for written, namings in list(discovery.unusable.items())[:MAX_EXTRA]:
        by = list(dict.fromkeys(naming.by for naming in namings))
        ways = join_words(dict.fromkeys(f"{naming.how}" for naming in namings))
        message = f"'{shorten(written)}' can be no unit's address; it stands as {ways} on {some_of(by)}"
        yield Remark((), Oddity(FindingKind.UNUSABLE_ADDRESS, tuple(by), message, "correct it on the unit"))


def unconfirmed(draft: Draft, discovery: Discovery) -> dict[str, tuple[str, ...]]:
    """Return the addresses that were not asked and belong, or may belong, with those that name them, in words.

    A NAT address stands for a unit that is known. Those of access lists alone are among them, and are kept as outside.
    """
    owners = draft.owners
    left: dict[str, tuple[str, ...]] = {}
    for address, namings in discovery.not_asked.items():
        site = draft.sites[owners[address]] if address in owners else None
        if (site and address not in site.units) or address in draft.outside:
            continue  # a NAT address; or a unit from outside that a file of somebody's has
        left[address] = tuple(dict.fromkeys(_said(naming.how, naming.by) for naming in namings))
    return left


def _said(how: How, by: str) -> str:
    return f"{how} of {by}"
