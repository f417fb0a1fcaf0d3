"""The fingerprints of many units at once, compared with those that are already known."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import reduce
from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.concurrency import DEFAULT_AT_ONCE, ask_each
from geoplan.errors import UnitUnreachableError
from geoplan.loadmaster.connection import require_one_api_each
from geoplan.loadmaster.endpoints import Endpoints, UnitEndpoint
from geoplan.loadmaster.tls import fetch_fingerprint
from geoplan.topology.api import apis_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from geoplan.topology.model import Topology, Unit


class PinState(StrEnum):
    """What a unit's fingerprint is to what is known of it."""

    NEW = "new"
    UNCHANGED = "unchanged"
    CHANGED = "changed"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class PinnedUnit:
    """One unit with the fingerprint that it presents and the one that is known."""

    address: str
    api: str
    presented: str | None
    known: str | None
    error: str | None = None
    hint: str | None = None
    """What to do about the error."""

    @property
    def state(self) -> PinState:
        """What the two are to each other."""
        if self.presented is None:
            return PinState.UNREACHABLE
        if self.known is None:
            return PinState.NEW
        return PinState.UNCHANGED if self.presented == self.known else PinState.CHANGED

    def __str__(self) -> str:
        head = f"{self.address}  {self.api}  {self.state}"
        if self.state is PinState.CHANGED:
            return f"{head}\n    known      {self.known}\n    presented  {self.presented}"
        hint = f"\n    hint: {self.hint}" if self.hint else ""
        return f"{head}\n    {self.presented or self.error}{hint}"

    def as_dict(self) -> dict[str, str | None]:
        """Return it as JSON holds it."""
        return {
            "address": self.address,
            "api": self.api,
            "state": self.state.value,
            "fingerprint": self.presented,
            "known": self.known,
            "error": self.error,
            "hint": self.hint,
        }


async def fetch_pins(
    topology: Topology, *known: Endpoints, timeout_seconds: float = 10.0, jobs: int = DEFAULT_AT_ONCE
) -> list[PinnedUnit]:
    """Ask all units of a topology for their fingerprints, so many at once; returns them in order of declaration.

    A fingerprint has to be that of every file which knows one; URLs are taken from the first which knows them.
    Raises :class:`geoplan.errors.NotInLabError` where the first that names units is a lab's without all of these, and
    :class:`geoplan.errors.UnusableFileError` where two units have one URL.
    """
    all_known = reduce(joined, known, Endpoints())
    all_known.require_all_of(topology)

    units = [unit for site in topology.sites for unit in site.units]
    usual = apis_of(topology)
    apis = {unit.address: all_known.unit(unit.address).reached(usual[unit.address]) for unit in units}
    require_one_api_each({address: api.url for address, api in apis.items()})

    async def fetch(unit: Unit) -> PinnedUnit:
        api = apis[unit.address]
        endpoints = [file.unit(unit.address) for file in known]
        pins = [endpoint.fingerprint for endpoint in endpoints if endpoint.fingerprint]
        try:
            presented = await fetch_fingerprint(
                unit.address, api.url, timeout_seconds=timeout_seconds, port_source=api.source
            )
        except UnitUnreachableError as error:
            return PinnedUnit(unit.address, api.url, None, next(iter(pins), None), error.reason, error.hint)
        other = next((pin for pin in pins if pin != presented), None)
        return PinnedUnit(unit.address, api.url, presented, other or next(iter(pins), None))

    return await ask_each(units, fetch, asyncio.Semaphore(jobs))


def at_several_addresses(fingerprints: Mapping[str, str | None]) -> list[tuple[str, ...]]:
    """Return the addresses of each fingerprint that several have: one unit may answer at all of these."""
    holders: dict[str, list[str]] = {}
    for address, fingerprint in fingerprints.items():
        if fingerprint is not None:
            holders.setdefault(fingerprint, []).append(address)
    return [tuple(addresses) for addresses in holders.values() if len(addresses) > 1]


def with_pins(known: Endpoints, units: Sequence[PinnedUnit]) -> Endpoints:
    """Return what is known with the fingerprints of those units that presented one."""
    merged = dict(known.units)
    spelled = {canonical(address): address for address in merged}
    for unit in units:
        if unit.presented is not None:
            address = spelled.get(canonical(unit.address), unit.address)
            merged[address] = replace(merged.get(address, UnitEndpoint()), fingerprint=unit.presented)
    return Endpoints(merged, known.control)


def joined(first: Endpoints, second: Endpoints) -> Endpoints:
    """Return two files as one; what the first says goes before what the second says.

    It is a lab's only where the first is, or names no unit: units of the network never become those of a lab.
    """
    merged = dict(first.units)
    spelled = {canonical(address): address for address in merged}
    for address, other in second.units.items():
        known = spelled.get(canonical(address), address)
        own = merged.get(known, UnitEndpoint())
        merged[known] = UnitEndpoint(
            own.api or other.api, own.health or other.health, own.fingerprint or other.fingerprint
        )
    return Endpoints(merged, first.control if first.units or first.control else second.control)
