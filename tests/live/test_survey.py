"""One round of reads: what fails on a unit is a fact about it, and stops no other."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from geoplan.errors import AuthenticationError, UnitRefusedError, UnitUnreachableError, UnusableAnswerError
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
