"""Who is in GEO at one moment, as the twin sees it."""

from __future__ import annotations

from geoplan.plan.model import Phase
from geoplan.plan.planner import make_plan
from geoplan.topology.model import Topology
from geoplan.twin.world import AS_BEGUN, World, joined, planned_world
from tests.lab.support import pair, standalone, topology


def world_of(of: Topology) -> World:
    return planned_world(of, make_plan(of, (Phase.GEO,)))


def three() -> World:
    return world_of(topology(pair(1), standalone(2), standalone(3)))


def test_what_was_seen_while_the_network_was_cut_is_not_taken_for_what_is_seen_later() -> None:
    world = three()
    before = world.go_to(AS_BEGUN)
    world.network.forget_partners(world.network.unit("10.0.1.2"))  # nobody has looked at these links yet
    world.network.cut("Pair 1", "Standalone 2")
    assert world.look().parted == {("Pair 1", "Standalone 2")}
    world.network.mend("Pair 1")
    assert world.look() == before


def test_a_site_that_only_the_network_keeps_out_is_not_cut_off_silently() -> None:
    world = three()
    world.network.cut("Pair 1", "Standalone 2", "Standalone 3")
    standing = world.look()
    assert standing.isolated == standing.older == {"Pair 1"}
    assert standing.cut_off == set()


def test_of_two_halves_the_one_that_was_not_hit_stays_in_geo() -> None:
    world = world_of(topology(pair(1), pair(2)))
    world.network.forget_partners(world.network.unit("10.0.2.2"))
    world.network.fail_over("Pair 2")
    world.settle()
    assert world.look(["Pair 2"]).cut_off == {"Pair 2"}
    assert world.look(["Pair 1"]).cut_off == {"Pair 1"}
    assert world.look(["Pair 1"], ["Pair 2"]).cut_off == {"Pair 1"}


def test_groups_have_nothing_to_do_with_each_other() -> None:
    sites = [pair(1), standalone(2), standalone(3), standalone(4)]
    groups = {"a": ["Pair 1", "Standalone 2"], "b": ["Standalone 3", "Standalone 4"]}
    world = world_of(topology(*sites, groups=groups))
    standing = world.go_to(AS_BEGUN)
    assert standing.lost | standing.older == set()
    assert standing.red == set()


def test_what_joins_some_joins_all_that_these_join() -> None:
    steps = {("a", "c"), ("c", "d")}
    assert joined("abcd", lambda one, other: (one, other) in steps or (other, one) in steps) == [["a", "c", "d"], ["b"]]
