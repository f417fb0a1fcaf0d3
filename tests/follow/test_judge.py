"""How each step stands, by units that say what a test has them say: any order of hands, and nothing by guess."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.follow.judge import advance, follow, ticked
from geoplan.follow.model import Look, Progress, StepState
from geoplan.live.model import ClusterType, GeoCluster, Observation, Observations, State
from geoplan.loadmaster.model import HaFacts
from geoplan.plan.model import Action, Phase, Plan
from geoplan.plan.pairs import HaParameters
from geoplan.plan.planner import make_plan
from geoplan.topology.loader import load_topology
from tests.conftest import TOPOLOGIES

PLAN = make_plan(load_topology(TOPOLOGIES / "section-5.4.yaml"), [Phase.GEO])
BOOT = 60.0
M1, S1, A1 = "172.24.1.5", "172.24.1.6", "172.24.1.9"
STATES = {"master": State.ACTIVE, "slave": State.STANDBY, "standalone": None}


def fresh(plan: Plan = PLAN) -> Observations:
    """Return units in which nobody has entered anything yet, all partners red."""
    units = {
        unit.address: Observation(
            unit.address, site.name, unit.role, state=STATES[unit.role], by_health=STATES[unit.role],
            boot_time="1700000000", change_time="1700000000", remote_geo_access=(), geo_partners=(), clusters=(),
            partner_status={},
        )
        for site in plan.sites
        for unit in site.units
    }  # fmt: skip
    return Observations(units)


def changed(facts: Observations, *addresses: str, **fields: Any) -> Observations:
    return Observations({**facts.units, **{each: replace(facts.units[each], **fields) for each in addresses}})


def with_lists(facts: Observations) -> Observations:
    """Return units with all lists of the plan entered and replicated, and no slave that has submitted."""
    for site in PLAN.sites:
        lists = {"remote_geo_access": site.remote_geo_access, "geo_partners": site.geo_partners}
        red = dict.fromkeys(site.geo_partners, False)
        facts = changed(facts, *(unit.address for unit in site.units), partner_status=red, **lists)
    return facts


def entered(facts: Observations, number: int) -> Observations:
    """Return units after a step that enters a list or a cluster."""
    step = PLAN.steps[number - 1]
    values = PLAN.values(step)
    units = [unit.address for unit in PLAN.site(step.on.site).units]
    match step.action:
        case Action.SET_REMOTE_GEO_ACCESS:
            return changed(facts, *units, remote_geo_access=values)
        case Action.SET_GEO_PARTNERS:
            return changed(facts, *units, geo_partners=values)
        case _:
            cluster = GeoCluster(values[0], values[1], ClusterType.REMOTE_LM)
            return changed(facts, units[0], clusters=(*(facts.units[units[0]].clusters or ()), cluster))


def run(*looks: Observations) -> Progress:
    return follow(PLAN, [Look(facts, 10.0 * number) for number, facts in enumerate(looks)], BOOT)


def state_of(progress: Progress, number: int) -> StepState:
    return progress.status(PLAN.steps[number - 1].id).state


ENTERING = [1, 2, 3, 4, 5, 6, 7, 8, 15, 16, 17, 18]


@settings(max_examples=40, deadline=None)
@given(st.permutations(ENTERING))
def test_any_order_of_hands_is_ticked_and_what_came_too_early_is_told(order: list[int]) -> None:
    facts = fresh()
    looks = [facts] + [facts := entered(facts, number) for number in order]
    progress = run(*looks)

    done = {step.number for step in PLAN.steps if progress.status(step.id).is_done}
    assert done == set(ENTERING)
    for step in PLAN.steps:
        direct = {PLAN_NUMBERS[each] for each in step.after}
        was_done = set(order[: order.index(step.number)]) if step.number in order else set()
        early = direct - was_done if step.number in order else set()
        assert set(progress.status(step.id).not_before) == early


PLAN_NUMBERS = {step.id: step.number for step in PLAN.steps}


@settings(max_examples=40, deadline=None)
@given(st.sets(st.sampled_from(ENTERING)), st.sets(st.sampled_from(sorted(fresh().units))))
def test_what_is_not_told_is_never_ticked(entered_steps: set[int], silent: set[str]) -> None:
    facts = fresh()
    for number in entered_steps:
        facts = entered(facts, number)
    untold = {"remote_geo_access": None, "geo_partners": None, "clusters": None, "partner_status": None}
    facts = changed(facts, *silent, **untold)
    progress = run(facts, facts)

    for step in PLAN.steps:
        if PLAN.site(step.on.site).units[0].address in silent:
            assert not progress.status(step.id).is_done


def test_what_is_done_wrong_is_told_with_what_stands_there() -> None:
    step = PLAN.steps[1]
    progress = run(fresh(), changed(fresh(), M1, geo_partners=(*PLAN.values(step)[1:], "10.9.9.9")))

    assert state_of(progress, 2) is StepState.WRONG
    said = progress.status(step.id).said
    assert f"lacks {PLAN.values(step)[0]}" in said
    assert "has 10.9.9.9, which the plan does not have" in said


def rebooting(facts: Observations) -> Observations:
    down = {"state": State.DOWN, "by_health": State.DOWN, "partner_status": None, "geo_partners": None}
    return changed(changed(facts, M1, **down), S1, state=State.ACTIVE, by_health=State.ACTIVE)


def green(facts: Observations, address: str) -> Observations:
    return changed(facts, address, partner_status=dict.fromkeys(facts.units[address].geo_partners or (), True))


def test_a_slave_whose_partners_turn_green_has_submitted() -> None:
    ready = with_lists(fresh())
    before = run(ready, rebooting(ready))
    after = run(ready, rebooting(ready), green(rebooting(ready), S1))

    assert [state_of(before, number) for number in (9, 10)] == [StepState.DONE, StepState.OPEN]
    assert ticked(PLAN, before, PLAN.steps[9].id)[1].startswith("step 10 ticks itself once it is seen: on ")
    assert state_of(after, 10) is StepState.DONE


def test_partners_that_were_green_before_prove_nothing_and_are_asked_about() -> None:
    ready = green(with_lists(fresh()), S1)
    progress = run(ready, rebooting(ready), green(rebooting(ready), S1))

    assert state_of(progress, 10) is StepState.ASKS


def test_a_partner_that_came_back_proves_no_submission() -> None:
    ready = green(with_lists(fresh()), S1)
    partner = {"state": State.DOWN, "by_health": State.DOWN}
    red = changed(changed(ready, "172.24.1.8", **partner), S1, partner_status={"172.24.1.8": False})
    progress = run(ready, red, ready, rebooting(ready), green(rebooting(ready), S1))

    assert state_of(progress, 10) is StepState.ASKS


PARTNERS_AT_WORK = ("172.24.1.8", A1, "172.24.1.10")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(PARTNERS_AT_WORK), min_size=3), st.booleans())
def test_partners_that_submit_themselves_tick_no_step_of_a_slave(hands: list[str], at_once: bool) -> None:
    ready = with_lists(fresh())
    facts = rebooting(ready)
    looks = [ready] if at_once else [ready, facts]
    for number, partner in enumerate((*hands, *PARTNERS_AT_WORK)):
        seen = {**(facts.units[S1].partner_status or {}), partner: True}
        facts = changed(changed(facts, partner, change_time=str(1700000100 + number)), S1, partner_status=seen)
        looks.append(facts)
    progress = run(*looks, facts)
    closed = run(*looks, facts, changed(changed(facts, M1, state=State.ACTIVE), S1, state=State.STANDBY))

    assert state_of(progress, 10) is StepState.ASKS
    assert "were changed themselves" in progress.status(PLAN.steps[9].id).said
    assert not ticked(PLAN, progress, PLAN.steps[9].id)[1]
    assert state_of(closed, 10) is not StepState.DONE


def test_one_partner_that_turns_green_and_was_not_changed_shows_the_submission() -> None:
    ready = with_lists(fresh())
    after = green(changed(rebooting(ready), *PARTNERS_AT_WORK[1:], change_time="1700000100"), S1)

    assert state_of(run(ready, rebooting(ready), after), 10) is StepState.DONE


def test_a_window_that_closes_without_a_submission_is_too_late_and_opens_again_with_a_reboot() -> None:
    ready = with_lists(fresh())
    late = run(ready, rebooting(ready), ready, ready)
    again = run(ready, rebooting(ready), ready, ready, rebooting(ready), green(rebooting(ready), S1))

    assert state_of(late, 10) is StepState.TOO_LATE
    assert ticked(PLAN, late, PLAN.steps[9].id)[1].startswith("step 10 cannot be ticked")
    assert state_of(again, 10) is StepState.DONE


def test_a_reboot_before_the_lists_does_not_count() -> None:
    progress = run(fresh(), rebooting(fresh()))

    assert state_of(progress, 9) is StepState.WRONG
    assert "too early" in progress.status(PLAN.steps[8].id).said


def test_a_submission_on_a_standalone_is_seen_by_its_change_time_alone() -> None:
    ready = with_lists(fresh())
    progress = run(ready)
    done = {step.id: replace(progress.status(step.id), state=StepState.DONE) for step in PLAN.steps[:12]}
    progress = replace(progress, steps={**progress.steps, **done})
    same = advance(PLAN, progress, Look(ready, 20.0), BOOT)
    moved = advance(PLAN, same, Look(changed(ready, A1, change_time="1700000099"), 30.0), BOOT)
    untold = advance(PLAN, same, Look(changed(ready, A1, change_time=None), 30.0), BOOT)
    cluster = GeoCluster("10.0.0.9", "elsewhere", ClusterType.REMOTE_LM)
    both = changed(ready, A1, change_time="1700000099", clusters=(cluster,))
    mixed = advance(PLAN, same, Look(both, 30.0), BOOT)
    later = advance(PLAN, mixed, Look(both, 40.0), BOOT)

    assert state_of(same, 13) is StepState.OPEN
    assert state_of(moved, 13) is StepState.DONE
    assert state_of(untold, 13) is StepState.ASKS
    assert [state_of(each, 13) for each in (mixed, later)] == [StepState.ASKS] * 2  # a guess is no sight


def due(*numbers: int, looks: int = 1, facts: Observations | None = None) -> Progress:
    """Return what is known once all steps before the first of these are done."""
    progress = run(*[facts or with_lists(fresh())] * looks)
    done = {step.id: replace(progress.status(step.id), state=StepState.DONE) for step in PLAN.steps[: min(numbers) - 1]}
    return replace(progress, steps={**progress.steps, **done})


def unrelated(what: str, number: int) -> dict[str, Any]:
    """Return what another change leaves on a unit, each time another one."""
    match what:
        case "an FQDN":
            return {"fqdns": (f"www{number}.example.com.",)}
        case "a boot":
            return {"boot_time": str(1700000050 + number)}
        case _:
            return {"clusters": (GeoCluster(f"10.9.9.{number + 1}", what, ClusterType.REMOTE_LM),)}


UNRELATED = ("an FQDN", "a boot", "a cluster", "what a partner synchronises")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(UNRELATED), st.sampled_from([A1, "172.24.1.10", M1]), st.booleans())),
    st.booleans(),
)
def test_no_other_change_ticks_a_submission(changes: list[tuple[str, str, bool]], is_told: bool) -> None:
    facts = green(with_lists(fresh()), A1)
    if not is_told:
        facts = changed(facts, A1, change_time=None)
    progress = due(13, facts=facts)
    for number, (what, unit, tells_time) in enumerate(changes):
        moved = {"change_time": str(1700000100 + number)} if tells_time and is_told else {}
        facts = changed(facts, unit, **unrelated(what, number), **moved)
        progress = advance(PLAN, progress, Look(facts, 20.0 + number), BOOT)
    progress = advance(PLAN, progress, Look(facts, 90.0), BOOT)

    assert StepState.DONE not in [state_of(progress, number) for number in (13, 14)]
    assert not ticked(PLAN, progress, PLAN.steps[12].id)[1]


def test_what_reaches_two_units_at_once_ticks_neither() -> None:
    ready = with_lists(fresh())
    both = changed(changed(ready, A1, change_time="1700000099"), "172.24.1.10", change_time="1700000099")
    progress = advance(PLAN, advance(PLAN, due(13), Look(ready, 20.0), BOOT), Look(both, 30.0), BOOT)

    assert state_of(progress, 13) is StepState.ASKS


def test_the_person_is_asked_by_the_clock_what_another_change_was() -> None:
    ready = with_lists(fresh())
    known = advance(PLAN, due(13), Look(ready, 20.0), BOOT)
    other = changed(ready, A1, change_time="1700000099", fqdns=("www.example.com.",))
    said = advance(PLAN, known, Look(other, 30.0), BOOT).status(PLAN.steps[12].id).said

    assert "tick step 13 if that was the submission" in said
    assert "1700000099" not in said
    assert "2023-11-" in said


# -- a watch that begins in the middle of the work ---------------------------------------------------------------------


def asked_by(progress: Progress) -> list[int]:
    return [step.number for step in PLAN.steps if progress.status(step.id).state is StepState.ASKS]


def test_a_watch_that_begins_in_the_middle_asks_for_one_step_after_the_other() -> None:
    facts = with_lists(fresh())
    for site in PLAN.sites:
        facts = green(facts, site.units[-1].address)
    progress = run(facts)
    for number in range(9, 15):
        asked = asked_by(progress)
        assert asked[0] == number
        progress, refusal = ticked(PLAN, progress, PLAN.steps[number - 1].id)
        assert not refusal
        progress = advance(PLAN, progress, Look(facts, 10.0 * number), BOOT)
    assert not asked_by(progress)


def test_a_watch_from_the_beginning_asks_for_no_reboot() -> None:
    progress = run(fresh(), with_lists(fresh()), with_lists(fresh()))

    assert state_of(progress, 8) is StepState.DONE
    assert asked_by(progress) == []


def test_a_reboot_that_is_seen_needs_no_tick_where_one_was_asked_for() -> None:
    ready = green(with_lists(fresh()), S1)
    assert asked_by(run(ready)) == [9]
    assert state_of(run(ready, rebooting(ready)), 9) is StepState.DONE


def standing(*, standby: bool | None, own: bool | None = None) -> Observations:
    """Return units with all lists, whose partners say so of the slave of the first pair, as it does of them itself."""
    facts = with_lists(fresh())
    for partner in PARTNERS_AT_WORK:
        status = dict.fromkeys(facts.units[partner].geo_partners or (), True) | {S1: standby}
        facts = changed(facts, partner, partner_status={k: v for k, v in status.items() if v is not None})
    told = None if own is None else dict.fromkeys(facts.units[S1].geo_partners or (), own)
    return changed(facts, S1, partner_status=told)


def tick(progress: Progress, number: int) -> tuple[Progress, str]:
    return ticked(PLAN, progress, PLAN.steps[number - 1].id)


def test_what_partners_show_red_is_neither_asked_nor_ticked_after_a_restart() -> None:
    red = standing(standby=False)
    progress = run(red, red)
    same, refusal = tick(progress, 9)

    assert asked_by(progress) == []
    assert same is progress
    assert refusal == (
        f"step 9 cannot be ticked: the links of {S1} with {', '.join(sorted(PARTNERS_AT_WORK))} are red, so what may "
        f"have been submitted on it does not hold: reboot {M1}, and submit on {S1} while that is active"
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([True, False, None]), st.booleans()), max_size=8), st.booleans())
def test_no_course_of_looks_ticks_what_the_last_one_denies(looks: list[tuple[bool | None, bool]], early: bool) -> None:
    """Ticks typed at any moment, also both before the next look, and links that change as they like."""
    progress = run(standing(standby=True))
    for number, (colour, types) in enumerate(looks):
        progress = advance(PLAN, progress, Look(standing(standby=colour), 10.0 * number), BOOT)
        for step in (9, 10) if types else ():
            progress, refusal = tick(progress, step)
            assert colour is not False or refusal or progress.status(PLAN.steps[step - 1].id).by_hand
    was = {number: state_of(progress, number) for number in (9, 10)}
    red = advance(PLAN, progress, Look(standing(standby=False), 200.0), BOOT)
    if early:
        red = advance(PLAN, red, Look(standing(standby=False), 210.0), BOOT)

    for number in (9, 10):
        if was[number] is not StepState.DONE:
            assert state_of(tick(red, number)[0], number) is not StepState.DONE


def test_typing_ahead_ticks_nothing_that_units_deny() -> None:
    progress = run(standing(standby=None))
    progress = advance(PLAN, tick(progress, 9)[0], Look(standing(standby=False), 10.0), BOOT)

    assert tick(progress, 10)[1].startswith("step 10 cannot be ticked: the links of ")
    assert state_of(progress, 10) is StepState.TOO_LATE


def test_submission_ticked_by_hand_is_taken_back_once_units_deny_it() -> None:
    untold = standing(standby=None)
    progress = tick(run(untold), 9)[0]
    progress = tick(advance(PLAN, progress, Look(untold, 10.0), BOOT), 10)[0]
    once = advance(PLAN, progress, Look(standing(standby=False), 20.0), BOOT)
    twice = advance(PLAN, once, Look(standing(standby=False), 30.0), BOOT)

    assert state_of(progress, 10) is StepState.DONE
    assert state_of(once, 10) is StepState.DONE  # a link may be red for a moment
    assert state_of(twice, 10) is StepState.TOO_LATE


def test_a_watch_that_begins_while_the_slave_is_active_lets_it_submit_first() -> None:
    red = standing(standby=False, own=False)
    progress, refusal = tick(run(rebooting(red)), 9)
    progress = advance(PLAN, progress, Look(rebooting(red), 10.0), BOOT)
    submitted = advance(PLAN, progress, Look(rebooting(standing(standby=True, own=True)), 20.0), BOOT)

    assert not refusal
    assert tick(progress, 10)[1].startswith(f"step 10 ticks itself once it is seen: on {S1} not green yet")
    assert not tick(submitted, 10)[1]


def test_standby_that_is_red_by_nature_and_was_seen_green_denies_nothing() -> None:
    submitted = rebooting(standing(standby=True, own=True))
    progress = tick(run(submitted), 9)[0]
    progress = tick(advance(PLAN, progress, Look(submitted, 10.0), BOOT), 10)[0]
    back = standing(standby=False, own=False)
    by_nature = changed(back, *PARTNERS_AT_WORK, partner_status={S1: False, "172.24.1.7": False})
    kept, lost = (
        run_on(progress, facts, facts)
        for facts in (by_nature, back)  # here the other standby is shown green
    )

    assert state_of(kept, 10) is StepState.DONE
    assert state_of(lost, 10) is StepState.TOO_LATE


def run_on(progress: Progress, *looks: Observations) -> Progress:
    for number, facts in enumerate(looks):
        progress = advance(PLAN, progress, Look(facts, 100.0 + 10 * number), BOOT)
    return progress


def test_slave_of_another_pair_that_is_active_denies_nothing() -> None:
    m2, s2 = (unit.address for unit in PLAN.site("HA Pair 2").units)
    facts = changed(standing(standby=True), m2, state=State.STANDBY, by_health=State.STANDBY)
    facts = changed(facts, s2, state=State.ACTIVE, by_health=State.ACTIVE, partner_status={S1: False})

    assert not tick(run(facts), 9)[1]


def test_submission_on_a_standalone_is_not_ticked_while_its_links_are_red() -> None:
    red = changed(with_lists(fresh()), A1, change_time=None)
    progress = advance(PLAN, due(13, facts=red), Look(red, 10.0), BOOT)

    assert "submit its partners there again" in tick(progress, 13)[1]


# -- pairs before GEO --------------------------------------------------------------------------------------------------

HA_PLAN = make_plan(load_topology(TOPOLOGIES / "section-5.4.yaml"), [Phase.HA])
PAIR = HA_PLAN.ha_pairs[0]
UNSET = HaFacts("", 0, prefers_master=False, mode="single")
WORKING = {M1: State.ACTIVE, S1: State.STANDBY}


def unpaired(plan: Plan = HA_PLAN) -> Observations:
    """Return the units of pairs before anybody has set an HA parameter."""
    facts = fresh(plan)
    return changed(facts, *facts.units, state=State.DOWN, by_health=State.DOWN, ha=UNSET)


def set_up(wanted: HaParameters, **otherwise: Any) -> HaFacts:
    """Return what a unit tells once its HA parameters are as planned, but for some."""
    prefers = wanted.preferred_host == "master"
    return replace(HaFacts(wanted.partner, wanted.health_check_port, prefers, wanted.mode), **otherwise)


def formed(facts: Observations, **otherwise: Any) -> Observations:
    """Return units whose first pair has its HA parameters, but for some of its master."""
    facts = changed(facts, M1, ha=set_up(PAIR.master, **otherwise))
    return changed(facts, S1, ha=set_up(PAIR.slave))


def run_ha(*looks: Observations) -> Progress:
    return follow(HA_PLAN, [Look(facts, 10.0 * number) for number, facts in enumerate(looks)], BOOT)


def ha_states(progress: Progress) -> list[StepState]:
    return [progress.status(step.id).state for step in HA_PLAN.steps[:3]]


def test_pair_is_ticked_step_by_step_as_it_is_formed() -> None:
    half = changed(unpaired(), M1, ha=set_up(PAIR.master))
    whole = formed(unpaired())
    working = whole
    for address, state in WORKING.items():
        working = changed(working, address, state=state, by_health=state)
    done, is_open = StepState.DONE, StepState.OPEN

    assert ha_states(run_ha(unpaired())) == [is_open] * 3
    assert ha_states(run_ha(unpaired(), half)) == [done, is_open, is_open]
    assert ha_states(run_ha(unpaired(), half, whole))[:2] == [done, done]
    assert ha_states(run_ha(unpaired(), half, whole, working)) == [done] * 3


@pytest.mark.parametrize(
    "untold",
    [
        {"partner": None},
        {"health_check_port": None},
        {"prefers_master": None},
        {"mode": None},
        {"partner": "lm-b.example.com"},
    ],
)
def test_ha_parameter_that_is_not_told_is_asked_about(untold: dict[str, Any]) -> None:
    facts = formed(unpaired(), **untold)
    progress = run_ha(unpaired(), facts)

    assert ha_states(progress)[0] is StepState.ASKS
    assert not ticked(HA_PLAN, progress, HA_PLAN.steps[0].id)[1]
    assert ha_states(run_ha(unpaired(), facts, formed(unpaired())))[0] is StepState.DONE


@pytest.mark.parametrize("wrong", [{"partner": "10.9.9.9"}, {"health_check_port": 8445}, {"prefers_master": False}])
def test_ha_parameter_that_is_otherwise_is_wrong_and_ticks_by_nobody(wrong: dict[str, Any]) -> None:
    progress = run_ha(unpaired(), formed(unpaired(), **wrong, mode=None), formed(unpaired(), **wrong))

    assert ha_states(progress)[0] is StepState.WRONG
    assert ticked(HA_PLAN, progress, HA_PLAN.steps[0].id)[1].startswith("step 1 cannot be ticked")


@pytest.mark.parametrize("state", [None, State.UNKNOWN, State.DOWN])
def test_pair_of_which_nobody_tells_who_is_active_is_asked_about(state: State | None) -> None:
    facts = changed(formed(unpaired()), M1, S1, state=state, by_health=state)
    progress = run_ha(unpaired(), facts)

    assert ha_states(progress)[2] is StepState.ASKS
    assert not ticked(HA_PLAN, progress, HA_PLAN.steps[2].id)[1]


@pytest.mark.parametrize("states", [(State.ACTIVE, State.ACTIVE), (State.STANDBY, State.STANDBY)])
def test_pair_that_tells_something_else_stays_open(states: tuple[State, State]) -> None:
    facts = formed(unpaired())
    for address, state in zip((M1, S1), states, strict=True):
        facts = changed(facts, address, state=state, by_health=state)
    progress = run_ha(unpaired(), facts)

    assert ha_states(progress)[2] is StepState.OPEN
    assert ticked(HA_PLAN, progress, HA_PLAN.steps[2].id)[1]
