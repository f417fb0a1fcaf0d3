"""The links between the units of partner sites: what each end says of them, and what proves them.

A link belongs to two units. The active unit of each site is asked for its partners; of a standby only others can tell.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from geoplan.addresses import canonical
from geoplan.live.model import State
from geoplan.vendor import SHARED_SECRET

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from geoplan.live.model import Observation, Observations
    from geoplan.plan.model import Plan, PlannedUnit, SiteSettings

Sights: TypeAlias = "Mapping[str, frozenset[str]]"

NO_SIGHTS: Sights = MappingProxyType({})
"""Of each unit, by its canonical address, the partners that it saw green while it was active, likewise."""


class Colour(StrEnum):
    """What a unit says of one of its planned partners."""

    GREEN = "green"
    RED = "red"
    NOT_TOLD = "not told"
    """Its answer leaves this partner out, has an unknown word for it, or could not be read at all."""


@dataclass(frozen=True, slots=True)
class Link:
    """One planned partner of one unit."""

    site: str
    unit: str
    """Its own address."""
    partner_site: str
    partner: str
    """The partner's own address."""
    colour: Colour
    """What the unit says of it; of two standbys, red where an active unit says so of one of them without a reason."""
    is_proven: bool
    """Whether one end says green of the other, or was seen to say so while it was active; and neither says red."""
    is_asked: bool = True
    """Whether the unit was asked. Two standbys are not: their link follows from what the active units say of both."""
    is_red_by_nature: bool = False
    """Whether it is red only because the partner is the standby: while it was active it saw this unit green."""
    is_unseen: bool = False
    """Whether the partner is a slave that submitted it in its turn, and nobody could tell what came of that."""

    are_secrets_apart: bool = False
    """Whether its ends may have different Partner Shared Secrets."""

    @property
    def is_red(self) -> bool:
        """Whether it is red, and that is not explained."""
        return self.is_asked and self.colour is Colour.RED and not self.is_red_by_nature


class GivenSecrets(NamedTuple):
    """What a setting of the Partner Shared Secret that has not come to its end has left; addresses are canonical."""

    given: frozenset[str]
    """The units that may have it, whichever try gave it to them."""
    alike: frozenset[str]
    """Those of them that have it for certain, all the same one."""

    def may_be_apart(self, one: str, other: str) -> bool:
        """Return whether two units may have different secrets."""
        ends = {canonical(one), canonical(other)}
        return not ends.isdisjoint(self.given) and not ends <= self.alike

    def how_to_repair(self, site: SiteSettings) -> str:
        """Return what mends a pair that does not have one active unit: another secret on each may have parted it."""
        if site.kind == "ha_pair" and self.may_be_apart(*(unit.address for unit in site.units)):
            return f"its units may have different {SHARED_SECRET}s: set that of all units, with geoplan push --secret"
        return "repair the pair first"


SAME_SECRETS = GivenSecrets(frozenset(), frozenset())


@dataclass(frozen=True, slots=True)
class KnownLinks:
    """What earlier looks are known to have seen of links, as journals hold it; all addresses are canonical."""

    sights: Sights = field(default_factory=lambda: NO_SIGHTS)
    """Of each unit the partners that it saw green while it was active: they prove what active units do not tell."""
    owed: Sights = field(default_factory=lambda: NO_SIGHTS)
    """Of each slave the partners that it submitted to, or has yet to, and never was seen to have a link with."""
    unseen: Sights = field(default_factory=lambda: NO_SIGHTS)
    """Of each slave the partners that it submitted to in its turn, and was seen neither green nor red with since."""
    green_standbys: frozenset[str] = frozenset()
    """The units that others saw green as standbys since they last submitted: these are not red by nature."""
    secrets: GivenSecrets = SAME_SECRETS


NOTHING_KNOWN = KnownLinks()


def links_of(plan: Plan, facts: Observations, known: KnownLinks = NOTHING_KNOWN) -> dict[str, tuple[Link, ...]]:
    """Return, by groups, of each unit that was asked the link to each planned partner, and those between standbys.

    Links are in the order of the plan's sites.
    """
    return {group.name: tuple(_Group(plan, group.sites, facts, known).links()) for group in plan.groups}


def standbys_shown_green(plan: Plan, facts: Observations) -> dict[str, tuple[str, ...]]:
    """Return the standbys that active units show green, each with those units, by their own addresses."""
    found: dict[str, list[str]] = {}
    for links in links_of(plan, facts).values():
        for link in links:
            partner = facts.unit(link.partner)
            if link.is_asked and link.colour is Colour.GREEN and partner and partner.state is State.STANDBY:
                found.setdefault(link.partner, []).append(link.unit)
    return {standby: tuple(units) for standby, units in found.items()}


class _End:
    """A unit as one end of links."""

    def __init__(self, site: SiteSettings, planned: PlannedUnit, facts: Observation | None, *, is_asked: bool) -> None:
        self.site = site.name
        self.address = planned.address
        self.known = frozenset(canonical(known) for known in (planned.address, planned.nat_address) if known)
        self.state = facts.state if facts else None
        self.is_asked = is_asked
        self._told: dict[str, set[bool | None]] = {}
        for address, green in ((facts.partner_status or {}) if facts and is_asked else {}).items():
            self._told.setdefault(canonical(address), set()).add(green)

    def colour_of(self, other: _End) -> Colour:
        """Return what this unit says of another one, which it may know by two addresses."""
        told = {green for address in other.known for green in self._told.get(address, ())}
        if told == {True}:
            return Colour.GREEN
        return Colour.RED if told == {False} else Colour.NOT_TOLD


class _Group:
    """The units of one group, each with what it tells and what it was seen to tell."""

    def __init__(self, plan: Plan, sites: Iterable[str], facts: Observations, known: KnownLinks) -> None:
        self._sights = known.sights
        self._owed = known.owed
        self._unseen = known.unseen
        self._secrets = known.secrets
        self._green_standbys = known.green_standbys
        self._ends: list[_End] = []
        for site in map(plan.site, sites):
            active = facts.active(site.name)
            for planned in site.units:
                unit = facts.unit(planned.address)
                is_asked = active is not None and active.failure is None and unit is active
                self._ends.append(_End(site, planned, unit, is_asked=is_asked))

        self._standbys = [end for end in self._ends if not end.is_asked and end.state is State.STANDBY]
        asked = [end for end in self._ends if end.is_asked]
        self._shows_standbys = any(
            end.colour_of(standby) is Colour.GREEN for end in asked for standby in self._standbys
        )
        """Whether any standby is shown green: then none is red by nature."""

    def links(self) -> Iterator[Link]:
        """Yield the links of the units that were asked, and of standbys those with other sites' standbys."""
        asked = [end for end in self._ends if end.is_asked]
        for end in asked:
            yield from (self._link(end, other) for other in self._ends if other.site != end.site)
        standbys = self._standbys
        red = {end.address for end in standbys if any(self._is_red(each, end) for each in asked)}
        shown = {end.address for end in standbys if self._is_shown_by_all(end, asked)}
        by_nature = {end.address for end in standbys if any(self._is_red_by_nature(each, end) for each in asked)}
        for one, other in combinations(standbys, 2):
            if one.site != other.site:
                ends = {one.address, other.address}
                colour = Colour.RED if ends & red else Colour.NOT_TOLD
                # Where standbys show red, no slave could ever see another pair's standby green.
                is_doubtful = not ends & by_nature and (self._owes(one, other) or self._owes(other, one))
                is_inferred = ends <= shown and not is_doubtful
                proven = is_inferred or self._saw(one, other) or self._saw(other, one)
                yield Link(one.site, one.address, other.site, other.address, colour, proven, is_asked=False)

    def _link(self, end: _End, other: _End) -> Link:
        colours = (end.colour_of(other), other.colour_of(end))
        seen = self._saw(end, other) or self._saw(other, end)
        by_nature = self._is_red_by_nature(end, other)
        is_red = self._is_red(end, other) or colours[1] is Colour.RED
        proven = not is_red and (Colour.GREEN in colours or seen)
        return Link(
            end.site,
            end.address,
            other.site,
            other.address,
            colours[0],
            proven,
            is_red_by_nature=by_nature,
            is_unseen=not end.known.isdisjoint(self._unseen.get(canonical(other.address), frozenset())),
            are_secrets_apart=self._secrets.may_be_apart(end.address, other.address),
        )

    def _is_red_by_nature(self, end: _End, other: _End) -> bool:
        is_red = end.colour_of(other) is Colour.RED
        is_standby = other.state is State.STANDBY and not self._shows_standbys
        return is_red and is_standby and canonical(other.address) not in self._green_standbys and self._saw(other, end)

    def _is_red(self, end: _End, other: _End) -> bool:
        return end.colour_of(other) is Colour.RED and not self._is_red_by_nature(end, other)

    def _is_shown_by_all(self, standby: _End, asked: Iterable[_End]) -> bool:
        """Return whether every active unit of the other sites says of a standby that their link is there.

        A standby that has links with them all has submitted its partners, so that it has those with standbys as well.
        """
        return all(
            end.colour_of(standby) is Colour.GREEN or self._is_red_by_nature(end, standby)
            for end in asked
            if end.site != standby.site
        )

    def _saw(self, end: _End, other: _End) -> bool:
        return not other.known.isdisjoint(self._sights.get(canonical(end.address), frozenset()))

    def _owes(self, end: _End, other: _End) -> bool:
        return not other.known.isdisjoint(self._owed.get(canonical(end.address), frozenset()))
