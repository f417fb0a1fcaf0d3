"""Which units are pairs: by their HA parameters, which name partner and role of each; all others stand alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from geoplan.addresses import canonical, is_address
from geoplan.live.discover.search import Discovery, belongs
from geoplan.live.findings.kinds import FindingKind, Severity
from geoplan.live.model import State
from geoplan.topology.types import address_order, is_unit_address
from geoplan.vendor import HA_PARAMETERS
from geoplan.wording import join_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from geoplan.live.model import Observation


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something about a site that has to be said where it is written."""

    kind: FindingKind
    units: tuple[str, ...]
    message: str
    hint: str = ""
    severity: Severity = Severity.MENDING


@dataclass(frozen=True, slots=True)
class FoundSite:
    """One site as units tell it."""

    units: tuple[str, ...]
    """Its addresses in one spelling: master and slave, or the only one."""
    oddities: tuple[Oddity, ...] = ()
    nat: Mapping[str, str] | None = None
    """Of its units, how the other sites name them, where that is another address."""

    @property
    def shown(self) -> tuple[str, ...]:
        """How the other sites name its units."""
        return tuple((self.nat or {}).get(unit, unit) for unit in self.units)

    @property
    def addresses(self) -> frozenset[str]:
        """All addresses that stand for it."""
        return frozenset((*self.units, *self.shown))


def speaker(discovery: Discovery, site: FoundSite) -> Observation | None:
    """Return the unit of a site whose word counts for its lists: the active one, or else any that tells them."""
    units = [discovery.units[address] for address in site.units if address in discovery.units]
    active = [unit for unit in units if unit.state is State.ACTIVE]
    telling = [unit for unit in (*active, *units) if unit.geo_partners is not None]
    return telling[0] if telling else None


def found_sites(discovery: Discovery) -> list[FoundSite]:
    """Return every pair and every unit that stands alone, in the order in which they were found."""
    claims = {address: claim for address in discovery.units if (claim := _partner_of(address, discovery))}
    pairs = _pairs(claims, discovery)
    sites: list[FoundSite] = []
    seen: set[str] = set()
    for address, unit in discovery.units.items():
        if address in seen:
            continue
        if address in pairs:
            site = _pair(address, pairs[address], discovery)
        elif unit.failure and not _is_kept(address, discovery):
            continue
        else:
            site = FoundSite((address,), tuple(_lone_oddities(address, unit, claims, pairs)))
        seen |= {*site.units}
        sites.append(site)
    return sites


def _is_kept(address: str, discovery: Discovery) -> bool:
    """Return whether a unit that could not be read is a site: others name it as theirs, or nobody does at all."""
    namings = discovery.named.get(address, ())
    return not namings or belongs(namings)


def _partner_of(address: str, discovery: Discovery) -> str | None:
    """Return the address of a unit's HA partner, if it names one that can be found."""
    ha = discovery.units[address].ha
    if ha is None or not ha.partner:
        return None
    if is_address(ha.partner):
        partner = canonical(ha.partner)
        return partner if is_unit_address(partner) and partner != address else None
    named = [canonical(each) for each in ha.partner_addresses if canonical(each) in discovery.units]
    name = ha.partner.lower().partition(".")[0]
    named += [
        each for each, unit in discovery.units.items() if (unit.host_name or "").lower().partition(".")[0] == name
    ]
    others = dict.fromkeys(each for each in named if each != address)
    return next(iter(others)) if len(others) == 1 else None


def _first_label(host: str) -> str:
    return host.lower().partition(".")[0]


def _pairs(claims: Mapping[str, str], discovery: Discovery) -> dict[str, str]:
    """Return each unit of a pair with its other one.

    First those that name each other. Then those of which one does, where the other names nobody whom that could be:
    somebody has entered a wrong address there. Last those of which one alone could be read.
    """
    pairs = {unit: partner for unit, partner in claims.items() if claims.get(partner) == unit}

    def is_read(address: str) -> bool:
        return address in discovery.units and discovery.units[address].failure is None

    def claims_nobody(address: str) -> bool:
        return address not in claims or claims[address] in pairs or not is_read(claims[address])

    for wants_read in (True, False):
        claimed = Counter(partner for unit, partner in claims.items() if unit not in pairs)
        for unit, partner in claims.items():
            is_free = partner not in pairs and claimed[partner] == 1 and claims_nobody(partner)
            if unit not in pairs and is_read(partner) is wants_read and is_free:
                pairs |= {unit: partner, partner: unit}
    return pairs


def _pair(one: str, other: str, discovery: Discovery) -> FoundSite:
    master, oddities = _master_of(one, other, discovery)
    slave = other if master == one else one
    for unit in (master, slave):
        if unit not in discovery.units:
            named = next(address for address in (master, slave) if address != unit)
            message = f"the pair's other unit {unit} was not asked: that it is one is what {named} says"
            hint = "look at it before any command sends credentials there"
            oddities = (*oddities, Oddity(FindingKind.NOT_ASKED, (unit,), message, hint))
    return FoundSite((master, slave), oddities)


def _master_of(one: str, other: str, discovery: Discovery) -> tuple[str, tuple[Oddity, ...]]:
    """Return which unit of a pair is its master: by the modes of both, or else by the access list."""
    modes = {
        address: unit.ha.mode
        for address in (one, other)
        if (unit := discovery.units.get(address)) and unit.ha and unit.ha.mode in ("master", "slave")
    }
    if len(set(modes.values())) == len(modes) and modes:
        address, mode = next(iter(modes.items()))
        return (address if mode == "master" else other if address == one else one), ()
    access = {
        canonical(each)
        for address in (one, other)
        if (unit := discovery.units.get(address))
        for each in unit.remote_geo_access or ()
    }
    own = [address for address in (one, other) if address in access]
    by_list = own[0] if len(own) == 1 else None
    master = by_list or min(one, other, key=address_order)
    told = f"both say {next(iter(modes.values()))}" if modes else "neither says"
    reason = "its access list names that one" if by_list else "it has the lower address"
    message = f"which of {one} and {other} is the master is not clear: {told}; taken for it is {master}, as {reason}"
    hint = f"see HA Mode under {HA_PARAMETERS} on both, and swap master and slave here if it is the other"
    return master, (Oddity(FindingKind.ROLES_UNCLEAR, (one, other), message, hint),)


def _lone_oddities(
    address: str, unit: Observation, claims: Mapping[str, str], pairs: Mapping[str, str]
) -> Iterator[Oddity]:
    """Say why a unit that is in a pair by its own word is written as one that stands alone."""
    if unit.failure:
        message = f"{address} could not be read, so whether it is one unit of a pair is not known"
        hint = "if it is, write ha_pair with both units in place of standalone"
        yield Oddity(FindingKind.UNREADABLE, (address,), message, hint)
        return
    partner = unit.ha.partner if unit.ha else None
    hint = f"see HA parameters on both units, and write ha_pair if they are a pair: {HA_PARAMETERS}"
    claimants = [each for each, claim in claims.items() if claim == address and each not in pairs]
    if address in claims and claims[address] in pairs:
        other = pairs[claims[address]]
        message = f"{address} says that its HA partner is {partner}, which is in a pair with {other}"
        yield Oddity(FindingKind.PARTNER_MISMATCH, (address,), message, hint, Severity.BLOCKING)
    elif partner:
        message = f"{address} says that its HA partner is {partner}, and that one says otherwise, or is not known"
        yield Oddity(FindingKind.PARTNER_MISMATCH, (address,), message, hint, Severity.BLOCKING)
    elif unit.state in (State.ACTIVE, State.STANDBY) and unit.ha_status is not None:
        message = f"{address} says that it is {unit.state} in a pair, and not with which unit"
        yield Oddity(FindingKind.HA_NOT_TOLD, (address,), message, hint)
    if claimants:
        message = f"{join_words(claimants)} say that {address} is the HA partner of each"
        yield Oddity(FindingKind.PARTNER_MISMATCH, (address, *claimants), message, hint, Severity.BLOCKING)
