"""Whether the slave of a pair that is to be formed is at work in a GEO group of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.wording import some_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geoplan.live.model import Observations
    from geoplan.plan.model import Plan, PlannedUnit


def linked_without_master(plan: Plan, name: str, facts: Observations) -> tuple[str, ...]:
    """Return the units that work with the slave of a site as GEO partners, and do not have its master as one.

    They name it, or it sees them green. Of a pair that was one before they name both units.
    """
    master, slave = plan.site(name).units
    partners = {
        alias: set(map(canonical, found.geo_partners or ()))
        for site in plan.sites
        if site.name != name
        for unit in site.units
        if (found := facts.unit(unit.address))
        for alias in _aliases(unit)
    }
    told = facts.unit(slave.address)
    status = (told.partner_status or {}) if told else {}
    green = {canonical(address) for address, is_green in status.items() if is_green}
    if told and told.geo_partners is not None:  # what it has not entered is no link of its own
        green &= set(map(canonical, told.geo_partners))
    named_by = {other for other, named in partners.items() if named & _aliases(slave)}
    knows_master = {other for other, named in partners.items() if named & _aliases(master)}
    return tuple(sorted((green | named_by) - knows_master))


def what_is_linked(plan: Plan, name: str, linked: Sequence[str]) -> tuple[str, str]:
    """Say with whom a slave works, and what to do about it."""
    master, slave = (unit.address for unit in plan.site(name).units)
    message = f"{slave} is at work in a GEO group with {some_of(linked)}, not known there as a pair with {master}"
    hint = (
        f"see which units are those of '{name}', and correct the topology; if {slave} is to become the standby, take "
        "it out of its group by hand first: out of the others' GEO partners, and these out of its own"
    )
    return message, hint


def _aliases(unit: PlannedUnit) -> set[str]:
    return {canonical(each) for each in (unit.address, unit.nat_address) if each}
