"""One round of reads: what fails on a unit is a fact about it, and stops no other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import pytest

from geoplan.errors import (
    AuthenticationError,
    NotAskedError,
    UnitRefusedError,
    UnitUnreachableError,
    UnusableAnswerError,
)
from geoplan.live.findings.kinds import FindingKind, Severity
from geoplan.live.findings.states import UnitState
from geoplan.live.fleet import Fleet
from geoplan.live.model import Cause, Observations, State
from geoplan.live.survey import observe_for_preflight, observe_for_status, observe_for_verify
from geoplan.loadmaster.health import HealthAnswer
from geoplan.loadmaster.model import HaStatus, UnitSettings
from geoplan.plan.model import SiteSettings
from tests.live.scripted import ScriptedUnit, fleet_of
from tests.status.made import A1, M1, M2, PLAN, S1, S2, status_of


def observed(scripts: Mapping[str, Mapping[str, Exception | None]]) -> tuple[Observations, dict[str, ScriptedUnit]]:
    addresses = [unit.address for site in PLAN.sites for unit in site.units]
    units = {address: ScriptedUnit(address, scripts.get(address, {})) for address in addresses}
    return asyncio.run(observe_for_status(fleet_of(PLAN, units), unit_seconds=0.05)), units


Observer = Callable[[Fleet], Coroutine[Any, Any, Observations]]


def addresses(site: SiteSettings) -> list[str]:
    return [unit.address for unit in site.units]


def observed_by(
    observe: Observer,
    health: HealthAnswer,
    told: Mapping[str, HaStatus],
    scripts: Mapping[str, Mapping[str, Exception | None]] | None = None,
) -> Observations:
    scripts = scripts or {}
    units = {
        address: ScriptedUnit(
            address, scripts.get(address, {}), health_answer=health, ha_told=told.get(address, HaStatus.ACTIVE)
        )
        for site in PLAN.sites
        for address in addresses(site)
    }
    return asyncio.run(observe(fleet_of(PLAN, units)))


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


@pytest.mark.parametrize("question", ["geo_partners", "partner_status", "clusters", "geo_enabled", "settings"])
@pytest.mark.parametrize("address", [M1, A1])
def test_single_read_that_gets_no_answer_is_not_told_and_its_unit_is_up(question: str, address: str) -> None:
    facts, _ = observed({address: {question: None}})
    states = {unit.address: unit.state for site in status_of(facts).sites for unit in site.units}

    unit = facts.units[address]
    assert (unit.failure, unit.firmware) == (None, "7.2.59.4")
    assert unit.unanswered == (() if question == "settings" else (question,))  # each is then asked by itself
    assert states[address] is (UnitState.ACTIVE if address == M1 else UnitState.ALONE)


@pytest.mark.parametrize("address", [M1, A1])
def test_read_whose_connection_is_dropped_is_not_told_and_its_unit_is_up(address: str) -> None:
    facts, _ = observed(
        {address: {"clusters": UnitUnreachableError(address, "the connection ended", request_sent=True)}}
    )
    assert (facts.units[address].failure, facts.units[address].unanswered) == (None, ("clusters",))


def test_unit_that_answers_nothing_more_is_not_waited_for_question_by_question() -> None:
    silent = dict.fromkeys(["geo_enabled", "ssh_access", "remote_geo_access", "geo_partners", "clusters"])
    facts, units = observed({A1: silent})
    assert set(facts.units[A1].unanswered) >= {*silent, "partner_status"}
    assert units[A1].asked == ["settings", "firmware", "geo_enabled", "ssh_access"]


def test_unit_without_a_first_answer_is_down() -> None:
    facts, _ = observed({A1: {"settings": None, "firmware": None}})
    states = {unit.address: unit.state for site in status_of(facts).sites for unit in site.units}
    failure = facts.units[A1].failure
    assert failure is not None
    assert failure.cause is Cause.UNREACHABLE
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


def test_what_one_call_tells_is_not_asked_again_and_what_it_leaves_out_is() -> None:
    told = UnitSettings(firmware="7.2.59.4", ssh_access=True, geo_partners=(A1,))
    units = {address: ScriptedUnit(address, told_at_once=told) for site in PLAN.sites for address in addresses(site)}
    facts = asyncio.run(observe_for_status(fleet_of(PLAN, units), unit_seconds=5))

    assert facts.units[A1].geo_partners == (A1,)
    assert facts.units[A1].remote_geo_access == (), "an empty list is what a get of its own says, and nothing else"
    assert {"firmware", "ssh_access", "geo_partners"}.isdisjoint(units[A1].asked)
    assert "remote_geo_access" in units[A1].asked


OBSERVERS = (observe_for_status, observe_for_verify, observe_for_preflight)


@pytest.mark.parametrize("observe", OBSERVERS)
@pytest.mark.parametrize("health", [HealthAnswer(State.DOWN, "timeout"), HealthAnswer(State.UNKNOWN, "404")])
def test_silent_health_check_leaves_it_to_the_api_who_is_active(observe: Observer, health: HealthAnswer) -> None:
    facts = observed_by(observe, health, {M1: HaStatus.ACTIVE, S1: HaStatus.STANDBY})
    assert (facts.units[M1].state, facts.units[S1].state) == (State.ACTIVE, State.STANDBY)
    assert facts.active(facts.units[M1].site) is facts.units[M1]
    assert facts.units[M1].geo_partners == ()


@pytest.mark.parametrize("observe", OBSERVERS)
@pytest.mark.parametrize("told", [HaStatus.STANDBY, HaStatus.PASSIVE, HaStatus.NOT_CONFIGURED])
def test_unit_that_is_told_in_two_ways_is_neither(observe: Observer, told: HaStatus) -> None:
    facts = observed_by(observe, HealthAnswer(State.ACTIVE, "200"), {M1: told, S1: HaStatus.STANDBY})
    assert facts.units[M1].state is State.CONTRADICTORY
    assert facts.active(facts.units[M1].site) is None


@pytest.mark.parametrize("observe", OBSERVERS)
def test_standby_by_its_api_alone_has_not_refused_explicitly(observe: Observer) -> None:
    """An explicit refusal needs the health check's 503 in the same look."""
    refusal = UnitRefusedError(S1, "not active", code=422, answer="not active")
    facts = observed_by(
        observe, HealthAnswer(State.DOWN, "timeout"), {M1: HaStatus.ACTIVE, S1: HaStatus.STANDBY},
        {S1: {"geo_partners": refusal}},
    )  # fmt: skip
    assert facts.units[S1].refused == ()
    assert not facts.units[S1].refuses_reads


def test_units_that_were_not_asked_for_refused_credentials_are_counted() -> None:
    others = (S1, M2, S2, A1)
    not_asked: dict[str, dict[str, Exception | None]] = {each: {"settings": NotAskedError(each, M1)} for each in others}
    facts, units = observed({M1: {"settings": AuthenticationError(M1, "refused")}, **not_asked})
    told = [found for found in status_of(facts).findings if found.kind is FindingKind.UNAUTHORIZED]
    assert [found.units for found in told] == [(M1,), tuple(address for address in facts.units if address in others)]
    assert told[1].message.startswith(f"{len(others)} units not asked: {M1} ")
    assert all(units[each].asked.count("firmware") == 0 for each in others)


@pytest.mark.parametrize("observe", [observe_for_status, observe_for_preflight, observe_for_verify])
def test_units_of_other_sites_than_those_that_are_looked_at_are_not_asked(observe: Observer) -> None:
    units = {address: ScriptedUnit(address) for site in PLAN.sites for address in addresses(site)}
    whole = fleet_of(PLAN, units)
    own = {address: whole.units[address] for address in (M2, S2)}  # of the others there is not even an access
    fleet = Fleet(PLAN, own, whole.clock, whole.timings, only=frozenset({"HA Pair 2"}))
    facts = asyncio.run(observe(fleet))

    assert set(facts.units) == {M2, S2}
    assert [site.name for site in facts.asked(PLAN)] == ["HA Pair 2"]
    assert {address for address, unit in units.items() if unit.asked} == {M2, S2}
