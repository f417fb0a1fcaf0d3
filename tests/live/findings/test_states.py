"""What the states of a pair mean together, one fault at a time: who it is about, and what to do next."""

from __future__ import annotations

from datetime import timedelta

import pytest

from geoplan.live.findings.kinds import FindingKind, Severity
from geoplan.live.findings.states import UnitState
from geoplan.live.model import Cause, Failure, Observations, State
from geoplan.status.state_changes import Sightings
from geoplan.wording import local_time
from tests.status.made import (
    A1,
    AT,
    M1,
    M2,
    PLAN,
    S1,
    S2,
    changed,
    down,
    failed_over,
    findings_of,
    only,
    status_of,
    unit_states,
    well,
    with_ha,
)

NO_PREFERENCE = PLAN.model_copy(
    update={"sites": tuple(s.model_copy(update={"preferred_host": "none"}) if s.units[1:] else s for s in PLAN.sites)}
)


def without_preference(facts: Observations) -> Observations:
    for address in (M1, S1, M2, S2):
        facts = with_ha(facts, address, prefers_master=False)
    return facts


def test_failed_over_pair_is_said_as_such_and_is_unusual_under_prefer_master() -> None:
    finding = only(failed_over(well()))

    assert finding.kind is FindingKind.FAILED_OVER
    assert finding.sites == ("HA Pair 1",)
    assert f"the slave {S1} is active at present; the master {M1} is its standby" in finding.message
    assert "Under Prefer Master that is unusual" in finding.message
    assert finding.commands == ("geoplan status TOPOLOGY --watch",)
    assert finding.severity is Severity.MENDING


def test_failed_over_pair_without_a_preferred_host_stays_so_and_that_is_no_problem() -> None:
    facts = without_preference(failed_over(well()))
    status = status_of(facts, NO_PREFERENCE)

    assert status.is_well
    (finding,) = status.findings
    assert finding.severity is Severity.KNOWING
    assert "It stays so (No Preferred Host)" in finding.message
    assert status.sites[0].failed_over
    assert status.sites[0].active == S1


@pytest.mark.parametrize(("prefers", "back"), [(True, "It goes back by itself"), (False, "It stays with the slave")])
def test_slave_that_took_over_from_a_master_that_is_down(prefers: bool, back: str) -> None:
    facts = with_ha(down(failed_over(well()), M1), S1, prefers_master=prefers)
    plan = PLAN if prefers else NO_PREFERENCE
    found = findings_of(facts if prefers else without_preference_but(facts, M1), plan)

    assert found[FindingKind.UNIT_DOWN][0].units == (M1,)
    assert back in found[FindingKind.FAILED_OVER][0].message


def without_preference_but(facts: Observations, *silent: str) -> Observations:
    for address in {M1, S1, M2, S2} - set(silent):
        facts = with_ha(facts, address, prefers_master=False)
    return facts


def test_who_watched_knows_since_when() -> None:
    sightings = Sightings()
    first = sightings.look(well(), AT)
    since = sightings.look(failed_over(well()), AT + timedelta(seconds=5))
    again = sightings.look(failed_over(well()), AT + timedelta(seconds=10))
    status = status_of(failed_over(well()), since=again)

    assert first == {}
    assert since == again == {M1: AT + timedelta(seconds=5), S1: AT + timedelta(seconds=5)}
    assert f"active since {local_time(AT + timedelta(seconds=5))}" in status.findings[0].message


# -- states that do not go together ------------------------------------------------------------------------------------


def test_both_units_active() -> None:
    facts = changed(well(), S1, state=State.ACTIVE)
    finding = only(facts)

    assert finding.kind is FindingKind.BOTH_ACTIVE
    assert finding.units == (M1, S1)
    assert "both answer 200" in finding.message
    assert "6973" in finding.hint
    assert status_of(facts).sites[0].active is None


def test_both_units_standby_is_none_active() -> None:
    finding = only(changed(well(), M1, state=State.STANDBY))

    assert finding.kind is FindingKind.NONE_ACTIVE
    assert "both answer 503" in finding.message
    assert "look again" in finding.hint


def test_standby_whose_partner_is_down_is_none_active() -> None:
    found = findings_of(down(well(), M1))

    assert found[FindingKind.UNIT_DOWN][0].units == (M1,)
    assert f"the slave {S1} is standby, and the master {M1} is down" in found[FindingKind.NONE_ACTIVE][0].message


def test_standby_that_is_down_leaves_the_pair_without_one() -> None:
    finding = only(down(well(), S1))

    assert finding.kind is FindingKind.UNIT_DOWN
    assert finding.units == (S1,)
    assert "Its pair has no standby" in finding.message


def test_pair_that_is_down_is_said_once() -> None:
    finding = only(down(down(well(), M1), S1))

    assert finding.kind is FindingKind.PAIR_DOWN
    assert finding.units == (M1, S1)


def test_standalone_that_is_down() -> None:
    finding = only(down(well(), A1))

    assert finding.kind is FindingKind.UNIT_DOWN
    assert "connection refused" in finding.message


def test_silent_health_check_of_a_unit_that_is_up_is_unconnected() -> None:
    facts = changed(well(), S1, state=State.DOWN)
    finding = only(facts)

    assert unit_states(facts)[S1] is UnitState.UNCONNECTED
    assert finding.kind is FindingKind.UNCONNECTED
    assert f"nothing answers on the health check port 8444 of the slave {S1} (refused)" in finding.message.lower()
    assert "Slave Unconnected" in finding.message
    assert "a look of geoplan's included" in finding.hint


def test_health_check_that_answers_something_else() -> None:
    finding = only(changed(well(), S1, state=State.UNKNOWN))

    assert finding.kind is FindingKind.HEALTH_UNCLEAR
    assert "404" in finding.message
    assert "6.2.1" in finding.hint


# -- HA parameters -----------------------------------------------------------------------------------------------------


# -- units that cannot be read -----------------------------------------------------------------------------------------


# -- GEO ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("units", [(A1,), (M1,), (M1, S1)], ids=["standalone", "unit of a pair", "pair"])
def test_units_that_are_down_are_told_with_the_ports_of_their_apis(units: tuple[str, ...]) -> None:
    facts = well()
    for address in units:
        reason = f"cannot connect to https://{address}:8443 (port 8443, the default of a pair with aws)"
        failure = Failure(Cause.UNREACHABLE, reason, "if its API is on another port, write api_port: PORT on its site")
        facts = changed(down(facts, address), address, failure=failure)

    told = " ".join(f"{finding.message} {finding.hint}" for finding in status_of(facts).findings)

    assert all(f"https://{address}:8443 (port 8443" in told for address in units)
    assert told.count("write api_port: PORT on its site") == 1
