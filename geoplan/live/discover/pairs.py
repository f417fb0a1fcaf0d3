"""Which units are pairs: those that name each other. One unit's word alone takes no other unit that says otherwise."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from geoplan.addresses import canonical, is_address
from geoplan.live.discover.search import How
from geoplan.live.findings.pairs import SINGLE
from geoplan.loadmaster.model import HaStatus
from geoplan.topology.types import is_unit_address
from geoplan.wording import join_words, shorten

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from geoplan.live.discover.search import Discovery
    from geoplan.live.model import Observation


@dataclass(frozen=True, slots=True)
class Pairs:
    """Who is in a pair with whom, and who says so."""

    claims: Mapping[str, str]
    """Units, each with the address that it names as its HA partner, be that one asked or not."""
    of: Mapping[str, str]
    """Each unit of a pair with its other one; both were asked."""


Planned: TypeAlias = "Mapping[str, Collection[str]]"
"""Units of a topology that somebody has written, each with those of its site, in one spelling."""


def pairs_of(discovery: Discovery, planned: Planned) -> Pairs:
    """Return the pairs: units that name each other, and units of which one names the other, which denies nothing."""
    claims = {address: claim for address in discovery.units if (claim := _partner_of(address, discovery))}
    pairs = {unit: partner for unit, partner in claims.items() if claims.get(partner) == unit}
    claimed = Counter(partner for unit, partner in claims.items() if unit not in pairs)
    for unit, partner in claims.items():
        is_free = partner not in pairs and partner not in claims and claimed[partner] == 1
        if unit not in pairs and is_free and _may_stand(unit, partner, discovery, planned):
            pairs |= {unit: partner, partner: unit}
    return Pairs(claims, pairs)


def what_it_says(unit: Observation) -> str:
    """Say what a unit tells of its own place in a pair."""
    return join_words(list(_told(unit)) or ["nothing of HA"])


def _told(unit: Observation) -> Iterator[str]:
    if unit.ha and unit.ha.mode:
        yield f"that its HA mode is {unit.ha.mode}"
    if unit.ha and unit.ha.partner is not None:
        named = f"that its HA partner is {shorten(unit.ha.partner)}"
        yield named if unit.ha.partner else "that it has no HA partner"
    if unit.ha_status is HaStatus.NOT_CONFIGURED:
        yield "that HA is not configured"


def _may_stand(claimant: str, partner: str, discovery: Discovery, planned: Planned) -> bool:
    """Return whether a unit's claim counts although the other one does not make it as well.

    It does where a person has planned them as a pair. Else one that was read has to leave it open, and something has to
    speak for it beside the claim; one that could not be read says nothing, and nobody else may know it without the
    claimant; and one that was not asked is nobody's, but for a unit that is planned: it may be replaced.
    """
    if partner in planned.get(claimant, ()):
        return True
    other = discovery.units.get(partner)
    if other is None:
        return claimant in planned
    if other.failure is None:
        return not _says_otherwise(claimant, other) and _is_vouched_for(claimant, other, discovery)
    others, with_claimant = _known_to(partner, claimant, discovery)
    return claimant in planned or others <= with_claimant


def _is_vouched_for(claimant: str, unit: Observation, discovery: Discovery) -> bool:
    """Return whether another's word than the claimant's speaks for it as the other unit of a pair.

    That is the unit's own list, which has the master of its pair with access and as no partner; or every list of
    others: these name both units.
    """
    if claimant in map(canonical, unit.geo_partners or ()):
        return False
    if claimant in map(canonical, unit.remote_geo_access or ()):
        return True
    others, with_claimant = _known_to(canonical(unit.address), claimant, discovery)
    return bool(others) and others <= with_claimant


def _known_to(address: str, claimant: str, discovery: Discovery) -> tuple[set[str], set[str]]:
    """Return who names a unit as GEO partner, and who names the claimant so; without what these two say."""
    known, with_claimant = (
        {
            canonical(naming.by)
            for naming in discovery.named.get(each, ())
            if naming.how is How.GEO_PARTNER and canonical(naming.by) not in (address, claimant)
        }
        for each in (address, claimant)
    )
    return known, with_claimant


def _says_otherwise(claimant: str, unit: Observation) -> bool:
    """Return whether a unit says that it is in no pair, or in one with another unit."""
    if unit.ha_status is HaStatus.NOT_CONFIGURED:
        return True
    if unit.ha is None:
        return False
    stands_for = set(map(canonical, (unit.ha.partner or "", *unit.ha.partner_addresses)))
    names_another = is_address(unit.ha.partner or "") or bool(unit.ha.partner_addresses)
    return unit.ha.mode == SINGLE or (names_another and claimant not in stands_for)


def _partner_of(address: str, discovery: Discovery) -> str | None:
    """Return the address of a unit's HA partner, if it names one that can be found.

    A name stands for the address that is known here. Where none is, the unit counts that calls itself so, if others'
    lists speak for it: anybody can take a name.
    """
    unit = discovery.units[address]
    if unit.ha is None or not unit.ha.partner:
        return None
    if is_address(unit.ha.partner):
        known = [canonical(unit.ha.partner)]
    elif unit.ha.partner_addresses:
        known = [canonical(each) for each in unit.ha.partner_addresses]
        known = [each for each in known if each in discovery.units] or known
    else:
        name = _first_label(unit.ha.partner)
        called = [each for each, other in discovery.units.items() if _first_label(other.host_name or "") == name]
        known = [each for each in called if _is_vouched_for(each, unit, discovery)]
    others = dict.fromkeys(each for each in known if each != address and is_unit_address(each))
    return next(iter(others)) if len(others) == 1 else None


def _first_label(host: str) -> str:
    return host.lower().partition(".")[0]
