"""Units are a pair by the word of both; what one says alone takes no other from where it says that it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from geoplan import Topology
from geoplan.live.discover.pairs import pairs_of
from geoplan.live.findings.kinds import FindingKind, Severity
from geoplan.live.model import Cause, Failure, HaFacts, Observation, State
from geoplan.loadmaster.model import HaStatus
from tests.live.discover.estates import changed, found, imported, units_of

M1, S1, M2, S2, A, B = "10.0.1.1", "10.0.1.2", "10.0.2.1", "10.0.2.2", "10.0.3.1", "10.0.4.1"
ESTATE: dict[str, Any] = {
    "sites": [
        {"name": "One", "ha_pair": {"master": M1, "slave": S1}},
        {"name": "Two", "ha_pair": {"master": M2, "slave": S2}},
        {"name": "Three", "standalone": A},
        {"name": "Four", "standalone": B},
    ]
}
STRANGER, NOBODY = "10.0.6.6", "172.31.9.9"
DOWN = Failure(Cause.UNREACHABLE, "is down")


def estate() -> dict[str, Observation]:
    return units_of(Topology.model_validate(ESTATE))


def ha(partner: str | None, mode: Any, *addresses: str) -> HaFacts:
    return HaFacts(partner, 8444, prefers_master=True, mode=mode, partner_addresses=addresses)


def with_stranger(units: dict[str, Observation], partner: str, mode: str = "master") -> dict[str, Observation]:
    """Add a unit that says what a member of the group says, and that its HA partner is another."""
    everybody = tuple(units)
    told = replace(
        estate()[A],
        address=STRANGER,
        host_name="lb-66",
        ha=ha(partner, mode),
        ha_status=HaStatus.ACTIVE,
        state=State.ACTIVE,
        geo_partners=everybody,
        remote_geo_access=(*everybody, STRANGER),
        partner_status=dict.fromkeys(everybody, True),
    )
    return {**units, STRANGER: told}


def sites_of(units: dict[str, Observation]) -> set[tuple[str, ...]]:
    return {tuple(unit.address for unit in site.units) for site in imported(found(units)).topology.sites}


WHOLE = {(M1, S1), (M2, S2), (A,), (B,)}
SINGLE = ha("", "single")


@pytest.mark.parametrize("mode", ["master", "slave"])
@pytest.mark.parametrize(
    "own",
    [
        {"ha": SINGLE, "ha_status": HaStatus.NOT_CONFIGURED},
        {"ha": SINGLE},
        {"ha": None, "ha_status": HaStatus.NOT_CONFIGURED},
        {"ha": None},
        {"ha": ha("", "slave")},
        {"ha": ha("10.0.9.9", "slave")},
        {"failure": DOWN},
    ],
)
def test_a_claim_takes_no_unit_over(own: dict[str, Any], mode: str) -> None:
    units = with_stranger(changed(estate(), A, **own), A, mode)
    assert sites_of(units) == WHOLE | {(STRANGER,)}
    result = imported(found(units))
    (said,) = (
        each.finding
        for each in result.to_mend
        if each.finding.kind is FindingKind.PARTNER_MISMATCH and each.finding.units[0] == STRANGER
    )
    assert said.severity is Severity.BLOCKING
    assert said.units == (STRANGER, A)
    assert f"HA partner is {A}" in said.message
    assert not any(each.finding.commands for each in result.findings)
    assert not any(f"lacks {STRANGER}" in each.finding.message for each in result.findings)


def test_both_are_told_by_what_they_say() -> None:
    units = with_stranger(changed(estate(), A, ha=SINGLE, ha_status=HaStatus.NOT_CONFIGURED), A)
    (said, named) = [
        each.finding for each in imported(found(units)).to_mend if each.finding.kind is FindingKind.PARTNER_MISMATCH
    ]
    assert f"{A} says that its HA mode is single, that it has no HA partner and that HA is not configured" in (
        named.message if named.units[0] == STRANGER else said.message
    )
    assert {said.units, named.units} == {(STRANGER, A), (A, STRANGER)}


@given(claimed=st.sampled_from([M1, S1, M2, S2, A, B]), down=st.sets(st.sampled_from([M1, S1, M2, S2, A, B])))
def test_no_claim_of_a_stranger_changes_what_the_others_are(claimed: str, down: set[str]) -> None:
    assume(down | {claimed} != {M1, S1, M2, S2, A, B})  # else nobody is left to say anything else
    units = estate()
    for address in down:
        units = changed(units, address, failure=DOWN, ha=None, geo_partners=None, remote_geo_access=None, clusters=None)
    known = sites_of(units)
    after = sites_of(with_stranger(units, claimed))
    assert (STRANGER,) in after
    broken = {pair for pair in known if len(pair) > 1 and claimed in pair and claimed in down}
    assert after - {(STRANGER,)} == known - broken | {(unit,) for pair in broken for unit in pair}


def test_partner_that_was_not_asked_is_no_unit() -> None:
    units = changed(estate(), A, ha=ha(NOBODY, "master"), ha_status=HaStatus.ACTIVE, state=State.ACTIVE)
    assert sites_of(units) == WHOLE
    result = imported(found(units))
    (said,) = (each for each in result.to_mend if each.finding.kind is FindingKind.NOT_ASKED)
    assert f"--within {NOBODY}/32" in said.finding.hint
    assert said.loc == ("sites", 2)
    assert NOBODY in result.unconfirmed


@pytest.mark.parametrize("partner", ["", "nobody.example"])
def test_one_that_says_neither_yes_nor_no_is_in_a_pair_by_others_lists(partner: str) -> None:
    assert sites_of(changed(estate(), S1, ha=ha(partner, "slave"))) == WHOLE
    assert sites_of(changed(estate(), M1, ha=ha(partner, "master"))) == WHOLE


@pytest.mark.parametrize("partner", [M2, "10.0.1.99", "127.0.0.1"])
def test_one_that_names_another_is_in_no_pair(partner: str) -> None:
    alone = WHOLE - {(M1, S1)} | {(M1,), (S1,)}
    assert sites_of(changed(estate(), S1, ha=ha(partner, "slave"))) == alone
    assert sites_of(changed(estate(), S1, ha=ha("a.example", "slave", partner))) == alone


def test_anybody_can_take_a_name() -> None:
    """A partner by a name is not whoever calls itself so."""
    units = estate()
    units = changed(units, M1, ha=ha("lb-66", "master"))
    del units[S1]
    assert sites_of(with_stranger(units, M1, "slave")) == WHOLE - {(M1, S1)} | {(M1,), (STRANGER,)}


def test_pair_that_somebody_has_planned_is_one_although_one_unit_is_new() -> None:
    units = found(changed(estate(), S1, ha=SINGLE, ha_status=HaStatus.NOT_CONFIGURED))
    assert M1 not in pairs_of(units, {}).of
    assert pairs_of(units, {M1: {M1, S1}, S1: {M1, S1}}).of[M1] == S1
