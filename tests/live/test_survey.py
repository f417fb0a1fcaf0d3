"""One round of reads: what fails on a unit is a fact about it, and stops no other."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from geoplan.errors import AuthenticationError, UnitRefusedError, UnitUnreachableError, UnusableAnswerError
from geoplan.live.findings.kinds import FindingKind, Severity
from geoplan.live.findings.states import UnitState
from geoplan.live.model import Cause, Observations
from geoplan.live.survey import observe_for_status
from tests.live.scripted import ScriptedUnit, fleet_of
from tests.status.made import A1, M1, M2, PLAN, S1, S2, status_of


def observed(scripts: Mapping[str, Mapping[str, Exception | None]]) -> tuple[Observations, dict[str, ScriptedUnit]]:
    addresses = [unit.address for site in PLAN.sites for unit in site.units]
    units = {address: ScriptedUnit(address, scripts.get(address, {})) for address in addresses}
    return asyncio.run(observe_for_status(fleet_of(PLAN, units), unit_seconds=0.05)), units


def unreachable(address: str) -> UnitUnreachableError:
    return UnitUnreachableError(address, "connection refused", request_sent=False)


def test_every_unit_is_asked_and_failures_are_facts() -> None:
    facts, units = observed(
        {
            M1: {"firmware": unreachable(M1)},
            S1: {"firmware": AuthenticationError(S1, "it does not accept the credentials")},
            M2: {"clusters": UnusableAnswerError(M2, "its answer is not understood")},
            S2: {"ha": UnitRefusedError(S2, "refused", code=404, answer="Unknown command")},
        }
    )

    failures = {address: unit.failure and unit.failure.cause for address, unit in facts.units.items()}
    assert (failures[M1], failures[S1], failures[M2], failures[A1]) == (
        Cause.UNREACHABLE,
        Cause.UNAUTHORIZED,
        None,
        None,
    )
    assert facts.units[M2].unread == ("clusters",)
    assert facts.units[S2].unread == ("ha",)
    assert units[S1].asked.count("firmware") == 1
    assert "clusters" not in units[S1].asked


def test_standalone_is_not_asked_for_a_health_check() -> None:
    _, units = observed({})

    assert "health" not in units[A1].asked
    assert "ha" not in units[A1].asked
    assert "health" in units[M1].asked


def test_unit_that_falls_silent_keeps_what_it_has_said() -> None:
    facts, _ = observed({M1: {"geo_partners": None}, A1: {"firmware": None}})
    states = {unit.address: unit.state for site in status_of(facts).sites for unit in site.units}

    assert facts.units[M1].firmware == "7.2.59.4"
    failure = facts.units[M1].failure
    assert failure is not None
    assert "did not answer everything within" in failure.message
    assert states[M1] is UnitState.ACTIVE
    assert states[A1] is UnitState.DOWN


def partners_of(status: Mapping[str, bool | None], entered: tuple[str, ...]) -> Mapping[str, bool | None] | None:
    addresses = [unit.address for site in PLAN.sites for unit in site.units]
    units = {address: ScriptedUnit(address, status=status, entered=entered) for address in addresses}
    facts = asyncio.run(observe_for_status(fleet_of(PLAN, units), unit_seconds=5))
    assert ("partner_status" in facts.units[M1].unread) == (facts.units[M1].partner_status is None)
    return facts.units[M1].partner_status


@pytest.mark.parametrize("status", [{}, {"172.24.9.9": False}, {M1: False, S1: True}], ids=repr)
def test_status_that_names_no_planned_partner_is_not_told_where_partners_are_entered(
    status: dict[str, bool | None],
) -> None:
    assert partners_of(status, (M2, S2)) is None
    assert partners_of(status, ()) == status  # without partners there are none to tell of


@pytest.mark.parametrize("status", [{M2: None}, {M2: False, "172.24.9.9": True}], ids=repr)
def test_status_that_names_a_planned_partner_stays_as_it_is(status: dict[str, bool | None]) -> None:
    assert partners_of(status, (M2, S2)) == status


def test_partners_that_nobody_can_read_are_counted_as_unknown_and_are_never_red() -> None:
    addresses = [unit.address for site in PLAN.sites for unit in site.units]
    stranger, every = {"172.24.9.9": False}, tuple(addresses)
    units = {address: ScriptedUnit(address, status=stranger, entered=every) for address in addresses}
    status = status_of(asyncio.run(observe_for_status(fleet_of(PLAN, units), unit_seconds=5)))
    counts = [unit.partners for site in status.sites for unit in site.units if unit.partners]
    assert {count.good for count in counts} == {None}
    assert FindingKind.RED_PARTNER not in {finding.kind for finding in status.findings}


def test_setting_that_closes_apiv2_is_named_once_for_all_units() -> None:
    addresses = [unit.address for site in PLAN.sites for unit in site.units]
    units = {address: ScriptedUnit(address, wants_basic=address in (M1, A1)) for address in addresses}
    facts = asyncio.run(observe_for_status(fleet_of(PLAN, units), unit_seconds=5))
    (finding,) = [each for each in status_of(facts).findings if each.kind is FindingKind.LOGIN_SETTING]
    assert (finding.units, finding.severity) == ((M1, A1), Severity.KNOWING)
    assert "Session Management" in finding.hint
