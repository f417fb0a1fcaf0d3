"""What follows from the links: which are red and what mends them, which are not told, which nothing proves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.live.findings import Difference, Kind, Mend, Note, NoteKind
from geoplan.live.links import Colour
from geoplan.live.model import State
from geoplan.vendor import SHARED_SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from geoplan.live.links import Link
    from geoplan.live.model import Observation, Observations
    from geoplan.plan.model import SiteSettings

SUBJECT = "partner_status"


def red_differences(
    site: SiteSettings, unit: Observation, links: Sequence[Link], facts: Observations, places: Mapping[str, str]
) -> Iterator[Difference]:
    """Yield the red partners of a site's active unit.

    ``links`` are all of its group, ``places`` the sites of all units of the plan by address.
    """
    troubled = units_to_submit_again(links, facts)
    for link in links:
        if link.unit == unit.address and link.is_red:
            yield _red(link, facts, is_troubled=link.unit in troubled)
    yield from _red_strangers(site, unit, places)


def _red_strangers(site: SiteSettings, unit: Observation, places: Mapping[str, str]) -> Iterator[Difference]:
    red = [address for address, green in (unit.partner_status or {}).items() if green is False]
    for address in red:
        if canonical(address) not in places:
            message = f"partner {address} is red, and the plan does not have it"
            yield Difference(site.name, unit.address, Kind.RED, SUBJECT, message, (address,), Mend.BY_HAND)


def link_notes(site: SiteSettings, unit: Observation, links: Sequence[Link]) -> Iterator[Note]:
    """Yield what a site's active unit does not tell of its partners."""
    if unit.geo_partners == ():
        return  # none is entered, so there is none to tell of
    own = [link for link in links if link.unit == unit.address and link.is_asked]
    if untold := [link.partner for link in own if link.colour is Colour.NOT_TOLD]:
        of_whom = "its partners" if len(untold) == len(own) else ", ".join(untold)
        message = f"{unit.address} does not tell in a known way whether it sees {of_whom}"
        yield Note(site.name, message, NoteKind.COLOURS_NOT_TOLD)


def standby_notes(site: SiteSettings, links: Sequence[Link]) -> Iterator[Note]:
    """Yield, once for each standby of a site, that it is red only because it is the standby."""
    explained = [link for link in links if link.partner_site == site.name and link.is_red_by_nature]
    for standby in dict.fromkeys(link.partner for link in explained):
        seeing = ", ".join(link.unit for link in explained if link.partner == standby)
        message = f"{standby} is red on {seeing} while it is the standby; while it was active it saw them green"
        yield Note(site.name, message, NoteKind.STANDBY_RED)


def unproven_notes(site: SiteSettings, unproven: Sequence[str]) -> Iterator[Note]:
    """Yield that nothing proves the links of some units of a site."""
    for unit in site.units:
        if unit.address in unproven:
            whose = f"the {unit.role} {unit.address}" if site.kind == "ha_pair" else unit.address
            yield Note(site.name, f"links of {whose}: not proven", NoteKind.LINK_NOT_PROVEN)


def unproven_units(site: SiteSettings, links: Sequence[Link], facts: Observations) -> tuple[str, ...]:
    """Return the units of a site that would have to show links of its group that nothing proves.

    Of each link that is a standby, which nobody can ask, or else both its ends.
    """
    named: set[str] = set()
    for link in links:
        if link.is_proven or link.colour is Colour.RED:
            continue
        ends = [end for address in (link.unit, link.partner) if (end := facts.unit(address))]
        standbys = [end for end in ends if end.state is State.STANDBY]
        named |= {end.address for end in standbys or ends}
    return tuple(unit.address for unit in site.units if unit.address in named)


def units_to_submit_again(links: Sequence[Link], facts: Observations) -> frozenset[str]:
    """Return the units between which a link is red although both are active: a submission makes it anew.

    What such a unit sees red besides may have the same reason, so that a reboot is not called for yet.
    """
    both_active = (
        link
        for link in links
        if link.is_red and not link.are_secrets_apart and _takes_settings(facts.unit(link.partner))
    )
    return frozenset(address for link in both_active for address in (link.unit, link.partner))


def _takes_settings(unit: Observation | None) -> bool:
    if unit is None or unit.failure is not None:
        return False
    return unit.state is State.ACTIVE or unit.role == "standalone"


def _red(link: Link, facts: Observations, *, is_troubled: bool) -> Difference:
    partner = facts.unit(link.partner)

    def found(message: str, mends: Mend, sites: tuple[str, ...] = (), hint: str = "") -> Difference:
        return Difference(link.site, link.unit, Kind.RED, SUBJECT, message, sites, mends, hint, link.partner)

    if link.are_secrets_apart:
        message = (
            f"partner {link.partner} is red, and may have another {SHARED_SECRET}: a push of that came not to its end"
        )
        return found(message, Mend.ROTATION, (link.site, link.partner_site), "give all units the same: push --secret")
    if _takes_settings(partner):
        message = f"partner {link.partner} is red though it is up: partners may have to be submitted again"
        return found(message, Mend.SUBMISSION, (link.site, link.partner_site))
    if partner is None:
        hint = f"compare '{link.partner_site}' as well"
        return found(f"partner {link.partner} is red, and was not asked itself", Mend.BY_HAND, hint=hint)
    if partner.state is not State.STANDBY:
        return found(f"partner {link.partner} is red", Mend.BY_HAND, hint=f"bring {link.partner} up")
    if is_troubled:
        message = f"partner {link.partner} is red though it is up, and so are units that are active"
        return found(message, Mend.SUBMISSION, (link.site,))
    if link.is_unseen:
        message = (
            f"partner {link.partner} is red while it is the standby: "
            f"the slave of '{link.partner_site}' submitted its partners, and nothing showed whether it has this link"
        )
        hint = f"make {link.partner} active for a few minutes, push or compare again, and make the master active again"
        return found(message, Mend.BY_HAND, hint=hint)
    if partner.role == "slave":
        message = (
            f"partner {link.partner} is red though it is up: "
            f"the slave of '{link.partner_site}' may never have submitted its partners"
        )
        return found(message, Mend.REBOOT, (link.partner_site,))
    message = f"partner {link.partner} is red though it is up: the master of '{link.partner_site}' is its standby now"
    return found(message, Mend.BY_HAND, hint=f"make {link.partner} active again, and push")
