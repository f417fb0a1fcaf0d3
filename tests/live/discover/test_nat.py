"""A NAT address is written where it is shown; else it is said, and not guessed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from geoplan import Topology
from geoplan.live.findings.kinds import FindingKind
from geoplan.live.model import Observation
from tests.live.discover.estates import changed, found, imported, units_of

M, S, A, B = "10.0.1.1", "10.0.1.2", "10.0.2.1", "10.0.3.1"
NAT_A, NAT_M, NAT_S = "203.0.113.2", "203.0.113.7", "203.0.113.5"
STANDALONE: dict[str, Any] = {
    "sites": [
        {"name": "One", "ha_pair": {"master": M, "slave": S}},
        {"name": "Two", "standalone": {"address": A, "nat_address": NAT_A}},
        {"name": "Three", "standalone": B},
    ]
}
PAIR: dict[str, Any] = {
    "sites": [
        {
            "name": "One",
            "ha_pair": {"master": {"address": M, "nat_address": NAT_M}, "slave": {"address": S, "nat_address": NAT_S}},
        },
        {"name": "Two", "standalone": A},
    ]
}


def units(document: dict[str, Any]) -> dict[str, Observation]:
    return units_of(Topology.model_validate(document))


def nat_of(observed: dict[str, Observation]) -> dict[str, str]:
    sites = imported(found(observed)).topology.sites
    return {unit.address: unit.nat_address for site in sites for unit in site.units if unit.nat_address}


def is_said(observed: dict[str, Observation]) -> bool:
    return FindingKind.NAT_UNCLEAR in {each.finding.kind for each in imported(found(observed)).to_mend}


def test_unit_that_all_partners_name_by_one_other_address() -> None:
    assert nat_of(units(STANDALONE)) == {A: NAT_A}
    assert imported(found(units(STANDALONE))).unconfirmed == {}


def test_units_of_a_pair_are_told_apart_by_the_cluster() -> None:
    """The order of the addresses tells nothing: the master has the higher one here."""
    assert nat_of(units(PAIR)) == {M: NAT_M, S: NAT_S}


@pytest.mark.parametrize("colour", [None, False])
def test_address_that_nobody_sees_green_is_said_and_not_written(colour: bool | None) -> None:
    """A unit that has got another address looks the same: its partners still name the old one."""
    observed = units(STANDALONE)
    for address in (M, B):
        observed = changed(
            observed, address, partner_status={**(observed[address].partner_status or {}), NAT_A: colour}
        )
    assert nat_of(observed) == {}
    assert is_said(observed)
    assert set(imported(found(observed)).unconfirmed) == {NAT_A}


def test_address_without_a_cluster_is_said_and_not_written() -> None:
    observed = {
        address: replace(unit, clusters=tuple(each for each in unit.clusters or () if each.address != NAT_A))
        for address, unit in units(STANDALONE).items()
    }
    assert nat_of(observed) == {}
    assert is_said(observed)


def test_unit_that_one_partner_names_by_its_own_address_is_behind_no_nat() -> None:
    observed = units(STANDALONE)
    observed = changed(observed, B, geo_partners=(M, S, A))
    assert nat_of(observed) == {}


def test_two_sites_that_it_may_be_have_it_neither() -> None:
    document = {"sites": [*STANDALONE["sites"], {"name": "Four", "standalone": "10.0.4.1"}]}
    observed = units(document)
    for address in (M, S, B):
        kept = tuple(each for each in observed[address].geo_partners or () if each != "10.0.4.1")
        observed = changed(observed, address, geo_partners=kept)
    observed = changed(observed, "10.0.4.1", geo_partners=(M, S, B))
    observed = changed(observed, A, geo_partners=(M, S, B))
    assert nat_of(observed) == {}


def test_nobody_shows_its_own_nat_address() -> None:
    """It may say whatever it likes of an address that its partners name, and that is somebody else's."""
    observed = units(STANDALONE)
    for address in (M, B):
        told = observed[address]
        observed = changed(observed, address, partner_status={**(told.partner_status or {}), NAT_A: None})
    own = {**(observed[A].partner_status or {}), NAT_A: True}
    assert nat_of(changed(observed, A, partner_status=own)) == {}
    observed = units(STANDALONE)
    for address in (M, S, B):
        kept = tuple(each for each in observed[address].clusters or () if each.address != NAT_A)
        observed = changed(observed, address, clusters=kept)
    assert nat_of(observed) == {}
