"""One case of a rehearsal: how it goes as planned, what a fault makes of it, and what is found broken."""

from __future__ import annotations

from dataclasses import replace

import pytest

from geoplan.plan.model import Phase
from geoplan.plan.planner import make_plan
from geoplan.topology.loader import load_topology
from geoplan.topology.model import Topology
from geoplan.twin.campaign import cases_of, rehearse
from geoplan.twin.cases import PLAIN, Planned, Plays, Way, play, play_planned, replay
from geoplan.twin.incidents import Case, at_change, drawn, single_faults
from geoplan.twin.timeline import MomentKind
from tests.conftest import TOPOLOGIES
from tests.simulation import changes
from tests.twin.plays import BOOT, change, quick, section

FAILOVER = 3.0
M1, S1, A1 = "172.24.1.5", "172.24.1.6", "172.24.1.9"


def named(plays: Plays, name: str) -> Case:
    changes = play_planned(plays).changes
    return next(case for case in single_faults(changes, plays.plan) if case.name == name)


def test_as_planned_each_pair_is_down_to_one_unit_once_and_for_one_boot() -> None:
    planned = play_planned(section("5.4"))
    lanes = {lane.unit: lane for lane in planned.timeline.lanes}
    down = {unit: [end - begin for begin, end in lane.down] for unit, lane in lanes.items() if lane.down}

    assert planned.result.way is Way.AT_ONCE
    assert planned.result.broken == ()
    assert down == {M1: [pytest.approx(BOOT)], "172.24.1.8": [pytest.approx(BOOT)]}
    assert planned.result.gap is not None
    assert planned.result.gap.seconds == pytest.approx(FAILOVER)


def test_traffic_moves_to_the_slave_and_back_and_all_links_turn_green() -> None:
    timeline = play_planned(section("5.3")).timeline
    moved = [moment.unit for moment in timeline.moments if moment.kind is MomentKind.ACTIVE]

    assert moved == [S1, M1]
    assert timeline.links == 1
    assert [moment.green for moment in timeline.moments if moment.kind is MomentKind.GREEN][-1] == 1


def test_every_step_of_the_plan_is_reached_by_every_single_fault() -> None:
    plays = section("5.4")
    faults = list(single_faults(play_planned(plays).changes, plays.plan))
    kinds = {case.name.split(":", 1)[1] for case in faults}
    of_step: dict[int, set[str]] = {}
    for case in faults:
        number, kind = case.name.split(":", 1)
        of_step.setdefault(int(number), set()).add(kind)

    assert {step.number for step in plays.plan.steps} == set(of_step)
    of_pairs = kinds - {"early-return"}
    assert all(found >= of_pairs - {"partner-off"} for found in of_step.values())
    assert of_step[9] == kinds


@pytest.mark.parametrize("name", ["5:kill-before", "5:kill-after"])
def test_push_that_is_killed_goes_on_where_it_was(name: str) -> None:
    plays = section("5.3")
    result = play(plays, named(plays, name))

    assert (result.way, result.runs, result.broken) == (Way.RESUMED, 2, ())
    assert result.story[0] == "killed: the push was killed"


def test_a_lost_request_is_no_end_and_a_dead_partner_is_seen_as_the_gap_that_it_makes() -> None:
    plays = section("5.3")
    changes = play_planned(plays).changes
    reboot = next(each for each in changes if each.subject == "reboot")
    harmless = play(plays, Case("lost", "", (at_change(1, "reset"),)))
    dead = play(plays, Case("dead", "", (at_change(reboot.number, "partner-off"),)))

    assert (harmless.way, harmless.broken) == (Way.AT_ONCE, ())
    assert (dead.way, dead.broken) == (Way.RESUMED, ())
    assert dead.gap is not None
    assert dead.gap.seconds >= BOOT


@pytest.mark.parametrize(("boot", "sync"), [(4.0, 1.0), (10.0, 20.0)])
def test_unit_that_makes_itself_passive_after_the_end_is_no_pair_that_was_left_half_done(
    boot: float, sync: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    timing = {"boot_seconds": boot, "sync_seconds": sync}
    plays = section("5.3", Phase.HA, Phase.GEO)
    topology = Topology.model_validate(plays.topology.model_dump() | {"timing": timing})
    plays = replace(plays, plan=make_plan(topology, (Phase.HA, Phase.GEO)), topology=topology)
    flaps = named(plays, "12:flap")
    result = play(plays, flaps)

    assert (result.way, result.broken) == (Way.AT_ONCE, ())

    async def skipped(_submission: object) -> bool:
        return True

    monkeypatch.setattr("geoplan.push.actions.resubmit_geo_partners.Resubmission.run", skipped)

    assert play(plays, flaps).broken  # a slave that never submitted is found all the same


def test_a_broken_promise_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geoplan.live.findings.Report.is_proven", True)
    monkeypatch.setattr("geoplan.push.actions.reboot_master.PairReboot.run", lambda _pair: _nothing())
    result = play(section("5.3"), PLAIN)

    assert result.broken


async def _nothing() -> None:
    raise ValueError("nothing is done")


def test_a_seed_is_the_same_every_time_and_can_be_told() -> None:
    plays = section("5.3")
    changes = play_planned(plays).changes
    case = drawn(7, changes, plays.topology)
    result, timeline = replay(plays, case)

    assert case == drawn(7, changes, plays.topology) != drawn(8, changes, plays.topology)
    assert result == play(plays, case)
    assert timeline.lanes


def test_a_change_begins_with_units_as_the_old_topology_was_pushed() -> None:
    pair = {"name": "A", "ha_pair": {"master": "10.0.1.1", "slave": "10.0.1.2"}}
    alone = [{"name": f"S{number}", "standalone": f"10.0.2.{number}"} for number in (1, 2, 3)]
    old, new = (quick(Topology.model_validate({"sites": sites})) for sites in ([pair, *alone[:2]], [pair, *alone[1:]]))
    plays = change(old, new)
    planned = play_planned(plays)
    written = {each.unit for each in planned.changes if each.subject == "set:geopartners"}

    assert (planned.result.way, planned.result.broken) == (Way.AT_ONCE, ())
    assert planned.timeline.seconds > 0
    assert "10.0.2.1" in written  # the site that leaves loses its partners


def test_an_interruption_leaves_what_was_done_so_far() -> None:
    plays = section("5.1")

    def interrupt(done: int, _total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    report = rehearse(plays, play_planned(plays), range(2), 1, interrupt)

    assert report.is_interrupted
    assert sum(len(group.results) for group in report.groups) == 3


def test_unit_that_loses_its_configuration_in_a_change_is_mended_as_the_refusal_says() -> None:
    plays = change(quick(changes.TWO), quick(changes.FOUR))
    planned = play_planned(plays)
    found = [case for cases in cases_of(plays, planned, range(0)).values() for case in cases]
    for name in ("8:lose-configuration", "12:lose-configuration", "B:hand-removes-geoclients"):
        result = play(plays, next(case for case in found if case.name == name))
        refused = [run for run in result.story if run.startswith("refused")]

        assert result.broken == ()
        assert any("or, if somebody has changed it, enter 10.0.0." in run for run in refused), name


@pytest.mark.parametrize("which", ["two pairs more", "a pair and a standalone more"])
def test_a_list_of_which_a_hand_takes_a_part_off_in_a_change_is_mended_as_the_refusal_says(which: str) -> None:
    sites = load_topology(TOPOLOGIES / "section-5.4.yaml")
    documents = quick(load_topology(TOPOLOGIES / "two-of-four.yaml")), quick(sites)
    plays = change(*(documents if which != "two pairs more" else (quick(changes.TWO), quick(changes.FOUR))))
    hands = [case for case in _all_cases(plays, play_planned(plays)) if ":hand-removes-" in case.name]

    assert len(hands) > 3
    assert {case.name: broken for case in hands if (broken := play(plays, case).broken)} == {}


def test_request_of_a_push_that_is_killed_arrives_once() -> None:
    plays = change(quick(changes.TWO), quick(changes.FOUR))
    result = play(plays, named(plays, "11:kill-after"))

    assert (result.way, result.broken) == (Way.RESUMED, ())


@pytest.mark.parametrize("name", ["1:kill-after", "2:kill-after"])
def test_a_seed_that_is_killed_before_a_cluster_has_its_type_goes_on(name: str) -> None:
    plays = change(quick(changes.TWO), quick(changes.FOUR))
    result = play(plays, named(plays, name))

    assert (result.way, result.broken) == (Way.RESUMED, ())


@pytest.mark.parametrize("is_pair", [True, False])
def test_a_pair_whose_standby_turns_red_for_good_is_not_rebooted_for_it_again_and_again(*, is_pair: bool) -> None:
    pair = {"name": "A", "ha_pair": {"master": "10.0.1.1", "slave": "10.0.1.2"}}
    alone = {"name": "S", "standalone": "10.0.2.1"}
    other = {"name": "B", "ha_pair": {"master": "10.0.3.1", "slave": "10.0.3.2"}}
    new = [pair, alone, other if is_pair else {"name": "T", "standalone": "10.0.3.1"}]
    plays = change(*(quick(Topology.model_validate({"sites": sites})) for sites in ([pair, alone], new)))
    planned = play_planned(plays)
    result = play(plays, next(case for case in _all_cases(plays, planned) if case.name == "standbys:red"))

    assert result.broken == ()
    assert (result.way, len(result.story)) == (Way.AT_ONCE, 1)


def _all_cases(plays: Plays, planned: Planned) -> list[Case]:
    return [case for cases in cases_of(plays, planned, range(0)).values() for case in cases]
