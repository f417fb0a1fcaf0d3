"""A part of a topology: whole groups of it, since no list and no cluster of one group depends on another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.errors import GeoplanError
from geoplan.topology.names import group_named, site_named
from geoplan.topology.rules import require_well_formed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from geoplan.topology.model import Group, Site, Topology


def only_groups(topology: Topology, names: Iterable[str], *, place: str | None = None) -> Topology:
    """Return the part of a topology that these groups are, in its order; what is planned for it is part of the whole.

    Names are compared without case, or are slugs. The same sites have the same lists, clusters and step ids as in the
    plan of the whole; steps are numbered anew. The rules are those of the whole: raises
    :class:`geoplan.InvalidInputError` where any is broken, in any group. Raises :class:`geoplan.GeoplanError` for a
    name that no group has, for no name at all, and where the topology has no groups. ``place`` is where somebody would
    look for the names, if not in the topology by its own.
    """
    require_well_formed(topology.whole)
    chosen = {group_named(topology, name, place=place) for name in names}
    if not chosen:
        raise GeoplanError("a part of a topology has one group at least, and none is named", hint="name a group")
    groups = tuple(group for group in topology.partner_groups() if group.name in chosen)
    members = {site.name for group in groups for site in group.sites}
    return _part(topology, groups, tuple(site for site in topology.sites if site.name in members))


def each_group(topology: Topology) -> Iterator[tuple[str, Topology]]:
    """Yield the name of each group with the part of the topology that it is; without groups that is the whole.

    Raises as :func:`only_groups` does. The work of all together grows with the topology.
    """
    require_well_formed(topology.whole)
    for group in topology.partner_groups():
        yield group.name, topology if topology.groups is None else _part(topology, (group,), group.sites)


def _part(topology: Topology, groups: Sequence[Group], sites: tuple[Site, ...]) -> Topology:
    written = {group.name: tuple(site.name for site in group.sites) for group in groups}
    part = topology.model_copy(update={"sites": sites, "groups": written})
    part.mark_part_of(topology.whole)
    return part


def groups_of_sites(topology: Topology, names: Iterable[str], *, place: str | None = None) -> dict[str, str]:
    """Return the groups of these sites, by how the topology writes the sites, in its order.

    Raises :class:`geoplan.GeoplanError` for a name that no site has, as :func:`geoplan.topology.names.site_named` does.
    """
    chosen = {site_named(topology, name, place=place).name for name in names}
    groups = {site.name: group.name for group in topology.partner_groups() for site in group.sites}
    return {site.name: groups[site.name] for site in topology.sites if site.name in chosen}
