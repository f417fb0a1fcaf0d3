"""Who is active, by health check and API: what both say, what one says, and where they do not agree."""

from __future__ import annotations

import asyncio
from itertools import product

import pytest

from geoplan.errors import AuthenticationError, UnitError, UnitRefusedError, UnitUnreachableError
from geoplan.live.activity import Look, Way, look_at, may_be_at_work, said, way_of
from geoplan.live.fleet import only_active
from geoplan.loadmaster.health import HealthAnswer
from geoplan.loadmaster.model import HaStatus, State
from tests.live.scripted import ScriptedUnit

ROLES = (State.ACTIVE, State.STANDBY)
SILENT = (State.DOWN, State.UNKNOWN)
TOLD = (None, *HaStatus)
AGREEING = {State.ACTIVE: HaStatus.ACTIVE, State.STANDBY: HaStatus.STANDBY}


@pytest.mark.parametrize(("health", "told"), list(product((*ROLES, *SILENT), TOLD)))
def test_active_is_only_who_one_way_says_so_and_none_denies(health: State, told: HaStatus | None) -> None:
    look = Look(health, told)
    for role in ROLES:
        witnesses = (health is role) + (told is AGREEING[role])
        denials = (health in ROLES and health is not role) + (told is not None and told is not AGREEING[role])
        assert (look.state is role) == (witnesses > 0 and denials == 0)
    if told is None:
        assert look.state is health, "not told stays not told"
    assert (look.way is Way.BOTH) == (health in ROLES and told is not None)


@pytest.mark.parametrize("told", [HaStatus.PASSIVE, HaStatus.NOT_CONFIGURED, None])
@pytest.mark.parametrize("health", SILENT)
def test_unit_that_is_in_no_pair_is_neither_active_nor_standby(health: State, told: HaStatus | None) -> None:
    assert Look(health, told).state is health


def test_nobody_is_the_active_one_beside_a_unit_that_may_be_it() -> None:
    assert only_active({"a": State.ACTIVE, "b": State.STANDBY}) == "a"
    assert only_active({"a": State.ACTIVE, "b": State.CONTRADICTORY}) is None


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        ([Look(State.ACTIVE), Look(State.STANDBY)], True),
        ([Look(State.DOWN, HaStatus.ACTIVE), Look(State.DOWN, HaStatus.STANDBY)], True),
        ([Look(State.ACTIVE, HaStatus.NOT_CONFIGURED), Look(State.STANDBY, HaStatus.NOT_CONFIGURED)], True),
        ([Look(State.ACTIVE, HaStatus.STANDBY), Look(State.DOWN)], True),
        ([Look(State.ACTIVE), Look(State.DOWN, HaStatus.STANDBY)], True),
        ([Look(State.ACTIVE, HaStatus.NOT_CONFIGURED), Look(State.ACTIVE, HaStatus.NOT_CONFIGURED)], False),
        ([Look(State.DOWN, HaStatus.NOT_CONFIGURED), Look(State.DOWN, HaStatus.NOT_CONFIGURED)], False),
        ([Look(State.DOWN), Look(State.DOWN)], False),
    ],
)
def test_one_witness_is_enough_for_a_pair_to_be_left_alone(looks: list[Look], expected: bool) -> None:
    assert may_be_at_work(looks) is expected


def test_words_name_what_was_seen_by_which_way() -> None:
    looks = {"a": Look(State.STANDBY, HaStatus.ACTIVE), "b": Look(State.DOWN, HaStatus.ACTIVE), "c": Look(State.ACTIVE)}
    assert said(looks) == (
        "a is contradictory (standby by its health check, 'Active' by its API), b is active by its API, c is active"
    )
    assert way_of([Look(State.ACTIVE, HaStatus.ACTIVE)]) == ""
    assert way_of([Look(State.DOWN, HaStatus.ACTIVE)]) == "by API alone"


ERRORS = [
    UnitUnreachableError("a", "no answer", request_sent=True),
    UnitRefusedError("a", "no", code=422, answer="no"),
    AuthenticationError("a", "no"),
    None,
]


@pytest.mark.parametrize("error", ERRORS)
def test_api_that_fails_or_hangs_leaves_it_to_the_health_check(error: UnitError | None) -> None:
    unit = ScriptedUnit("a", {"ha_status once": error}, health_answer=HealthAnswer(State.STANDBY, "503"))
    assert asyncio.run(look_at(unit, seconds=0.01)) == Look(State.STANDBY)  # type: ignore[arg-type]
