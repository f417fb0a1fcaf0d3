"""A change of firmware: what it brings each unit to, and what none may do (section 7)."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import Field

from geoplan.diagnostics import presentable
from geoplan.errors import UpgradeRefusedError
from geoplan.plan.base import FrozenModel
from geoplan.topology.types import FIRMWARE_VERSION
from geoplan.vendor import (
    LOWEST_AFTER_DOWNGRADE,
    STEPPING_STONE,
    Version,
    has_partner_secret,
    parse_version,
)
from geoplan.wording import join_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from geoplan.topology.model import Site

Direction = Literal["upgrade", "downgrade"]
LOWEST = ".".join(map(str, LOWEST_AFTER_DOWNGRADE))
STONE = ".".join(map(str, STEPPING_STONE[:3]))
# A version to go to: three or four numbers, or the whole of what a unit shows. 7.2.59.x is none.
ASKED_FOR = r"\d{1,9}(\.\d{1,9}){2,3}|\d{1,9}(\.\d{1,9}){4}(\.[A-Za-z]{1,20})?"
MOST_NAMED = 6  # units in one reason: whoever reads it needs to know which kind, not all of fifty


class UnitFirmware(FrozenModel):
    """What one unit runs before the first step."""

    address: str
    site: str
    present: str | None = Field(description="Its version; nothing where it is not known and need not be.")


class FirmwareChange(FrozenModel):
    """The version to which units are brought, and what they run before."""

    to: str
    direction: Direction | None = Field(description="Nothing where every unit runs the version already.")
    units: tuple[UnitFirmware, ...] = Field(description="Every unit of the sites that are brought to it.")
    others: tuple[UnitFirmware, ...] = Field(
        default=(), description="The units of the same groups that are left as they are."
    )

    @property
    def sites(self) -> tuple[str, ...]:
        """The sites that are brought to the version, in order of declaration."""
        return tuple(dict.fromkeys(unit.site for unit in self.units))

    @property
    def has_secret(self) -> bool:
        """Whether partners have to share a secret under the version."""
        return has_partner_secret(parse_version(self.to))

    def of_site(self, site: str) -> tuple[UnitFirmware, ...]:
        """Return the units of a site: master and slave, or the only one."""
        return tuple(unit for unit in self.units if unit.site == site)

    def is_due(self, unit: UnitFirmware) -> bool:
        """Return whether a unit does not run the version yet."""
        return unit.present is None or parse_version(unit.present) != parse_version(self.to)

    def due(self, site: str) -> tuple[UnitFirmware, ...]:
        """Return the units of a site that do not run the version yet."""
        return tuple(filter(self.is_due, self.of_site(site)))

    def crosses(self, unit: UnitFirmware) -> bool:
        """Return whether a unit has the secret on one side of the change only; not known counts as another side."""
        return unit.present is None or has_partner_secret(parse_version(unit.present)) != self.has_secret

    def crosses_at(self, site: str) -> bool:
        """Return whether a unit of a site gains the Partner Shared Secret, or loses it."""
        return any(map(self.crosses, self.of_site(site)))

    @property
    def crossing(self) -> tuple[UnitFirmware, ...]:
        """The units that gain the Partner Shared Secret, or lose it."""
        return tuple(filter(self.crosses, self.units))

    @property
    def cut_off(self) -> tuple[UnitFirmware, ...]:
        """The units left as they are that, as far as is known, are refused by those that cross, until they follow."""
        return tuple(filter(self.crosses, self.others)) if self.crossing else ()


class Problem(NamedTuple):
    """What blocks a change of firmware, and what to do about it."""

    reason: str
    hint: str


def require_version(to: str) -> None:
    """Raise :class:`geoplan.errors.UpgradeRefusedError` where the version asked for is not one."""
    if not re.fullmatch(ASKED_FOR, to):
        raise UpgradeRefusedError(
            f"'{presentable(to)}' is not a firmware version", hint="write it as the unit shows it, for example 7.2.59.4"
        )


def require_possible(sites: Sequence[Site], to: str, running: Mapping[str, str]) -> Direction | None:
    """Return whether the sites go up or down to a version, or None if all of their units run it.

    ``running`` has what units run by their addresses. Raises :class:`geoplan.errors.UpgradeRefusedError` with every
    reason against it.
    """
    require_version(to)
    problems = [*_unknown(sites, running), *_not_versions(sites, running)]
    if not problems:
        problems = [
            *_inaccessible(sites, to, running),
            *_past_the_stepping_stone(sites, to, running),
            *_both_ways_in_a_pair(sites, to, running),
        ]
        problems = problems or [*_both_ways(sites, to, running)]
    if problems:
        raise UpgradeRefusedError(
            f"the change to firmware {to} is refused, and nothing is planned:",
            [problem.reason for problem in problems],
            hint=problems[0].hint,
        )
    directions = {direction for site in sites for direction in _directions(site, to, running).values() if direction}
    return directions.pop() if directions else None


def is_version(text: str) -> bool:
    """Return whether a text is a firmware version, as units show it."""
    return re.fullmatch(FIRMWARE_VERSION, text) is not None


def becomes_inaccessible(present: Version, to: Version) -> bool:
    """Return whether a unit would be lost for good by this change (section 7)."""
    return to < LOWEST_AFTER_DOWNGRADE <= present


def _unknown(sites: Iterable[Site], running: Mapping[str, str]) -> Iterator[Problem]:
    missing = [unit.address for site in sites for unit in site.units if unit.address not in running]
    if missing:
        reason = f"the present firmware of {_named(missing)} is not known, so nothing tells upgrade from downgrade"
        yield Problem(reason, "write firmware: VERSION beside each unit's address, or ask the units with --live")


def _not_versions(sites: Iterable[Site], running: Mapping[str, str]) -> Iterator[Problem]:
    for site in sites:
        for unit in site.units:
            present = running.get(unit.address)
            if present is not None and not is_version(present):
                reason = f"{unit.address} says that it runs '{presentable(present)}', which is not a firmware version"
                yield Problem(reason, f"look at the home screen of {unit.address}, and write its version into the file")


def _inaccessible(sites: Iterable[Site], to: str, running: Mapping[str, str]) -> Iterator[Problem]:
    lost: dict[str, list[str]] = defaultdict(list)
    for site in sites:
        for unit in site.units:
            present = running[unit.address]
            if becomes_inaccessible(parse_version(present), parse_version(to)):
                lost[present].append(unit.address)
    for present, addresses in lost.items():
        reason = (
            f"{_named(addresses)}, on {present}, would become inaccessible and could not be recovered: no "
            f"unit on {LOWEST} or above may go below it (section 7)"
        )
        yield Problem(reason, f"the lowest version that these units can go to is {LOWEST}")


def _past_the_stepping_stone(sites: Iterable[Site], to: str, running: Mapping[str, str]) -> Iterator[Problem]:
    """Find units that would leave out the release that all older firmware has to go to first; its fixes count as it."""
    if parse_version(to)[:3] <= STEPPING_STONE[:3]:
        return
    units = [unit.address for site in sites for unit in site.units]
    if older := [address for address in units if parse_version(running[address]) < STEPPING_STONE]:
        reason = f"{_named(older)} would go past {STONE}: firmware before it goes to it first, then further"
        yield Problem(reason, f"bring these units to {STONE} or one of its fixes first, then to {to}")


def _both_ways_in_a_pair(sites: Iterable[Site], to: str, running: Mapping[str, str]) -> Iterator[Problem]:
    """Find pairs of which one unit would go up and the other down.

    Section 7 has a procedure for either, and none for both at once: a stop half-way would leave two versions paired
    of which neither is the one that is wanted everywhere.
    """
    for site in sites:
        ways = _directions(site, to, running)
        if set(ways.values()) == {"upgrade", "downgrade"}:
            shown = " and ".join(
                f"{address} would go {'up' if way == 'upgrade' else 'down'} from {running[address]}"
                for address, way in ways.items()
            )
            reason = (
                f"of '{presentable(site.name)}', {shown}: stopped half-way, that leaves a pair of mixed versions, and "
                "section 7 has no order for it"
            )
            versions = sorted({running[address] for address in ways}, key=parse_version)
            hint = f"bring that pair to one version first: --site '{site.name}' --to {versions[-1]}"
            yield Problem(reason, hint)


def _both_ways(sites: Iterable[Site], to: str, running: Mapping[str, str]) -> Iterator[Problem]:
    by_way: dict[Direction, list[str]] = defaultdict(list)
    for site in sites:
        for way in {way for way in _directions(site, to, running).values() if way}:
            by_way[way].append(f"'{presentable(site.name)}'")
    if len(by_way) > 1:
        reason = (
            f"{_named(by_way['upgrade'])} would go up and {_named(by_way['downgrade'])} down: an upgrade and a "
            "downgrade are two pieces of work (sections 7.1 and 7.2)"
        )
        yield Problem(reason, "do one after the other: name the sites of each with --site")


def _directions(site: Site, to: str, running: Mapping[str, str]) -> dict[str, Direction | None]:
    """Return by address which way each unit of a site would go; None for one that is there."""
    return {unit.address: _direction(running[unit.address], to) for unit in site.units}


def _direction(present: str, to: str) -> Direction | None:
    before, after = parse_version(present), parse_version(to)
    if before == after:
        return None
    return "upgrade" if before < after else "downgrade"


def _named(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    return f"{', '.join(names[:MOST_NAMED])} and {more} more" if more > 0 else join_words(names)
