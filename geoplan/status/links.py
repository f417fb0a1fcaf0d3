"""The links of each two partner sites at a glance, for a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geoplan.live.links import NOTHING_KNOWN, Colour, links_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.live.links import KnownLinks, Link
    from geoplan.live.model import Observations
    from geoplan.plan.model import Plan


class SiteLinks(NamedTuple):
    """All links between two sites."""

    sites: tuple[str, str]
    """In the plan's order."""
    colour: Colour
    """Red where one is red without a reason, green where all that could be asked for are green."""


def site_links(plan: Plan, facts: Observations, known: KnownLinks = NOTHING_KNOWN) -> Iterator[SiteLinks]:
    """Yield, for each two partner sites of which one was asked, what their active units say of each other.

    ``known`` is what journals of pushes hold of links.
    """
    places = {site.name: place for place, site in enumerate(plan.sites)}
    asked = {site.name for site in facts.asked(plan)}
    for links in links_of(plan, facts, known).values():
        found: dict[tuple[str, str], list[Link]] = {}
        for link in links:
            one, other = sorted((link.site, link.partner_site), key=places.__getitem__)
            if link.is_asked:
                found.setdefault((one, other), []).append(link)
        for sites, between in found.items():
            yield SiteLinks(sites, _colour(between, asked.intersection(sites)))


def _colour(links: list[Link], asked: set[str]) -> Colour:
    if any(link.is_red for link in links):
        return Colour.RED
    is_told = {link.site for link in links} >= asked
    are_green = all(link.colour is Colour.GREEN or link.is_red_by_nature for link in links)
    return Colour.GREEN if is_told and are_green else Colour.NOT_TOLD
