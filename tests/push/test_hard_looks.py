"""What a single look, word or moment must not decide."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from geoplan.live.findings.compare import Kind, verify
from geoplan.live.links import KnownLinks
from geoplan.live.model import ClusterType, GeoCluster, Observations, State
from geoplan.plan.model import Phase
from geoplan.plan.planner import make_plan
from geoplan.push.boots import is_another_boot, room_at
from geoplan.push.options import Options
from geoplan.push.preflight import PreflightInput, check
from geoplan.topology.loader import load_topology
from tests.conftest import TOPOLOGIES
from tests.push.observations import changed, in_place
from tests.push.support import M1, M2, S1, S2
from tests.push.test_ha import FRESH, PLAN

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
GEO_PLAN = make_plan(load_topology(TOPOLOGIES / "section-5.2.yaml"), [Phase.GEO])
FINE = in_place(GEO_PLAN)
SIGHTS = {S1: frozenset({M2, S2}), S2: frozenset({M1, S1})}


def red_on(facts: Observations, unit: str, *partners: str) -> Observations:
    status = {**(facts.units[unit].partner_status or {}), **dict.fromkeys(partners, False)}
    return changed(facts, unit, partner_status=status)


def test_a_standby_is_not_red_by_nature_where_another_one_is_shown_green() -> None:
    facts = red_on(FINE, M2, S1)
    assert [found.kind for found in verify(GEO_PLAN, facts, KnownLinks(SIGHTS)).differences] == [Kind.RED]


def test_a_standby_is_not_red_by_nature_once_it_was_shown_green_as_the_standby() -> None:
    facts = red_on(red_on(FINE, M2, S1), M1, S2)
    assert verify(GEO_PLAN, facts, KnownLinks(SIGHTS)).is_in_place
    known = KnownLinks(SIGHTS, green_standbys=frozenset({S1}))
    assert [found.unit for found in verify(GEO_PLAN, facts, known).differences] == [M2]


@pytest.mark.parametrize("untold", ["clusters", "fqdns", "geo_partners"])
@pytest.mark.parametrize("unit", [M1, S1])
def test_a_pair_is_not_formed_of_units_that_do_not_tell_what_they_would_lose(untold: str, unit: str) -> None:
    facts = changed(FRESH, unit, **{untold: None})
    found = check(PLAN, facts, PreflightInput(Options(), 18, NOW)).problems
    assert any(problem.where == unit and "may lose" in problem.message for problem in found)
    forgiving = check(PLAN, facts, PreflightInput(Options(accept_geo_merge=True), 18, NOW)).problems
    assert not any("may lose" in problem.message for problem in forgiving)


def test_what_a_slave_would_lose_counts_whatever_its_health_check_says() -> None:
    precious = (GeoCluster("10.9.9.9", "precious", ClusterType.DEFAULT),)
    for state in (State.DOWN, State.UNKNOWN):
        facts = changed(FRESH, S1, state=state, clusters=precious)
        found = check(PLAN, facts, PreflightInput(Options(), 18, NOW)).problems
        assert any("would lose the cluster 'precious'" in problem.message for problem in found)


@pytest.mark.parametrize(
    ("known", "now", "differ"),
    [
        ("1767139200", "1767139201", False),
        ("1767139200", "1767139300", True),
        ("Thu Jan  1 00:00:00 2026", "2026-01-01T00:00:03Z", False),
        ("Thu Jan  1 00:00:00 2026", "2026-01-01T00:10:00Z", True),
        ("12345", "12399", False),  # the time since the boot
        ("up 3 days", "up 4 days", False),
    ],
)
def test_boot_times_are_of_two_boots_only_where_moments_are_apart(known: str, now: str, differ: bool) -> None:
    assert is_another_boot(known, now) is differ


def test_moments_of_a_clock_that_ran_far_ahead_block_no_reboot() -> None:
    days = [NOW + timedelta(days=number) for number in (300, 301, 302)]
    assert room_at(days, NOW) is None
    soon = [NOW + timedelta(minutes=number) for number in (60, 61, 62)]
    assert room_at(soon, NOW) is not None
    assert room_at(soon, NOW, booted=NOW - timedelta(hours=1)) is None


def test_a_pair_at_work_is_none_that_a_push_forms_though_a_look_missed_its_partner() -> None:
    missed = changed(in_place(PLAN), S1, state=State.DOWN, ha=replace(in_place(PLAN).units[S1].ha, all_interfaces=True))  # type: ignore[type-var]
    assert check(PLAN, missed, PreflightInput(Options(), 18, NOW)).forms == ()
