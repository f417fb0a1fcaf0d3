"""What shows that a slave has submitted its partners: links of its own, where it was seen to have none."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geoplan.addresses import canonical
from geoplan.live.links import standbys_shown_green
from geoplan.live.model import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.live.model import Observation, Observations
    from geoplan.plan.model import Plan, PlannedUnit, SiteSettings


class SlaveLinks(NamedTuple):
    """A slave's planned partners by their own canonical addresses; of one in none of the sets nothing is told."""

    green: frozenset[str]
    red: frozenset[str]
    """Those that the slave says are red, or does not list, while both of them answer."""
    needed: frozenset[str]
    """Those that take settings now, so that a submission links them at once."""

    @property
    def are_told(self) -> bool:
        """Whether anything is told."""
        return bool(self.green or self.red)


def links_of_slave(plan: Plan, site: SiteSettings, facts: Observations) -> SlaveLinks:
    """Return what a pair's slave says of its planned partners; what it does not tell, only partners may."""
    slave_address = site.units[1].address
    slave = facts.unit(slave_address)
    green, red, needed = set[str](), set[str](), set[str]()
    for other, partner in _partners(plan, site):
        found = facts.unit(partner.address)
        own = canonical(partner.address)
        told = _told(slave, partner)
        if told is None:
            told = _told(found, site.units[1]) or None  # red, as others say it, may have its reason with them
        if told:
            green.add(own)
        elif told is False and _is_up(found):
            red.add(own)
        if found is not None and facts.active(other.name) is found and _is_up(found):
            needed.add(own)
    return SlaveLinks(frozenset(green), frozenset(red), frozenset(needed))


def denied_by(plan: Plan, site: SiteSettings, unit: PlannedUnit, facts: Observations) -> frozenset[str]:
    """Return the partners, by their own addresses, whose red link with a unit denies that it submitted them last.

    Both ends are up, at least one says red, and neither green. A slave that is active is left out: it is red until it
    has submitted its own partners.
    """
    own = facts.unit(unit.address)
    if own is not None and own.failure is None and own.state is State.DOWN:
        return frozenset()
    denied = set[str]()
    for other, partner in _partners(plan, site):
        found = facts.unit(partner.address)
        if partner.role == "slave" or not _is_up(found) or facts.active(other.name) is not found:
            continue
        if {_told(own, partner), _told(found, unit)} in ({False}, {False, None}):
            denied.add(partner.address)
    return frozenset(denied)


def shows_standbys(plan: Plan, facts: Observations) -> bool:
    """Return whether any standby is shown green: then a red one is not red because it is a standby."""
    return bool(standbys_shown_green(plan, facts))


def _partners(plan: Plan, site: SiteSettings) -> Iterator[tuple[SiteSettings, PlannedUnit]]:
    for other in plan.sites_of(site.group):
        if other.name != site.name:
            yield from ((other, unit) for unit in other.units)


def _told(unit: Observation | None, partner: PlannedUnit) -> bool | None:
    """Return whether a unit says green of another; None where it does not tell."""
    if unit is None or unit.failure is not None:
        return None
    known = {canonical(address) for address in (partner.address, partner.nat_address) if address}
    if unit.partner_status is not None:
        said = {colour for address, colour in unit.partner_status.items() if canonical(address) in known}
        if len(said) == 1:
            return next(iter(said))
        if said:
            return None
    if unit.geo_partners is not None and not known & set(map(canonical, unit.geo_partners)):
        return False
    return None


def _is_up(unit: Observation | None) -> bool:
    return unit is not None and unit.failure is None and unit.state is not State.DOWN
