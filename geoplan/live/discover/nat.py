"""NAT: the address by which others name a unit in place of its own, where that is shown and not only likely."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.live.discover.sites import FoundSite, Oddity, speaker
from geoplan.live.findings.kinds import FindingKind
from geoplan.live.model import REMOTE_LM
from geoplan.wording import join_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from geoplan.live.discover.search import Discovery
    from geoplan.live.model import Observation


@dataclass(frozen=True)
class _Heard:
    """What the site's own units and its partners say that bears on its NAT addresses."""

    nameless: tuple[str, ...]
    """Its units that no other site names."""
    candidates: tuple[str, ...]
    """The addresses of nobody that every partner names."""
    own: Observation
    """Its own unit, whose word can tell against its addresses, and never for them."""
    partners: tuple[Observation, ...]
    """Its partners' units."""


def with_nat(
    sites: Sequence[FoundSite], discovery: Discovery, known: Mapping[str, str] | None = None
) -> list[FoundSite]:
    """Return sites with the NAT addresses of their units, where these are shown, or ``known`` and named by anybody.

    Shown means: no site names the unit; all partners of its site name one address that is nobody's; they have a
    Remote LM cluster at it; and one of them sees it green. A unit that has changed its address looks the same but for
    the last.
    """
    sites = [_with_known(site, discovery, known or {}) for site in sites]
    heard = {number: found for number, site in enumerate(sites) if (found := _heard(number, sites, discovery))}
    result = list(sites)
    for number, found in heard.items():
        rivals = [other for other in heard if other != number and set(heard[other].candidates) & set(found.candidates)]
        nat = None if rivals else _shown(sites[number], found)
        if nat:
            result[number] = replace(sites[number], nat={**(sites[number].nat or {}), **nat})
        else:
            result[number] = replace(sites[number], oddities=(*sites[number].oddities, _unclear(found)))
    return result


def _with_known(site: FoundSite, discovery: Discovery, known: Mapping[str, str]) -> FoundSite:
    nat = {unit: known[unit] for unit in site.units if unit in known and known[unit] in discovery.named}
    return replace(site, nat=nat) if nat else site


def _heard(number: int, sites: Sequence[FoundSite], discovery: Discovery) -> _Heard | None:
    """Return what bears on the NAT addresses of a site, or None where nothing suggests that it has any."""
    site = sites[number]
    own = speaker(discovery, site)
    if own is None:
        return None
    listed = _partners(own)
    others = [(other, unit) for other in sites if other is not site and (unit := speaker(discovery, other))]
    partners = [unit for other, unit in others if listed & other.addresses]
    named = {address for _, unit in others for address in _partners(unit)}
    nameless = tuple(unit for unit in site.units if unit not in named and unit not in (site.nat or {}))
    if not partners or not nameless:
        return None
    known = {address for each in sites for address in each.addresses} | listed
    common = set.intersection(*(set(_partners(unit)) for unit in partners)) - known
    if not common:
        return None
    return _Heard(nameless, tuple(sorted(common)), own, tuple(partners))


def _shown(site: FoundSite, heard: _Heard) -> dict[str, str] | None:
    """Return the NAT addresses of a site's units, or None where they are not shown."""
    if len(heard.candidates) != len(heard.nameless):
        return None
    of_partners = _remote_clusters(heard.partners)
    if (of_partners | _remote_clusters([heard.own])) & set(site.units) and site.units[0] in heard.nameless:
        return None
    of_cluster = [address for address in heard.candidates if address in of_partners]
    if not all(_is_green(address, heard) for address in heard.candidates):
        return None
    if len(heard.nameless) == 1:
        is_first = heard.nameless[0] == site.units[0]
        return {heard.nameless[0]: heard.candidates[0]} if bool(of_cluster) is is_first else None
    if len(of_cluster) != 1:
        return None
    (other,) = (address for address in heard.candidates if address not in of_cluster)
    return {site.units[0]: of_cluster[0], site.units[1]: other}


def _remote_clusters(units: Iterable[Observation]) -> set[str]:
    return {
        canonical(cluster.address) for unit in units for cluster in unit.clusters or () if cluster.type is REMOTE_LM
    }


def _is_green(address: str, heard: _Heard) -> bool:
    """Return whether a partner sees an address green, and nobody red."""
    seen = _colours(address, heard.partners)
    return True in seen and False not in seen | _colours(address, [heard.own])


def _colours(address: str, units: Iterable[Observation]) -> set[bool | None]:
    return {
        green
        for unit in units
        for partner, green in (unit.partner_status or {}).items()
        if canonical(partner) == address
    }


def _partners(unit: Observation) -> set[str]:
    return set(map(canonical, unit.geo_partners or ()))


def _unclear(heard: _Heard) -> Oddity:
    message = (
        f"no other site names {join_words(heard.nameless)}, and all its partners name {join_words(heard.candidates)}, "
        "which is nobody's: it may be how they reach it"
    )
    hint = "if so, write {address: …, nat_address: …} at the unit; else correct the partners' lists"
    return Oddity(FindingKind.NAT_UNCLEAR, heard.nameless, message, hint)
