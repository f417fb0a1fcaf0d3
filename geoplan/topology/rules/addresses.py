"""Rules for the addresses of units: none twice, each reachable by all that need it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.topology.finding import DOCUMENT, WARNING, Finding, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.topology.partial import PartialSite, PartialTopology, PartialUnit, Text, WrittenAddress
    from geoplan.topology.types import IpAddress


@rule(
    "GEO205",
    "An address is used twice",
    why="One of the two is a slip, in whatever spelling, and some site would never learn the right address.",
    source=f"{DOCUMENT}, 5.4",
)
def address_used_twice(topology: PartialTopology) -> Iterator[Finding]:
    users: dict[IpAddress, tuple[str, str]] = {}
    for label, written in _addresses_of_units(topology):
        if written.address in users:
            yield _second_use(written, *users[written.address])
        else:
            users[written.address] = label, written.text
    for site in topology.sites:
        listed: dict[IpAddress, tuple[str, str]] = {}
        for written in site.extra_remote_geo_access:
            first = users.get(written.address) or listed.get(written.address)
            if first:
                yield _second_use(written, *first)
            listed[written.address] = f"this list of {site.label}", written.text


def _addresses_of_units(topology: PartialTopology) -> Iterator[tuple[str, WrittenAddress]]:
    """Yield each address of each unit with what the unit is; a slave that repeats its master is left out."""
    for site in topology.sites:
        repeated = _slave_like_master(site)
        for unit in site.units:
            yield from ((site.label_of(unit), written) for written in unit.addresses if written is not repeated)


def _second_use(written: WrittenAddress, first_user: str, first_text: str) -> Finding:
    spelling = "" if first_text == written.text else f", written {first_text}"
    message = f"the address {written.text} is used twice: {first_user} has it already{spelling}"
    return Finding(written.loc, message, "give each unit its own address, and name it once")


@rule(
    "GEO206",
    "Master and slave are one unit",
    why="A pair is two units, and each site lists both units of every other pair.",
    source=f"{DOCUMENT}, 5.2",
)
def master_is_slave(topology: PartialTopology) -> Iterator[Finding]:
    for site in topology.sites:
        slave = _slave_like_master(site)
        if slave:
            message = f"master and slave of {site.label} are both {slave.text}"
            yield Finding(slave.loc, message, "write the other unit's address")


def _slave_like_master(site: PartialSite) -> WrittenAddress | None:
    """Return the slave's address if the master has it too."""
    own = {unit.role: unit.address for unit in site.units if unit.address}
    master, slave = own.get("master"), own.get("slave")
    return slave if master and slave and master.address == slave.address else None


@rule(
    "GEO207",
    "Two units have one API",
    why="What is meant for one would be entered on the other, and what that one tells counts for the first one.",
)
def api_used_twice(topology: PartialTopology) -> Iterator[Finding]:
    units = [(site, unit) for site in topology.sites for unit in site.units]
    users: dict[tuple[str, int], list[int]] = {}
    owners: dict[str, int] = {}
    for number, (site, unit) in enumerate(units):
        for place in _places_of_api(site, unit):
            users.setdefault(place, []).append(number)
        if unit.address:
            owners.setdefault(str(unit.address.address), number)
    for number, (site, unit) in enumerate(units):
        written = site.api_place_of(unit)
        if unit.api is None or written is None:
            continue
        for other in users[written]:
            other_site, other_unit = units[other]
            is_told_there = other > number and other_unit.api and other_site.api_place_of(other_unit) == written
            if other != number and not is_told_there:
                others = other_site.label_of(other_unit)
                yield _api_elsewhere(site, unit.api, unit, f"where that of {others} is")
                break
        else:
            owner = owners.get(written[0], number)  # on whatever port: no LoadMaster passes calls on to another one
            if owner != number and owner not in users[written]:
                owner_site, owner_unit = units[owner]
                yield _api_elsewhere(site, unit.api, unit, f"which is the address of {owner_site.label_of(owner_unit)}")


def _api_elsewhere(site: PartialSite, api: Text, unit: PartialUnit, whose: str) -> Finding:
    message = f"the API of {site.label_of(unit)} is at {api.text}, {whose}"
    return Finding(api.loc, message, "write the URL at which this unit itself answers")


def _places_of_api(site: PartialSite, unit: PartialUnit) -> set[tuple[str, int]]:
    """Return where the API of a unit is reached: by its URL, at its own address, and over NAT from elsewhere.

    A URL at its NAT address tells that ports are passed on there one by one, so that another one may lead elsewhere.
    """
    url = site.api_place_of(unit)
    own, port = str(unit.address.address) if unit.address else None, site.api_port_on(unit)
    places = {url} if url else set()
    if own:
        places.add((own, port))
    if unit.nat_address and (url is None or url[0] == own):
        places.add((str(unit.nat_address.address), port))
    return places


@rule(
    "GEO503",
    "A pair mixes IPv4 and IPv6",
    severity=WARNING,
    why="Both units of a pair are reached by the same sites, so both need an address that all of these can reach.",
    source=f"{DOCUMENT}, 5",
)
def pair_mixes_families(topology: PartialTopology) -> Iterator[Finding]:
    for site in topology.sites:
        shown = [unit.addresses[-1] for unit in site.units_of_pair if unit.addresses]
        if len({written.address.version for written in shown}) > 1:
            message = f"the units of {site.label} are reached by {shown[0].text} and {shown[1].text}: IPv4 and IPv6"
            yield Finding(shown[1].loc, message, "write addresses of one family for both units")


@rule(
    "GEO504",
    "A group mixes IPv4 and IPv6",
    severity=WARNING,
    why="Each site has to reach every other one, and a site with IPv4 alone cannot reach one with IPv6 alone.",
    source=f"{DOCUMENT}, 5",
)
def group_mixes_families(topology: PartialTopology) -> Iterator[Finding]:
    for group in topology.partner_groups:
        shown = [site.units[0].addresses[-1] for site in group.sites if site.units and site.units[0].addresses]
        other = next((written for written in shown if written.address.version != shown[0].address.version), None)
        if other:
            message = f"{group.label} is reached by {shown[0].text} and {other.text}: IPv4 and IPv6"
            yield Finding(other.loc, message, "make sure that every site can reach both, or use one family")


@rule(
    "GEO505",
    "A pair is reached over NAT",
    severity=WARNING,
    why="On a failover HA replaces a unit's own address in a cluster; a NAT address there goes on naming the master.",
    source=f"{DOCUMENT}, 4",
)
def nat_on_pair(topology: PartialTopology) -> Iterator[Finding]:
    for site in topology.sites:
        for unit in site.units_of_pair:
            if unit.nat_address:
                message = f"the {unit.role} of {site.label} is reached over NAT; a failover leaves its cluster as it is"
                yield Finding(unit.nat_address.loc, message, "after a failover, check by hand where the cluster points")
