"""HA parameters against the plan: what a push sets, what it leaves to a person, and what is lost by forming a pair."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoplan.live.findings.compare import Kind, Mend, verify
from geoplan.live.findings.pairs import drifts, sites_to_form
from geoplan.live.model import ClusterType, GeoCluster, HaFacts, Observations, State
from geoplan.plan.model import Phase
from geoplan.push.options import Options
from geoplan.push.preflight import PreflightInput, PreflightResult, check
from tests.push.observations import changed, in_place, plan_of, untouched
from tests.push.support import M1, M2, S1

PLAN = plan_of(phases=list(Phase))
UNSET = HaFacts(partner="", health_check_port=0, mode="single", prefers_master=True)
FINE = in_place(PLAN)


def fresh_pair(facts: Observations, *addresses: str, **fields: Any) -> Observations:
    """Return the facts with these units by themselves: no HA, and no health check."""
    own: dict[str, Any] = {
        "state": State.DOWN,
        "ha": UNSET,
        "clusters": (),
        "fqdns": (),
        "partner_status": {},
        **fields,
    }
    return changed(facts, *addresses, **own)


FRESH = fresh_pair(untouched(PLAN), M1, S1)


def verdict(facts: Observations, **options: Any) -> PreflightResult:
    return check(PLAN, facts, PreflightInput(Options(**options), 18, datetime(2026, 1, 1, tzinfo=UTC)))


def problems(facts: Observations, **options: Any) -> list[str]:
    return [str(problem) for problem in verdict(facts, **options).problems]


def test_pairs_in_place_are_not_formed_again() -> None:
    assert verdict(FINE) == PreflightResult((), (), (), ())
    assert verify(PLAN, FINE).is_in_place


def test_single_units_are_formed_although_none_answers_its_health_check() -> None:
    found = verdict(FRESH)

    assert found.problems == ()
    assert found.forms == ("HA Pair 1",)
    assert "HA Pair 1" in found.reboots


def test_geo_alone_says_that_single_units_are_no_pair_and_nothing_that_follows_from_it() -> None:
    plan = plan_of(phases=[Phase.GEO])
    background = PreflightInput(Options(), 18, datetime(2026, 1, 1, tzinfo=UTC))
    fresh = fresh_pair(untouched(plan), M1, S1, ha=replace(UNSET, prefers_master=False))

    found = check(plan, fresh, background).problems
    assert [(problem.where, problem.message) for problem in found] == [
        ("HA Pair 1", f"No HA is set up: {M1} and {S1} are in HA mode single, and each serves for itself"),
    ]
    assert [problem.hint for problem in found] == ["set HA up:"]
    assert [problem.commands for problem in found] == [("geoplan push TOPOLOGY --phase ha",)]


def test_a_unit_whose_api_answers_is_not_called_down() -> None:
    deaf = changed(FINE, S1, state=State.DOWN, ha=HaFacts(M1, 9000, prefers_master=True, mode="slave"))
    silent = changed(FINE, M1, S1, state=State.DOWN)

    assert any(f"{S1} (slave) is up, but does not answer its health check" in problem for problem in problems(deaf))
    (unknown,) = [found.message for found in verify(PLAN, silent).differences if found.subject == "active unit"]
    assert unknown.count("is up, but does not answer its health check") == 2
    (none,) = [
        found.message for found in verify(PLAN, FRESH).differences if found.site == "HA Pair 1" and not found.unit
    ]
    assert none.count("is in HA mode single") == 2


def test_what_an_interrupted_push_left_is_completed() -> None:
    half = changed(FRESH, M1, ha=replace(UNSET, mode="master"))

    assert problems(half) == []
    assert sites_to_form(PLAN, half) == {"HA Pair 1"}


@pytest.mark.parametrize(
    ("ha", "words"),
    [
        (HaFacts(S1, 8444, True, "slave"), "its HA mode is slave, where master is planned"),
        (HaFacts("172.24.1.99", 8444, True, "master"), "its partner is 172.24.1.99, where 172.24.1.6 is planned"),
        (HaFacts(S1, 9000, True, "master"), "its health check port is 9000, where 8444 is planned"),
        (HaFacts(S1, 8444, False, "master"), "its Switch to Preferred Server is No Preferred Host"),
    ],
)
def test_a_pair_at_work_is_not_changed_behind_its_back(ha: HaFacts, words: str) -> None:
    (problem,) = problems(changed(FINE, M1, ha=ha))
    assert problem.startswith(f"{M1}: {words}")


def test_a_slave_that_prefers_otherwise_than_its_master_is_left_as_it_is() -> None:
    otherwise = changed(FINE, S1, ha=HaFacts(M1, 8444, prefers_master=False, mode="slave"))

    assert problems(otherwise) == []
    assert [(found.unit, found.mends) for found in verify(PLAN, otherwise).differences] == [(S1, Mend.LEFT)]


def test_all_interfaces_alone_are_left_as_they_are_on_a_pair_at_work() -> None:
    open_everywhere = changed(FINE, M1, ha=HaFacts(S1, 8444, prefers_master=True, mode="master", all_interfaces=True))

    assert problems(open_everywhere) == []
    (difference,) = verify(PLAN, open_everywhere).differences
    assert (difference.kind, difference.unit, difference.subject) == (Kind.DIFFERENT, M1, "ha_parameters")
    assert difference.mends is Mend.LEFT


def test_a_unit_that_does_not_tell_its_parameters_cannot_be_given_any() -> None:
    (problem,) = problems(changed(FINE, M1, ha=None))
    assert "it does not tell its HA parameters" in problem
    assert "--phase geo" in problem


def test_what_the_slave_alone_has_needs_a_word_before_it_is_lost() -> None:
    cluster = GeoCluster("10.9.9.9", "of the slave", ClusterType.DEFAULT)
    alone = changed(FRESH, S1, clusters=(cluster,), fqdns=("shop.example.com",))
    (problem,) = problems(alone)

    assert problem.startswith(S1)
    assert "would lose the cluster 'of the slave'; the FQDN shop.example.com" in problem
    assert "--accept-geo-merge" in problem
    assert problems(alone, accept_geo_merge=True) == []


def test_what_stands_against_geo_on_the_new_pairs_is_found_before_they_are_formed() -> None:
    other = changed(FRESH, M1, remote_geo_access=("172.24.1.99",))
    found = problems(other)

    assert any("which the plan would remove" in problem for problem in found)


def test_units_that_differ_in_firmware_are_not_made_a_pair() -> None:
    assert any("different firmware" in problem for problem in problems(changed(FRESH, S1, firmware="7.2.48.3")))


def test_diff_tells_what_is_unset_from_what_differs() -> None:
    spoilt = changed(FINE, M2, ha=HaFacts("", 9000, prefers_master=True, mode="master"))
    found = {difference.values[0]: difference.kind for difference in verify(PLAN, spoilt).differences}

    assert found == {"partner": Kind.MISSING, "health check port": Kind.DIFFERENT}


@pytest.mark.parametrize("untold", ["clusters", "fqdns", "geo_partners"])
@pytest.mark.parametrize("unit", [M1, S1])
def test_a_pair_is_not_formed_of_units_that_do_not_tell_what_they_would_lose(untold: str, unit: str) -> None:
    facts = changed(FRESH, unit, **{untold: None})
    found = verdict(facts).problems
    assert any(problem.where == unit and "may lose" in problem.message for problem in found)
    forgiving = verdict(facts, accept_geo_merge=True).problems
    assert not any("may lose" in problem.message for problem in forgiving)


def test_what_a_slave_would_lose_counts_whatever_its_health_check_says() -> None:
    precious = (GeoCluster("10.9.9.9", "precious", ClusterType.DEFAULT),)
    for state in (State.DOWN, State.UNKNOWN):
        facts = changed(FRESH, S1, state=state, clusters=precious)
        found = verdict(facts).problems
        assert any("would lose the cluster 'precious'" in problem.message for problem in found)


def test_a_pair_at_work_is_none_that_a_push_forms_though_a_look_missed_its_partner() -> None:
    ha = HaFacts(M1, 8444, prefers_master=True, mode="slave", all_interfaces=True)
    assert verdict(changed(FINE, S1, state=State.DOWN, ha=ha)).forms == ()


modes = st.sampled_from(["master", "slave", "single", None])
facts_of_ha = st.builds(
    HaFacts,
    partner=st.sampled_from([None, "", M1, S1, "172.24.1.99"]),
    health_check_port=st.sampled_from([None, 0, 8444, 9000]),
    prefers_master=st.sampled_from([None, True, False]),
    mode=modes,
    all_interfaces=st.sampled_from([None, True, False]),
)


@given(facts_of_ha, facts_of_ha)
def test_a_push_is_only_clear_where_it_can_never_make_two_units_alike(master: HaFacts, slave: HaFacts) -> None:
    facts = changed(changed(FRESH, M1, ha=master), S1, ha=slave)
    if verdict(facts).is_clear:
        assert master.mode in ("master", "single")
        assert slave.mode in ("slave", "single")


@given(facts_of_ha)
def test_nothing_deviates_once_everything_is_set(before: HaFacts) -> None:
    wanted = PLAN.ha_pair("HA Pair 1").master
    after = replace(
        before,
        mode="master",
        partner=wanted.partner,
        health_check_port=wanted.health_check_port,
        prefers_master=True,
        all_interfaces=False,
    )

    assert list(drifts(after, wanted)) == []
