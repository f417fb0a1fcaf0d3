"""A topology of all units that a change knows: those that stay, those that join and those that leave."""

from __future__ import annotations

from geoplan.errors import GeoplanError
from geoplan.topology.model import Site, Topology


def united(new: Topology, old: Topology) -> Topology:
    """Return the sites of both, without groups; a site of both is as the one that has more units writes it.

    Raises :class:`GeoplanError` where a site has other units in each, which no simulation of both can hold.
    """
    sites: dict[str, Site] = {site.name: site for site in new.sites}
    for site in old.sites:
        known = sites.get(site.name)
        before = {unit.address for unit in site.units}
        after = {unit.address for unit in known.units} if known else set[str]()
        if known is None or after < before:
            sites[site.name] = site
        elif not before <= after:
            raise GeoplanError(
                f"'{site.name}' goes on with other units, and cannot be rehearsed: {', '.join(sorted(before - after))}",
                hint="rehearse the new topology alone, without --from",
            )
    return Topology.model_validate(
        new.model_dump() | {"sites": [site.model_dump() for site in sites.values()], "groups": None}
    )
