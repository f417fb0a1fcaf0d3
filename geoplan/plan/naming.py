"""The sites that people name on a command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.errors import GeoplanError
from geoplan.plan.graph import slugs_of
from geoplan.topology.names import folded, nearest

if TYPE_CHECKING:
    from geoplan.topology.model import Site, Topology


def site_named(topology: Topology, name: str, *, otherwise: str | None = None) -> Site:
    """Return the site of that name in any case, or of that slug.

    Raises :class:`geoplan.GeoplanError` where there is none, with the nearest name as its hint, or ``otherwise``.
    """
    slugs = slugs_of(site.name for site in topology.sites)
    found = next((site for site in topology.sites if folded(site.name) == folded(name)), None)
    found = found or next((site for site in topology.sites if slugs[site.name] == name.lower()), None)
    if found is None:
        near = nearest(name, slugs) or nearest(name, slugs.values())
        hint = f"did you mean '{near}'?" if near else otherwise or f"the sites are: {', '.join(slugs)}"
        raise GeoplanError(f"{topology.name} has no site '{name}'", hint=hint)
    return found
