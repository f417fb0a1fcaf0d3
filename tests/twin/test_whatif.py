"""What every failure costs: of the topologies as planned, and where one thing was left out."""

from __future__ import annotations

from typing import Any

import pytest

from geoplan.plan.model import Phase
from geoplan.plan.planner import make_plan
from geoplan.topology.loader import load_topology
from geoplan.topology.model import Topology
from geoplan.twin import words
from geoplan.twin.failures import Failure, FailureKind
from geoplan.twin.report import Report, Row, Task, TaskKind, Until
from geoplan.twin.whatif import try_failures, what_if
from geoplan.twin.world import AS_BEGUN, Start, World, planned_world
from geoplan.vendor import FACTS
from tests.conftest import TOPOLOGIES
from tests.lab.support import A1, A2, M1, S1, S2, example, pair, standalone, topology

FILES = sorted(path.stem for path in TOPOLOGIES.glob("*.yaml"))
WITH_PAIRS_AND_PARTNERS = [
    name for name in FILES if any(site.ha_pair for site in load_topology(TOPOLOGIES / f"{name}.yaml").sites)
]


def world_of(of: Topology) -> World:
    return planned_world(of, make_plan(of, (Phase.GEO,)))


def report_of(of: Topology, **options: Any) -> Report:
    return what_if(of, world_of(of), **options)


def row(report: Report, *failures: Failure, start: Start = AS_BEGUN) -> Row:
    (found,) = [each for each in report.rows if each.failures == failures and start in each.starts]
    return found


def off(site: str, *units: str) -> Failure:
    return Failure(FailureKind.UNIT_OFF if len(units) == 1 else FailureKind.SITE_OFF, (site,), units)


def cut(site: str, *others: str) -> Failure:
    return Failure(FailureKind.NETWORK_CUT, (site,), others=others)


@pytest.mark.parametrize("name", FILES)
def test_no_single_failure_cuts_off_a_site_of_the_examples_that_has_a_unit_left(name: str) -> None:
    report = report_of(load_topology(TOPOLOGIES / f"{name}.yaml"))
    assert report.now.lost == ()
    assert not report.now.is_silent
    assert report.faults == ()
    assert report.is_well
    assert report.cases == report.possible
    units = {unit for each in report.rows for failure in each.failures for unit in failure.units}
    assert units == {unit.address for site in load_topology(TOPOLOGIES / f"{name}.yaml").sites for unit in site.units}


@pytest.mark.parametrize("name", WITH_PAIRS_AND_PARTNERS)
def test_a_resubmission_left_out_is_found_at_the_failures_of_that_pair_alone(name: str) -> None:
    of = load_topology(TOPOLOGIES / f"{name}.yaml")
    groups = [group for group in of.partner_groups() if len(group.sites) > 1]
    pairs = [site for group in groups for site in group.sites if site.ha_pair]
    for site in pairs[:: max(1, len(pairs) - 1)]:  # the first and the last of many
        assert site.ha_pair
        world = world_of(of)
        slave = world.network.unit(site.ha_pair.slave.address)
        world.network.forget_partners(slave)
        report = what_if(of, World(world.network, world.clock, world.groups))
        assert not report.is_well
        assert report.now.lost == ()
        assert {each.outcome.cut_off for each in report.faults} == {(site.name,)}
        failed = {each.failures[0].kind for each in report.faults}
        assert failed == {FailureKind.UNIT_OFF, FailureKind.FAILOVER}
        assert {each.failures[0].sites for each in report.faults} == {(site.name,)}
        submit = Task(TaskKind.SUBMIT, (site.name,), (slave.address,))
        assert all(submit in each.outcome.tasks for each in report.faults)


def test_a_unit_off_costs_what_it_costs() -> None:
    report = report_of(example())
    lone = row(report, off("Standalone LoadMaster 1", A1)).outcome
    assert (lone.down, lone.cut_off, lone.until) == (("Standalone LoadMaster 1",), (), Until.REPAIR)
    master = row(report, off("HA Pair 1", M1)).outcome
    assert (master.lost, master.briefly, master.until) == ((), ("HA Pair 1",), Until.TAKEOVER)
    slave = row(report, off("HA Pair 1", S1)).outcome
    assert (slave.lost, slave.briefly, slave.until) == ((), (), Until.NOTHING_LOST)
    both = row(report, off("HA Pair 1", M1, S1)).outcome
    assert (both.down, both.until) == (("HA Pair 1",), Until.REPAIR)
    assert both.tasks == (Task(TaskKind.BRING_BACK, ("HA Pair 1",), (M1, S1)),)


@pytest.mark.parametrize(("preferred_host", "until"), [("master", Until.REPAIR), ("none", Until.PERSON)])
def test_who_is_cut_off_comes_back_with_the_master_only_where_it_is_preferred(
    preferred_host: str, until: Until
) -> None:
    of = topology(pair(1, preferred_host=preferred_host), standalone(2), standalone(3))
    world = world_of(of)
    world.network.forget_partners(world.network.unit("10.0.1.2"))
    outcome = try_failures(World(world.network, world.clock, world.groups), AS_BEGUN, [off("Pair 1", "10.0.1.1")])
    assert outcome
    assert outcome.cut_off == ("Pair 1",)
    assert outcome.until is until
    assert outcome.lost_after == (("Pair 1",) if until is Until.PERSON else ())
    assert outcome.older == ("Pair 1",)


def test_only_what_stays_lost_after_a_repair_is_said_not_to_come_back_by_itself() -> None:
    world = world_of(example())
    world.network.forget_partners(world.network.unit(S2))
    report = what_if(example(), World(world.network, world.clock, world.groups))
    stays = {words.row_in_words(row) for row in report.faults if row.outcome.lost_after}
    comes = {words.row_in_words(row) for row in report.faults} - stays
    (said,) = [each for each in words.verdict(report) if "by itself" in each]
    named = said.partition("It does not come back by itself after: ")[2].partition(";")[0]
    assert comes
    assert all(each in named for each in stays)
    assert not any(each in named for each in comes)
    assert "after the others it does, once what failed is up again" in said


def test_a_link_to_one_partner_alone_that_is_missing_is_a_fault_too() -> None:
    of = topology(pair(1), standalone(2), standalone(3))
    world = world_of(of)
    slave = world.network.unit("10.0.1.2")
    world.network.fail_over("Pair 1")
    world.settle()
    world.network.partners.submit(slave, ("10.1.2.1",))
    world.network.fail_over("Pair 1")
    report = what_if(of, World(world.network, world.clock, world.groups))
    first = [each for each in report.faults if AS_BEGUN in each.starts]
    assert {each.outcome.red for each in first} == {(("Pair 1", "Standalone 3"),)}
    assert {each.outcome.cut_off for each in first} == {()}
    assert all(each.outcome.tasks[-1] == Task(TaskKind.SUBMIT, ("Pair 1",), ("10.0.1.2",)) for each in first)
    then = [each for each in report.faults if each.starts == (Start("Pair 1"),)]  # who passed changes on fails next
    assert {each.failures[0].sites for each in then} == {("Standalone 2",)}
    assert off("Standalone 2", "10.1.2.1") in {each.failures[0] for each in then}


def test_a_cut_network_explains_what_it_parts() -> None:
    report = report_of(example())
    between = row(report, cut("HA Pair 1", "HA Pair 2")).outcome
    assert between.parted == (("HA Pair 1", "HA Pair 2"),)
    assert between.lost == between.older == ()  # the others pass on what either changes
    assert between.until is Until.REPAIR
    apart = row(report, cut("HA Pair 1", "HA Pair 2", "Standalone LoadMaster 1", "Standalone LoadMaster 2")).outcome
    assert (apart.isolated, apart.cut_off, apart.older) == (("HA Pair 1",), (), ("HA Pair 1",))
    assert not apart.is_silent


def test_broken_replication_leaves_an_older_configuration_on_the_standby() -> None:
    of = topology(pair(1))
    report = report_of(of)
    broken = row(report, Failure(FailureKind.REPLICATION_BROKEN, ("Pair 1",))).outcome
    assert broken.behind == ("10.0.1.2",)
    assert broken.at_failover
    linked = row(report_of(example()), Failure(FailureKind.REPLICATION_BROKEN, ("HA Pair 1",))).outcome
    assert linked.behind == (S1,)
    assert linked.older == ()  # its partners give it what it lacks


def test_a_slave_that_never_submitted_shows_at_its_failover_and_is_no_fault_of_one_failure() -> None:
    report = report_of(example())
    never = Failure(FailureKind.NEVER_SUBMITTED, ("HA Pair 1",), (S1,))
    outcome = row(report, never).outcome
    assert outcome.at_failover
    assert (outcome.cut_off, outcome.until) == (("HA Pair 1",), Until.PERSON)
    assert not row(report, never).is_fault
    two = report_of(example(), failures=2)
    both = [each for each in two.rows if each.failures == (never, Failure(FailureKind.FAILOVER, ("HA Pair 1",)))]
    assert {each.outcome.cut_off for each in both} == {("HA Pair 1",)}
    assert two.is_well  # two failures are more than one


def test_a_region_is_off_as_one_and_so_is_what_stands_together() -> None:
    aws = {
        "region": "eu-west-1",
        "vpc_id": "vpc-0a1b2c3d",
        "subnets": [{"subnet_id": "subnet-0a1b2c3d"}],
        "listeners": [{"protocol": "TCP", "port": 80}],
    }
    sites = [pair(1), pair(2), standalone(3), standalone(4)]
    for site in sites[:2]:
        site["ha_pair"]["aws"] = aws
    of = topology(*sites)
    report = report_of(of, together=[("Pair 1", "Standalone 3")])
    gone = {each.failures[0].region: each.outcome.down for each in report.rows if _is_region(each)}
    assert gone == {"eu-west-1": ("Pair 1", "Pair 2"), None: ("Pair 1", "Standalone 3")}
    parted = [each.outcome for each in report.rows if each.failures[0].kind is FailureKind.NETWORK_CUT]
    assert ("Pair 1", "Pair 2") not in {outcome.isolated for outcome in parted if len(outcome.isolated) > 2}
    halves = [each.failures[0] for each in report.rows if each.failures[0].region and not _is_region(each)]
    assert {(each.sites, each.others) for each in halves} == {(("Pair 1", "Pair 2"), ("Standalone 3", "Standalone 4"))}


def _is_region(of: Row) -> bool:
    return of.failures[0].kind is FailureKind.REGION_OFF


def test_what_is_said_to_come_back_by_itself_names_the_facts_that_it_rests_on() -> None:
    assert report_of(example()).assumed == ("LINKS_AFTER_BOOT", "LINKS_AFTER_CUT", "ENTRIES_APART")
    assert report_of(topology(standalone(1))).assumed == ()  # it has no links
    unconfirmed = {fact.name for fact in FACTS if not fact.confirmed}
    assert {*report_of(example()).assumed} <= unconfirmed


def test_worst_comes_first() -> None:
    report = report_of(example(), together=[("HA Pair 1", "HA Pair 2")])
    lost = [len(each.outcome.lost) for each in report.rows]
    assert lost == sorted(lost, reverse=True)
    assert lost[0] == 2


def test_pairs_are_all_tried_while_they_are_few_and_drawn_by_a_seed_when_they_are_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = report_of(example(), failures=2)
    assert few.seed is None
    assert few.cases == few.possible
    monkeypatch.setattr("geoplan.twin.whatif.MOST_CASES", 200)
    world = world_of(example())
    first, again, other = (what_if(example(), world, failures=2, seed=seed) for seed in (7, 7, 8))
    assert first.seed == 7
    assert 150 < first.cases <= 200 < first.possible
    assert first == again
    assert first.rows != other.rows
    singles = {each.failures for each in few.rows if len(each.failures) == 1}
    assert singles <= {each.failures for each in first.rows}


def test_two_failures_of_which_one_holds_the_other_are_one() -> None:
    report = report_of(example("5.3"), failures=2)
    pairs = {each.failures for each in report.rows if len(each.failures) == 2}
    whole = off("HA Pair 1", M1, S1)
    assert (off("HA Pair 1", M1), off("HA Pair 1", S1)) in pairs
    assert not [each for each in pairs if whole in each and any(unit in (M1, S1) for unit in _units(each, whole))]


def _units(failures: tuple[Failure, ...], but: Failure) -> list[str]:
    return [unit for failure in failures if failure is not but and _is_off(failure) for unit in failure.units]


def _is_off(failure: Failure) -> bool:
    return failure.kind is FailureKind.UNIT_OFF


def test_starting_states_are_all_masters_active_and_each_pair_alone_failed_over() -> None:
    world = world_of(example())
    assert world.starts() == (AS_BEGUN, Start("HA Pair 1"), Start("HA Pair 2"))
    assert world.go_to(Start("HA Pair 2")).active["HA Pair 2"] == S2
    assert world.go_to(AS_BEGUN).active["HA Pair 2"] != S2
    assert {A2, S1} <= set(world.go_to(Start("HA Pair 1")).active.values())


def test_going_back_leaves_nothing_of_what_was_tried() -> None:
    world = world_of(example())
    first = what_if(example(), world, failures=2)
    assert what_if(example(), world, failures=2) == first
