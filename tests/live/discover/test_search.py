"""Rounds of asking: nothing goes to an address that was not given or allowed, and there is an end to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import pytest

from geoplan.live.discover import search
from geoplan.live.discover.search import Discovery, How, Named, discover
from geoplan.live.unit import Unit
from tests.live.scripted import ScriptedUnit


@dataclass
class Network:
    """Units by their partners; notes who was asked, and what was offered."""

    partners: Mapping[str, tuple[str, ...]]
    access: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    refused: Collection[str] = ()
    rounds: list[list[str]] = field(default_factory=list)
    offers: list[Named] = field(default_factory=list)

    @asynccontextmanager
    async def clients(self, addresses: Sequence[str]) -> AsyncIterator[Mapping[str, Unit]]:
        self.rounds.append(list(addresses))
        units = {
            each: _Unit(each, entered=self.partners.get(each, ()), access=self.access.get(each, ()))
            for each in addresses
        }
        yield cast("Mapping[str, Unit]", units)

    def allowed(self, named: Named) -> Collection[str]:
        self.offers.append(named)
        return [address for address in named if address not in self.refused]

    def search(self, *addresses: str) -> Discovery:
        return asyncio.run(discover(self.clients, addresses, self.allowed))


@dataclass
class _Unit(ScriptedUnit):
    access: tuple[str, ...] = ()

    async def remote_geo_access(self) -> tuple[str, ...]:
        return self.access


A, B, C, D = "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"


def test_a_chain_is_followed_to_its_end() -> None:
    network = Network({A: (B,), B: (C, A), C: (D,)})
    found = network.search(A)
    assert network.rounds == [[A], [B], [C], [D]]
    assert list(found.units) == [A, B, C, D]
    assert found.not_asked == {}


def test_what_is_not_allowed_is_not_asked_and_offered_once() -> None:
    network = Network({A: (B, C), B: (C,)}, refused={C})
    found = network.search(A)
    assert network.rounds == [[A], [B]]
    assert [set(offer) for offer in network.offers] == [{B, C}]
    assert [(each.by, each.how) for each in found.not_asked[C]] == [(A, How.GEO_PARTNER), (B, How.GEO_PARTNER)]


def test_what_has_access_alone_comes_last() -> None:
    """It may be somebody else's unit, which refuses these credentials."""
    network = Network({A: (B,), B: (A,)}, access={A: (A, B, D), B: (C,)})
    network.search(A)
    assert network.rounds == [[A], [B], [D, C]]


def test_who_had_access_alone_and_is_a_partner_as_well_is_offered_again() -> None:
    network = Network({A: (), B: (C,)}, access={A: (C, B)}, refused={C})
    network.search(A)
    assert [set(offer) for offer in network.offers] == [{B, C}, {C}]


def test_one_unit_in_two_spellings_is_asked_once() -> None:
    network = Network({"2001:db8::1": ("2001:DB8:0::1", "2001:DB8::2"), "2001:db8::2": ("2001:db8:0:0::2",)})
    network.search("2001:db8::1", "2001:DB8::1")
    assert network.rounds == [["2001:db8::1"], ["2001:db8::2"]]


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "169.254.169.254", "lb.example", "::1", "::ffff:10.0.0.9"])  # noqa: S104
def test_no_unit_leads_to_an_address_that_no_unit_can_have(address: str) -> None:
    network = Network({A: (address,)})
    found = network.search(A)
    assert network.rounds == [[A]]
    assert list(found.unusable) == [address]
    assert found.named == {}


def test_only_a_part_of_very_many_is_looked_at() -> None:
    many = tuple(f"10.1.{n // 250}.{n % 250}" for n in range(9000))
    network = Network({A: many})
    found = network.search(A)
    assert found.too_many == (A,)
    assert len(found.units) == 1 + search.MAX_NAMED


class Endless(dict[str, tuple[str, ...]]):
    """Partners of any unit: so many that come next."""

    def __init__(self, width: int) -> None:
        self.width = width

    def get(self, key: str, _default: object = None) -> tuple[str, ...]:
        first = int(key.rpartition(".")[2]) + 256 * int(key.split(".")[2]) + 1
        return tuple(f"10.0.{n // 256}.{n % 256}" for n in range(first, first + self.width))


@pytest.mark.parametrize(("width", "units"), [(1, search.MAX_ROUNDS), (100, search.MAX_UNITS)])
def test_there_is_an_end_where_each_unit_names_ever_more(width: int, units: int) -> None:
    network = Network(Endless(width))
    found = network.search(A)
    assert found.was_cut
    assert len(network.rounds) <= search.MAX_ROUNDS
    assert len(found.units) == units
