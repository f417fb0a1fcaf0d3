"""The colours of partners just after they were submitted: a finding for people, never a reason to reboot anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.errors import UnitError
from geoplan.live.findings import NoteKind
from geoplan.live.fleet import units_down
from geoplan.live.links import Colour
from geoplan.loadmaster.pace import at_once

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from geoplan.live.findings import Report
    from geoplan.live.unit import Unit
    from geoplan.plan.model import SiteSettings, Step
    from geoplan.push.context import Context

_POLL_SECONDS = 0.25  # of colours, which a lab would show sooner than a unit may be asked again
RED = ", and every partner stays red there"


async def _always() -> bool:
    return True


async def links_stay_red(
    context: Context, step: Step, unit: Unit, still_active: Callable[[], Awaitable[bool]] = _always
) -> bool:
    """Return whether every partner that is up stays red on the unit on which partners were just submitted.

    It is looked at until all that are up are green, for the time that a site has to settle, or as long as the unit is
    active. One green partner is enough for an answer: another pair's slave may well be red until its own turn. What a
    unit does not tell is no finding. Planned partners that it shows green are recorded as ``green``: of a slave, which
    nobody can ask later, that is the proof of its links.
    """
    seen = _Seen(context, step, unit)

    async def look() -> bool | None:
        try:
            with at_once():  # a slave shows them only as long as its master boots
                told = await unit.partner_status()
                if not await still_active():
                    return False
        except UnitError:
            return False
        return True if seen.take(told, await _partners_up(context, step)) else None

    telling = context.reporter.waiting(step, "waiting until its partners turn green", unit.address)
    every = max(context.timings.poll_seconds, _POLL_SECONDS)
    await context.until(look, within=context.timings.settle_timeout, every=every, on_wait=telling)
    if seen.is_red:
        message = (
            f"{unit.address}: its partners were submitted and read back, but every partner that is up stays red there: "
            "it may not have applied the submission; the report at the end says what would finish it"
        )
        context.note(NoteKind.STAYS_RED, message, site=step.site, unit=unit.address, step=step)
    return seen.is_red


def record_green(context: Context, site: SiteSettings, unit: str, told: Mapping[str, bool | None]) -> frozenset[str]:
    """Record which planned partners an active unit shows green, and return them as the site's list has them."""
    colours = {canonical(address): green for address, green in told.items()}
    green = [address for address in site.geo_partners if colours.get(canonical(address)) is True]
    red = [address for address in site.geo_partners if colours.get(canonical(address)) is False]
    if green:
        context.journal.write("green", site=site.name, unit=unit, partners=green, red=red)
    return frozenset(green)


def record_sights(context: Context, report: Report) -> None:
    """Record which links of pairs were green from either end while their unit was active: later nobody may tell.

    So a slave that never tells the colours of its partners has its proof once it was active, from those that see it.
    """
    units = {each.site: each.unit for each in report.sites}
    for site in context.plan.sites:
        active = units.get(site.name)
        if site.kind != "ha_pair" or active is None:
            continue
        own = {link.partner: link.colour for link in report.links if link.unit == active and link.is_asked}
        seen_by = {link.unit: link.colour for link in report.links if link.partner == active and link.is_asked}
        told = {}
        for other in context.plan.sites_of(site.group):
            for unit in other.units:
                colours = {own.get(unit.address), seen_by.get(unit.address)} - {None, Colour.NOT_TOLD}
                if len(colours) == 1:
                    told[unit.nat_address or unit.address] = colours == {Colour.GREEN}
        green = {canonical(address) for address, is_green in told.items() if is_green}
        if green - context.ledger.sights(active):
            record_green(context, site, active, told)


class _Seen:
    """What a unit showed of its partners, look after look."""

    def __init__(self, context: Context, step: Step, unit: Unit) -> None:
        self._context = context
        self._site = context.plan.site(step.on.site)
        self._unit = unit
        self._green: frozenset[str] = frozenset()
        self._all_red = False

    @property
    def is_red(self) -> bool:
        """Whether all that were up were red to the last, and none was ever green."""
        return self._all_red and not self._green

    def take(self, told: Mapping[str, bool | None], up: Sequence[str]) -> bool:
        """Take one look of an active unit; return whether all partners that are up are green."""
        colours = {canonical(address): green for address, green in told.items()}
        of_those_up = [colours.get(canonical(address)) for address in up]
        self._all_red = bool(of_those_up) and all(green is False for green in of_those_up)
        if any(colours.get(canonical(address)) is True for address in {*self._site.geo_partners} - self._green):
            self._green |= record_green(self._context, self._site, self._unit.address, told)
        return all(green is True for green in of_those_up)


async def _partners_up(context: Context, step: Step) -> list[str]:
    """Return the addresses, as a site's partners list has them, of all units that are up."""
    own = context.plan.site(step.on.site)
    down = set(await units_down(context.fleet, own))
    others = [site for site in context.plan.sites_of(own.group) if site.name != own.name]
    return [unit.nat_address or unit.address for site in others for unit in site.units if unit.address not in down]
