"""What the sites are: pairs with their roles, and units that stand alone, with what does not fit."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.live.discover.pairs import pairs_of, what_it_says
from geoplan.live.discover.search import Discovery, belongs
from geoplan.live.findings.kinds import FindingKind, Severity
from geoplan.live.model import State
from geoplan.topology.types import address_order
from geoplan.vendor import HA_PARAMETERS
from geoplan.wording import join_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from geoplan.live.discover.pairs import Pairs, Planned
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


def found_sites(discovery: Discovery, planned: Planned | None = None) -> list[FoundSite]:
    """Return every pair and every unit that stands alone, in the order in which they were found.

    Of a pair both units were asked: an address that only another unit tells of is no unit here, so that nothing that
    reads the file later takes it for one that somebody has confirmed. The exception are partners of units that are
    ``planned``, in a topology of somebody's.
    """
    found = pairs_of(discovery, planned or {})
    sites: list[FoundSite] = []
    seen: set[str] = set()
    for address, unit in discovery.units.items():
        if address in seen:
            continue
        if address in found.of:
            site = _pair(address, found.of[address], discovery)
        elif unit.failure and not _is_kept(address, discovery):
            continue
        else:
            site = FoundSite((address,), tuple(_lone_oddities(address, unit, found, discovery)))
        seen |= {*site.units}
        sites.append(site)
    return sites


def _is_kept(address: str, discovery: Discovery) -> bool:
    """Return whether a unit that could not be read is a site: others name it as theirs, or nobody does at all."""
    namings = discovery.named.get(address, ())
    return not namings or belongs(namings)


def _pair(one: str, other: str, discovery: Discovery) -> FoundSite:
    master, oddities = _master_of(one, other, discovery)
    return FoundSite((master, other if master == one else one), oddities)


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


def _lone_oddities(address: str, unit: Observation, found: Pairs, discovery: Discovery) -> Iterator[Oddity]:
    """Say why a unit that is in a pair by its own word, or by another's, is written as one that stands alone."""
    claimants = [each for each, claim in found.claims.items() if claim == address and each not in found.of]
    if unit.failure:
        message = f"{address} could not be read, so whether it is one unit of a pair is not known"
        hint = "if it is, write ha_pair with both units in place of standalone"
        yield Oddity(FindingKind.UNREADABLE, (address,), message, hint)
    elif address in found.claims:
        yield _claim_alone(address, unit, found, discovery)
    elif unit.ha and unit.ha.partner:
        message = f"{address} says {what_it_says(unit)}, and that is not known here"
        yield Oddity(FindingKind.PARTNER_MISMATCH, (address,), message, _LOOK, Severity.BLOCKING)
    elif unit.state in (State.ACTIVE, State.STANDBY) and unit.ha_status is not None and not claimants:
        message = f"{address} says that it is {unit.state} in a pair, and not with which unit"
        yield Oddity(FindingKind.HA_NOT_TOLD, (address,), message, _LOOK)
    if claimants:
        told = "" if unit.failure else f"; {address} says {what_it_says(unit)}"
        says = "say" if len(claimants) > 1 else "says"
        message = f"{join_words(claimants)} {says} that the HA partner is {address}{told}"
        yield Oddity(FindingKind.PARTNER_MISMATCH, (address, *claimants), message, _LOOK, Severity.BLOCKING)


_LOOK = f"one unit's word makes no pair: see HA parameters on both, and write ha_pair if they are one: {HA_PARAMETERS}"


def _claim_alone(address: str, unit: Observation, found: Pairs, discovery: Discovery) -> Oddity:
    """Say what a unit says of its partner, and what that one says."""
    partner = found.claims[address]
    other = discovery.units.get(partner)
    if other is None:
        message = f"{address} says {what_it_says(unit)}, and {partner} was not asked: nobody has confirmed that address"
        within = f"{partner}/{ip_address(partner).max_prefixlen}"
        hint = f"if it is yours, give {partner} as well, or --follow --within {within}: it is written once it was asked"
        return Oddity(FindingKind.NOT_ASKED, (address, partner), message, hint, Severity.BLOCKING)
    if partner in found.of:
        told = f"{partner} is in a pair with {found.of[partner]}"
    else:
        told = f"{partner} could not be read" if other.failure else f"{partner} says {what_it_says(other)}"
    message = f"{address} says {what_it_says(unit)}, and {told}"
    return Oddity(FindingKind.PARTNER_MISMATCH, (address, partner), message, _LOOK, Severity.BLOCKING)
