"""The links of a unit that a drill has made active, seen from both ends, look after look."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.errors import UnitError
from geoplan.live.fleet import NoActiveUnitError
from geoplan.push.partner_links import record_green
from geoplan.push.values import Sight

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from geoplan.plan.model import SiteSettings
    from geoplan.push.context import Context

    Told = Mapping[str, bool | None] | None


class DrillLinks:
    """What one unit and the active units of its partner sites say of each other.

    ``saw`` is told what is seen of a link: what, by which unit, and the link's other end; ``has_seen`` is asked that.
    """

    def __init__(
        self,
        context: Context,
        site: SiteSettings,
        unit: str,
        saw: Callable[[Sight, str, str | None], None],
        *,
        has_seen: Callable[[Sight, str, str | None], bool],
    ) -> None:
        self._context = context
        self._site = site
        self._unit = unit
        self._known = _known(site, unit)
        self._saw = saw
        self._has_seen = has_seen
        self._others = [other for other in context.plan.sites_of(site.group) if other.name != site.name]
        self._partners: dict[str, str] = {}
        """The active unit of each partner site, by the site's name."""
        self._own: dict[str, bool | None] = {}
        """What the unit says of each partner site."""
        self._theirs: dict[str, bool | None] = {}
        """What each partner site says of the unit."""
        self._recorded: frozenset[str] = frozenset()

    async def find_partners(self) -> None:
        """Find the active unit of each partner site; one that has none now tells nothing."""

        async def active(other: SiteSettings) -> str | None:
            try:
                return (await self._context.fleet.active(other)).address
            except NoActiveUnitError:
                return None

        found = await self._context.fleet.ask_each(self._others, active)
        pairs = zip(self._others, found, strict=True)
        self._partners = {other.name: address for other, address in pairs if address is not None}

    async def ask(self) -> dict[str, Told]:
        """Ask both ends of all links at the same time; return what each unit says, None where it did not."""
        addresses = [self._unit, *self._partners.values()]
        return dict(zip(addresses, await asyncio.gather(*map(self._ask, addresses)), strict=True))

    async def _ask(self, address: str) -> Told:
        try:
            return await self._context.fleet.unit(address).partner_status()
        except UnitError:
            return None

    def take(self, told: Mapping[str, Told]) -> None:
        """Take what was told while the unit was the active one; what is green stays proven."""
        own = told[self._unit]
        for other in self._others:
            partner = self._partners.get(other.name)
            if partner is None:
                continue
            self._own[other.name] = colour = _colour(own, _known(other, partner))
            if colour:
                self._saw(Sight.SEES_GREEN, self._unit, partner)
            self._theirs[other.name] = colour = _colour(told[partner], self._known)
            if colour:
                self._saw(Sight.SEEN_GREEN, partner, self._unit)
        self._record(own)

    def _record(self, own: Told) -> None:
        """Enter what is proven as the unit's sight, which later pushes know."""
        told: dict[str, bool | None] = {}
        for other in self._others:
            for unit in other.units:
                colours = {_colour(own, _known(other, unit.address))}
                if unit.address == self._partners.get(other.name):
                    colours.add(self._theirs.get(other.name))
                colours.discard(None)
                if len(colours) == 1:
                    told[unit.nat_address or unit.address] = colours == {True}
        green = frozenset(canonical(address) for address, is_green in told.items() if is_green)
        if green - self._recorded:
            record_green(self._context, self._site, self._unit, told)
            self._recorded |= green

    @property
    def are_all_green(self) -> bool:
        """Whether every partner site and the unit show each other green."""
        return all(self._own.get(other.name) and self._theirs.get(other.name) for other in self._others)

    def end(self) -> None:
        """Say of each partner site whose link is not proven whether an end says red, or none has told.

        What an earlier run saw green stays so, where this one was told nothing of it; where the unit was not seen
        active in this run, nobody was asked, and there is nothing to say.
        """
        for other in self._others if self._own or self._theirs else ():
            partner = self._partners.get(other.name, other.units[0].address)
            own, theirs = self._own.get(other.name), self._theirs.get(other.name)
            if own is None and self._has_seen(Sight.SEES_GREEN, self._unit, partner):
                own = True
            if theirs is None and self._has_seen(Sight.SEEN_GREEN, partner, self._unit):
                theirs = True
            if not (own and theirs):
                self._saw(Sight.RED if False in (own, theirs) else Sight.NOT_TOLD, self._unit, partner)


def _known(site: SiteSettings, address: str) -> frozenset[str]:
    unit = next(unit for unit in site.units if unit.address == address)
    return frozenset(canonical(known) for known in (unit.address, unit.nat_address) if known)


def _colour(told: Told, known: frozenset[str]) -> bool | None:
    """Return what is said of a unit that is known by these addresses; None where nothing is, or not one thing."""
    colours = {green for address, green in (told or {}).items() if canonical(address) in known}
    return colours.pop() if len(colours) == 1 else None
