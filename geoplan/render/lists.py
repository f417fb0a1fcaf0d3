"""The layout of the example in section 5.4: each site with its units and its two lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.topology.types import address_order
from geoplan.vendor import GEO_PARTNERS, REMOTE_GEO_ACCESS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.plan.model import Plan, SiteSettings


def render(plan: Plan) -> str:
    """Return the lists line for line as the document prints them, units by rising address."""
    return "".join(f"{line}\n" for site in plan.sites for line in _lines(site))


def _lines(site: SiteSettings) -> Iterator[str]:
    yield site.name
    yield from sorted((unit.address for unit in site.units), key=address_order)
    yield _list_line(REMOTE_GEO_ACCESS, site.remote_geo_access)
    yield _list_line(GEO_PARTNERS, site.geo_partners)


def _list_line(label: str, addresses: tuple[str, ...]) -> str:
    return " ".join((f"{label}:", *addresses))
