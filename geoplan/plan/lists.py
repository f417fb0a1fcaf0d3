"""The two lists and the cluster of each site (sections 5.1 to 5.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.addresses import canonical, without
from geoplan.plan.model import ClusterDefinition, PlannedUnit, SiteLists, SiteSettings
from geoplan.topology.types import address_order

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from geoplan.plan.model import Role
    from geoplan.topology.model import Group, Site


def pairs_of(group: Group) -> list[Site]:
    """Return the group's HA pairs in order of declaration."""
    return [site for site in group.sites if site.ha_pair]


def standalones_of(group: Group) -> list[Site]:
    """Return the group's standalone LoadMasters in order of declaration."""
    return [site for site in group.sites if not site.ha_pair]


def settings_of(group: Group) -> Iterator[SiteSettings]:
    """Yield each site of the group with its lists, in the order of the lists.

    The order is the one of the example in section 5.4: HA pairs in reverse order of declaration, then
    standalones; within a pair by rising address. Every list is that one sequence with the site's own part cut
    out of it, so the work grows with what is written.
    """
    in_list_order = [*reversed(pairs_of(group)), *standalones_of(group)]
    shown = [_shown_addresses(site) for site in in_list_order]
    everyone = tuple(address for addresses in shown for address in addresses)
    start = 0
    for site, addresses in zip(in_list_order, shown, strict=True):
        before, behind = everyone[:start], everyone[start + len(addresses) :]
        start += len(addresses)
        yield SiteSettings.model_construct(
            name=site.name,
            kind="ha_pair" if site.ha_pair else "standalone",
            group=group.name,
            units=_planned_units(site),
            preferred_host=site.ha_pair.preferred_host if site.ha_pair else None,
            remote_geo_access=(*before, site.units[0].address, *behind, *site.extra_remote_geo_access),
            geo_partners=before + behind,
        )


def cluster_of(site: Site, group: Group) -> ClusterDefinition:
    """Return the Remote LM cluster of a site, by its master's or its only address (section 5)."""
    return ClusterDefinition.model_construct(
        group=group.name,
        site=site.name,
        name=site.cluster_name,
        address=site.units[0].shown_address,
        location=site.cluster.location,
    )


def lists_without(site: SiteSettings, gone: Collection[str]) -> SiteLists:
    """Return what a site's lists hold once these addresses are taken off both."""
    return SiteLists.model_construct(
        site=site.name,
        remote_geo_access=without(site.remote_geo_access, gone),
        geo_partners=without(site.geo_partners, gone),
    )


def carried_by(address: str, units: Iterable[PlannedUnit]) -> frozenset[str]:
    """Return every address that a site's cluster may carry which was entered by one.

    By a unit's own address it follows the active unit of a pair, since HA replaces own addresses (sections 4 and 5).
    By an address behind NAT it does not.
    """
    own = frozenset(canonical(unit.address) for unit in units)
    return own if canonical(address) in own else frozenset({canonical(address)})


def _shown_addresses(site: Site) -> list[str]:
    """Return how the other sites name this site's units, by rising address, IPv4 before IPv6."""
    return sorted((unit.shown_address for unit in site.units), key=address_order)


def _planned_units(site: Site) -> tuple[PlannedUnit, ...]:
    roles: tuple[Role, ...] = ("master", "slave") if site.ha_pair else ("standalone",)
    return tuple(
        PlannedUnit(address=unit.address, role=role, nat_address=unit.nat_address)
        for unit, role in zip(site.units, roles, strict=True)
    )
