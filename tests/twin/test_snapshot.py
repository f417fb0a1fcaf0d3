"""Live units put into the simulation: what they told, and what they did not tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from geoplan.lab.device.network import Network
from geoplan.lab.device.unit import Unit
from geoplan.live.links import KnownLinks
from geoplan.live.model import Cause, Failure, Observation, Observations, State
from geoplan.plan.model import Phase
from geoplan.plan.planner import make_plan
from geoplan.topology.model import Topology
from geoplan.twin import words
from geoplan.twin.failures import FailureKind
from geoplan.twin.report import Report, TaskKind
from geoplan.twin.snapshot import Snapshot, live_what_if
from geoplan.twin.world import Start, planned_world
from tests.lab.support import A1, A2, M1, M2, S1, S2, example, pair, standalone, topology

Change = Callable[[Observation], Observation]


def seen(network: Network, unit: Unit) -> Observation:
    """Return what a look at a unit of the lab tells."""
    state = None
    if unit.role != "standalone":
        state = State.DOWN if not unit.is_up else State.ACTIVE if network.is_active(unit) else State.STANDBY
    if not unit.is_up:
        return Observation(unit.address, unit.site, unit.role, state, failure=Failure(Cause.UNREACHABLE, "no answer"))
    return Observation(
        unit.address,
        unit.site,
        unit.role,
        state,
        firmware=unit.firmware.text,
        remote_geo_access=unit.remote_geo_access,
        geo_partners=unit.geo_partners,
        partner_status=dict(network.partners.status_of(unit)) if network.is_active(unit) else None,
    )


def live(
    change: Callable[[Network], object] = lambda _network: None,
    *,
    of: Topology | None = None,
    known: KnownLinks | None = None,
    told: Mapping[str, Change] | None = None,
) -> Report:
    """Return what is said of a lab as planned after a change, of which some units told otherwise."""
    of = of or example()
    plan = make_plan(of, (Phase.GEO,))
    world = planned_world(of, plan)
    change(world.network)
    world.settle()
    facts = {address: seen(world.network, unit) for address, unit in world.network.units.items()}
    for address, otherwise in (told or {}).items():
        facts[address] = otherwise(facts[address])
    return live_what_if(Snapshot(of, plan, Observations(facts), known or KnownLinks()))


def hides(*partners: str) -> Change:
    def otherwise(facts: Observation) -> Observation:
        status: Any = {address: None if address in partners else green for address, green in colours(facts).items()}
        return replace(facts, partner_status=status)

    return otherwise


def colours(facts: Observation) -> dict[str, bool | None]:
    assert facts.partner_status is not None
    return dict(facts.partner_status)


def faults(report: Report) -> set[tuple[FailureKind, tuple[str, ...], tuple[str, ...]]]:
    return {(row.failures[0].kind, row.failures[0].units, row.outcome.cut_off) for row in report.faults}


OF_PAIR_1 = {
    (FailureKind.UNIT_OFF, (M1,), ("HA Pair 1",)),
    (FailureKind.FAILOVER, (), ("HA Pair 1",)),
}
HIDDEN_SLAVE = {M2: hides(S1), A1: hides(S1), A2: hides(S1)}
"""No active unit of another site tells the colour of the first pair's slave."""


def test_units_that_were_pushed_in_full_are_well() -> None:
    report = live()
    assert report.is_live
    assert report.is_well
    assert (report.doubts, report.notes) == ((), ())
    assert report.now.lost == report.now.behind == ()


def test_a_slave_that_others_show_red_is_cut_off_at_its_failover() -> None:
    report = live(lambda network: network.forget_partners(network.unit(S1)))
    assert faults(report) == OF_PAIR_1
    assert not report.is_well
    assert report.now.lost == ()
    assert "HA Pair 1" in words.verdict(report)[0]


def test_what_units_show_now_goes_before_what_a_journal_has_seen() -> None:
    known = KnownLinks(sights={S1: frozenset({M2, S2, A1, A2})})
    report = live(lambda network: network.forget_partners(network.unit(S1)), known=known)
    assert faults(report) == OF_PAIR_1


def test_what_nobody_told_is_tried_both_ways() -> None:
    report = live(told=HIDDEN_SLAVE)
    assert faults(report) == set()
    (doubt,) = [each for each in report.doubts if each.rows]
    assert (doubt.site, doubt.unit) == ("HA Pair 1", S1)
    assert {M2, A1, A2} <= set(doubt.partners)
    assert {(row.failures[0].kind, row.failures[0].units, row.outcome.cut_off) for row in doubt.rows} == OF_PAIR_1
    assert not report.is_well
    assert any(f"Not told: the links of {S1}" in each for each in words.verdict(report))


@pytest.mark.parametrize(
    "known",
    [
        KnownLinks(sights={S1: frozenset({M2, S2, A1, A2})}),
        KnownLinks(unseen={S1: frozenset({M2, S2, A1, A2})}),
    ],
    ids=["seen green", "submitted in its turn"],
)
def test_what_a_journal_proves_needs_nobody_to_tell_it(known: KnownLinks) -> None:
    assert live(known=known, told=HIDDEN_SLAVE).is_well


def test_the_state_that_units_are_in_is_where_it_begins() -> None:
    def change(network: Network) -> None:
        network.forget_partners(network.unit(S1))
        network.fail_over("HA Pair 1")

    report = live(change)
    assert report.now.cut_off == ("HA Pair 1",)
    assert not report.is_well
    assert words.verdict(report)[0].startswith("Before anything fails: HA Pair 1: cut off")
    assert {row.starts for row in report.faults} == {(Start("HA Pair 1", M1),)}  # as it is, no failure makes it worse
    assert {words.row_in_words(row) for row in report.faults} == {
        f"HA Pair 1: {M1} off, once {M1} is active again",
        f"HA Pair 1: failover by hand, once {M1} is active again",
    }
    first = report.now.tasks[0]
    assert (first.kind, first.units) == (TaskKind.MAKE_ACTIVE, (M1,))


def test_a_pair_of_which_no_unit_has_links_is_not_told_to_change_units() -> None:
    def change(network: Network) -> None:
        network.forget_partners(network.unit(S1))
        network.forget_partners(network.unit(M1))
        network.fail_over("HA Pair 1")

    tasks = {task.kind for task in live(change).now.tasks}
    assert (TaskKind.MAKE_ACTIVE in tasks, TaskKind.SUBMIT in tasks) == (False, True)


def off(*addresses: str, forgets: str | None = None) -> Callable[[Network], None]:
    def change(network: Network) -> None:
        if forgets is not None:
            network.forget_partners(network.unit(forgets))
        for address in addresses:
            network.power_off(network.unit(address))

    return change


EVERY_LINK = KnownLinks(sights={S1: frozenset({M2, S2, A1, A2}), S2: frozenset({M1, S1, A1, A2})})


@pytest.mark.parametrize("known", [None, EVERY_LINK], ids=["nothing known", "seen before"])
@pytest.mark.parametrize("forgets", [None, S2])
def test_a_slave_that_is_off_is_named_and_its_links_are_tried_both_ways(
    known: KnownLinks | None, forgets: str | None
) -> None:
    report = live(off(S2, forgets=forgets), known=known)
    assert report.off == (S2,)
    assert [(task.kind, task.units) for task in report.now.tasks] == [(TaskKind.BRING_BACK, (S2,))]
    doubt = next(each for each in report.doubts if each.unit == S2)
    assert (doubt.is_off, doubt.partners) == (True, (M1, S1, A1, A2))
    assert {row.failures[0].units for row in doubt.rows if row.failures[0].kind is FailureKind.UNIT_OFF} == {(M2,)}
    assert not report.is_well
    assert words.verdict(report)[0] == f"Before anything fails: off: {S2}. Bring back {S2}."


@pytest.mark.parametrize("health", [State.DOWN, State.UNKNOWN])
def test_a_unit_of_a_pair_is_off_where_nothing_of_it_answers(health: State) -> None:
    report = live(off(S2), told={S2: lambda facts: replace(facts, state=health)})
    assert report.off == (S2,)


@pytest.mark.parametrize("health", [State.ACTIVE, State.STANDBY])
def test_a_unit_that_answers_its_health_check_and_refuses_the_rest_is_not_off(health: State) -> None:
    address = M2 if health is State.ACTIVE else S2
    refusing = Failure(Cause.UNREACHABLE, "refused")

    def silent(facts: Observation) -> Observation:
        return replace(
            facts, failure=refusing, remote_geo_access=None, geo_partners=None, partner_status=None, firmware=None
        )

    report = live(told={address: silent})
    assert report.off == ()
    assert any(address in note for note in report.notes)


def test_an_active_unit_that_is_off_may_come_back_without_its_links() -> None:
    report = live(off(M1))
    doubt = next(each for each in report.doubts if each.unit == M1)
    assert doubt.at_once == ("HA Pair 1",)  # under Prefer Master it takes over as it comes back
    assert not report.is_well


def test_a_standalone_that_is_off_is_to_be_brought_back_and_may_have_lost_its_links() -> None:
    report = live(off(A1))
    assert (report.now.down, report.off) == (("Standalone LoadMaster 1",), (A1,))
    assert [(task.kind, task.units) for task in report.now.tasks] == [(TaskKind.BRING_BACK, (A1,))]
    doubt = next(each for each in report.doubts if each.unit == A1)
    assert doubt.at_once == ("Standalone LoadMaster 1",)
    assert f"Bring back {A1}." in words.verdict(report)[0]
    assert any(f"the links of {A1} (Standalone LoadMaster 1), which is off" in each for each in words.verdict(report))


def test_a_unit_that_does_not_answer_is_off() -> None:
    report = live(lambda network: network.power_off(network.unit(A1)))
    assert report.now.down == ("Standalone LoadMaster 1",)
    assert report.faults == ()
    lost = {row.failures[0].units for row in report.rows if "Standalone LoadMaster 1" in row.outcome.lost}
    assert lost == set()  # what is lost before is not lost by a failure


def test_a_list_that_leaves_a_partner_out_makes_no_link() -> None:
    def otherwise(facts: Observation) -> Observation:
        return replace(facts, geo_partners=(M1, S1, M2, S2), partner_status={M1: True, S1: True, M2: True, S2: True})

    report = live(told={A1: otherwise, A2: hides(A1)})
    assert report.now.red == (("Standalone LoadMaster 1", "Standalone LoadMaster 2"),)
    assert not report.is_well


def test_a_standby_that_tells_no_lists_is_taken_as_its_active_unit() -> None:
    report = live(told={S1: lambda facts: replace(facts, remote_geo_access=None, geo_partners=None)})
    assert report.is_well
    assert report.notes == (f"{S1} did not tell both lists: taken as on the active unit",)


def test_a_standby_with_an_older_access_list_is_cut_off_once_its_master_dies() -> None:
    report = live(told={S1: lambda facts: replace(facts, remote_geo_access=(M1,))})
    assert report.now.behind == (S1,)
    assert faults(report) == {(FailureKind.UNIT_OFF, (M1,), ("HA Pair 1",))}  # an orderly failover hands over the list


def test_a_list_in_another_order_is_no_older_one() -> None:
    assert live(told={S1: lambda facts: replace(facts, geo_partners=(facts.geo_partners or ())[::-1])}).now.behind == ()


def test_units_behind_nat_are_known_by_either_address() -> None:
    lone = {"name": "Far", "standalone": {"address": "192.168.0.5", "nat_address": "203.0.113.5"}}
    assert live(of=topology(pair(1), standalone(2), lone)).is_well


def test_firmware_that_differs_across_the_shared_secret_keeps_units_apart() -> None:
    report = live(told={A1: lambda facts: replace(facts, firmware="7.2.48.3")})
    assert "Standalone LoadMaster 1" in report.now.cut_off
