"""From some units to all that belong to them: in rounds, and nothing is sent to an address that nobody has allowed."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from geoplan.addresses import canonical, is_address
from geoplan.concurrency import DEFAULT_AT_ONCE, ask_each
from geoplan.live.model import REMOTE_LM
from geoplan.live.survey import observe_unplaced
from geoplan.topology.types import is_unit_address

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from geoplan.live.model import Observation
    from geoplan.live.unit import Unit

MAX_UNITS = 400
"""Units that are asked: eleven groups of the largest size."""
MAX_ROUNDS = 40
"""One round finds all units of a group, or the next ones of a chain."""
MAX_NAMED = 200
"""Addresses of one list that are looked at; the largest group has 36 units."""


class How(StrEnum):
    """As what a unit names an address."""

    HA_PARTNER = "HA partner"
    GEO_PARTNER = "GEO partner"
    CLUSTER = "cluster"
    ACCESS = "access list"


@dataclass(frozen=True, slots=True)
class Naming:
    """That a unit names an address."""

    by: str
    """The address of the unit that names it."""
    how: How


Named: TypeAlias = "Mapping[str, tuple[Naming, ...]]"
"""Addresses, each with those that name it."""
Clients: TypeAlias = "Callable[[Sequence[str]], AbstractAsyncContextManager[Mapping[str, Unit]]]"
"""Has the clients of some addresses while its block lasts."""
Allowed: TypeAlias = "Callable[[Named], Collection[str]]"
"""Returns which newly found addresses may be asked: credentials are sent to these."""


@dataclass(frozen=True)
class Discovery:
    """All units that were asked, and all addresses that these name."""

    units: Mapping[str, Observation]
    """By their addresses in one spelling, in the order in which they were found."""
    named: Named = field(default_factory=dict)
    """What they name, units that were asked among it, in one spelling."""
    too_many: tuple[str, ...] = ()
    """The units with a list of which only a part was looked at."""
    unusable: Named = field(default_factory=dict)
    """What they name that no unit can have as its address, as they write it."""
    was_cut: bool = False
    """Whether there were more units, or more rounds, than are asked."""

    @property
    def not_asked(self) -> Named:
        """The addresses that are named, and were not asked."""
        return {address: namings for address, namings in self.named.items() if address not in self.units}


async def discover(
    clients: Clients, addresses: Sequence[str], allowed: Allowed, *, jobs: int = DEFAULT_AT_ONCE
) -> Discovery:
    """Ask units, and then those that they name as far as these are allowed, until nothing new is.

    ``allowed`` is asked once for each new address, first for those that some unit has as its HA partner, its GEO
    partner or a cluster. What stands in access lists alone may be anybody's, and comes once there is no other.
    """
    found: dict[str, Observation] = {}
    offered: set[tuple[str, bool]] = set()
    waiting = list({canonical(address): address for address in reversed(addresses)}.values())[::-1]
    was_cut = False
    for _round in range(MAX_ROUNDS):
        room = MAX_UNITS - len(found)
        was_cut = was_cut or len(waiting) > room
        async with clients(waiting[:room]) as units:
            read = await ask_each(units.values(), observe_unplaced, asyncio.Semaphore(jobs))
        found |= {canonical(unit.address): unit for unit in read}
        waiting = _next(found, allowed, offered)
        if not waiting or len(found) >= MAX_UNITS:
            break
    named, too_many, unusable = named_by(found)
    return Discovery(found, named, too_many, unusable, was_cut or bool(waiting))


def belongs(namings: Sequence[Naming]) -> bool:
    """Return whether an address is named as more than one that has access."""
    return any(naming.how is not How.ACCESS for naming in namings)


def is_linked_alone(namings: Sequence[Naming]) -> bool:
    """Return whether an address belongs to them, and nobody has it as its HA partner, by its own address."""
    return belongs(namings) and all(naming.how is not How.HA_PARTNER for naming in namings)


def _next(found: Mapping[str, Observation], allowed: Allowed, offered: set[tuple[str, bool]]) -> list[str]:
    """Return what is to be asked next; nothing is offered twice for the same reason."""
    named, _, _ = named_by(found)
    new = {address: namings for address, namings in named.items() if address not in found}
    for wanted in (True, False):
        offer = {
            address: namings
            for address, namings in new.items()
            if belongs(namings) is wanted and (address, wanted) not in offered
        }
        if not offer:
            continue
        offered |= {(address, wanted) for address in offer}
        chosen = set(map(canonical, allowed(offer)))
        if accepted := [address for address in offer if address in chosen]:
            return accepted
    return []


def named_by(found: Mapping[str, Observation]) -> tuple[Named, tuple[str, ...], Named]:
    """Return what units name, the units that name too much, and what can be no unit's address."""
    named: defaultdict[str, dict[Naming, None]] = defaultdict(dict)
    unusable: defaultdict[str, dict[Naming, None]] = defaultdict(dict)
    too_many: dict[str, None] = {}
    for unit in found.values():
        for how, addresses in _namings(unit).items():
            if len(addresses) > MAX_NAMED:
                too_many[unit.address] = None
            for address in islice(addresses, MAX_NAMED):
                is_usable = is_address(address) and is_unit_address(canonical(address))
                into, key = (named, canonical(address)) if is_usable else (unusable, address)
                into[key][Naming(unit.address, how)] = None
    return _frozen(named), tuple(too_many), _frozen(unusable)


def _frozen(named: Mapping[str, Mapping[Naming, None]]) -> Named:
    return {address: tuple(namings) for address, namings in named.items()}


def _namings(unit: Observation) -> dict[How, tuple[str, ...]]:
    """Return the addresses that a unit names."""
    clusters = tuple(cluster.address for cluster in unit.clusters or () if cluster.type is REMOTE_LM)
    return {
        How.HA_PARTNER: tuple(_ha_partners(unit)),
        How.GEO_PARTNER: unit.geo_partners or (),
        How.CLUSTER: clusters,
        How.ACCESS: unit.remote_geo_access or (),
    }


def _ha_partners(unit: Observation) -> Iterator[str]:
    partner = unit.ha.partner if unit.ha else None
    if partner and is_address(partner):
        yield partner
    elif partner and unit.ha:  # by a name, which this machine may know
        yield from unit.ha.partner_addresses[:1]
