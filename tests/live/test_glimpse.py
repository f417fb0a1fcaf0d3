"""What a glimpse at a pair tells, and where it leaves that to a look at everything."""

from __future__ import annotations

from geoplan.errors import UnitUnreachableError
from geoplan.live.findings.states import UnitState, unit_state
from geoplan.live.glimpse import glimpse
from geoplan.live.model import Observation, State
from geoplan.loadmaster.health import HealthAnswer
from geoplan.loadmaster.model import HaStatus
from geoplan.twin.loop import run_simulated
from tests.live.scripted import ScriptedUnit, fleet_of
from tests.status.made import DENIED, M1, PLAN, S1, changed, down, well

ACTIVE, STANDBY = HealthAnswer(State.ACTIVE, "200"), HealthAnswer(State.STANDBY, "503")
SILENT = HealthAnswer(State.DOWN, "refused")
SITE = PLAN.sites[0]
GONE = {"ha_status once": UnitUnreachableError(M1, "no answer", request_sent=False)}


def before(**fields: object) -> tuple[Observation, ...]:
    facts = well()
    for address, state, told in ((M1, State.ACTIVE, HaStatus.ACTIVE), (S1, State.STANDBY, HaStatus.STANDBY)):
        facts = changed(facts, address, by_health=state, ha_status=told, **fields)
    return facts.of_site(SITE.name)


def seen(
    pair: tuple[Observation, ...], master: ScriptedUnit, slave: ScriptedUnit
) -> dict[str, tuple[UnitState, str | None]] | None:
    found = run_simulated(glimpse(fleet_of(PLAN, {M1: master, S1: slave}), SITE, pair))
    return None if found is None else {unit.address: (unit_state(unit), unit.health) for unit in found}


def test_nothing_new_is_nothing() -> None:
    units = ScriptedUnit(M1, health_answer=ACTIVE), ScriptedUnit(S1, health_answer=STANDBY)
    assert seen(before(), *units) is None
    assert [unit.asked for unit in units] == [["health"], ["health"]]


def test_two_health_checks_tell_a_failover_without_a_call_of_the_api() -> None:
    units = ScriptedUnit(M1, health_answer=STANDBY), ScriptedUnit(S1, health_answer=ACTIVE)
    assert seen(before(), *units) == {M1: (UnitState.STANDBY, "503"), S1: (UnitState.ACTIVE, "200")}
    assert [unit.asked for unit in units] == [["health"], ["health"]]


def test_a_master_from_which_nothing_comes_is_down() -> None:
    units = ScriptedUnit(M1, GONE, health_answer=SILENT), ScriptedUnit(S1, health_answer=ACTIVE)
    assert seen(before(), *units) == {M1: (UnitState.DOWN, "refused"), S1: (UnitState.ACTIVE, "200")}


def test_a_silent_unit_that_may_be_up_is_left_to_a_look_at_everything() -> None:
    slave = ScriptedUnit(S1, health_answer=ACTIVE)
    up = ScriptedUnit(M1, health_answer=SILENT, ha_told=HaStatus.STANDBY)
    assert seen(before(), up, slave) == {}
    never_told = tuple(changed(well(), M1, by_health=State.ACTIVE).of_site(SITE.name))
    assert seen(never_told, ScriptedUnit(M1, GONE, health_answer=SILENT), slave) == {}


def test_a_unit_that_is_back_is_left_to_a_look_at_everything() -> None:
    was = changed(down(well(), M1), M1, by_health=State.DOWN)
    was = changed(was, S1, state=State.ACTIVE, by_health=State.ACTIVE)
    units = ScriptedUnit(M1, health_answer=ACTIVE), ScriptedUnit(S1, health_answer=STANDBY)
    assert seen(was.of_site(SITE.name), *units) == {}


def test_credentials_that_were_refused_are_not_forgotten() -> None:
    units = ScriptedUnit(M1, health_answer=STANDBY), ScriptedUnit(S1, health_answer=ACTIVE)
    found = run_simulated(
        glimpse(fleet_of(PLAN, dict(zip((M1, S1), units, strict=True))), SITE, before(failure=DENIED))
    )
    assert found is not None
    assert [unit.failure for unit in found] == [DENIED, DENIED]
