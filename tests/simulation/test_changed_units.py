"""Changes of units: other addresses, NAT, swapped roles; and every kind of change while a unit that stays is down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from geoplan.errors import PushRefusedError, PushStoppedError
from geoplan.topology.model import Topology
from geoplan.twin.loop import run_simulated
from tests.lab.boxes import make_whole, put_in_pair, swap_roles
from tests.simulation.changes import ChangingWorld, topology
from tests.simulation.unit_changes import simulate_units_change

A, B, C, D = "A:10.0.0.1:10.0.0.2", "B:10.0.0.3", "C:10.0.0.5:10.0.0.6", "D:10.0.0.7"
FOUR = topology("four", f"{A} {B} {C} {D}")


def behind_nat(*units: str) -> dict[str, Any]:
    """Return what makes a site's units known to others by other addresses."""
    written = [{"address": unit, "nat_address": unit.replace("10.0.0.", "192.0.2.")} for unit in units]
    pair = {"master": written[0], "slave": written[-1]}
    return {"ha_pair": pair} if units[1:] else {"standalone": written[0]}


def run(scene: Any) -> None:
    run_simulated(scene)


def clusters(world: ChangingWorld, site: str) -> dict[str, str]:
    """Return the clusters that a site's active unit shows: their addresses by their names."""
    return {cluster.name: address for address, cluster in world.network.geo.clusters(world.active(site))}


async def fresh(lab: Topology, new: Topology, folder: Path) -> dict[str, dict[str, str]]:
    """Return what a push of a topology to fresh units leads to: the clusters of each site."""
    world = ChangingWorld(lab, folder)
    await world.push_new(new)
    return {site.name: clusters(world, site.name) for site in new.sites}


# -- addresses ---------------------------------------------------------------------------------------------------------

NAT_OF_D = topology("nat of D", f"{A} {B} {C} {D}", D=behind_nat("10.0.0.7"))
SWAPPED = topology("swapped", f"A:10.0.0.2:10.0.0.1 {B} {C} {D}")
BOTH_NAT_SWAPPED = topology("swapped", f"A:10.0.0.2:10.0.0.1 {B} {C} {D}", A=behind_nat("10.0.0.2", "10.0.0.1"))
BOTH_NAT = topology("nat of A", f"{A} {B} {C} {D}", A=behind_nat("10.0.0.1", "10.0.0.2"))


@pytest.mark.parametrize(
    ("old", "new", "site", "reboots"),
    [
        pytest.param(FOUR, NAT_OF_D, "D", 2, id="a standalone goes behind NAT"),
        pytest.param(NAT_OF_D, FOUR, "D", 2, id="a standalone comes from behind NAT"),
        pytest.param(FOUR, BOTH_NAT, "A", 1, id="a pair goes behind NAT"),
        pytest.param(BOTH_NAT, FOUR, "A", 1, id="a pair comes from behind NAT"),
    ],
)
def test_a_cluster_goes_with_the_address_at_which_its_site_is_reached(
    tmp_path: Path, old: Topology, new: Topology, site: str, reboots: int
) -> None:
    lab = old if new is FOUR else new

    async def scene() -> None:
        world = ChangingWorld(lab, tmp_path / "changed")
        await world.push_new(old)
        world.keep("ABCD", [name for name in "ABCD" if name != site])
        before = sum(world.reboots().values())
        plan = world.plan_of_change(old, new)
        assert (await world.push(plan)).is_complete
        world.check_is(plan)
        assert {name: clusters(world, name) for name in "ABCD"} == await fresh(lab, new, tmp_path / "fresh")
        assert sum(world.reboots().values()) - before == reboots

    run(scene())


@pytest.mark.parametrize("at", range(1, 6))
def test_a_cluster_that_goes_elsewhere_is_not_lost_when_the_push_is_killed(tmp_path: Path, at: int) -> None:
    async def scene() -> None:
        world = ChangingWorld(BOTH_NAT, tmp_path)
        await world.push_new(BOTH_NAT)
        swap_roles(world.network, "A")
        world.keep("ABCD", "BCD")
        plan = world.plan_of_change(BOTH_NAT, BOTH_NAT_SWAPPED)
        pushing, sent = asyncio.ensure_future(world.push(plan)), len(world.sent)

        def kill(_address: str, _command: str) -> None:
            if len(world.sent) - sent == at:
                pushing.cancel()

        world.after_change = kill
        with pytest.raises(asyncio.CancelledError):
            await pushing
        assert (await world.push(plan, resume=True)).is_complete
        world.check_is(plan)
        assert [clusters(world, site)["A"] for site in "ABCD"] == ["192.0.2.2"] * 4

    run(scene())


def test_a_cluster_that_an_fqdn_uses_goes_to_another_address_only_on_request(tmp_path: Path) -> None:
    async def scene() -> None:
        world = ChangingWorld(NAT_OF_D, tmp_path)
        await world.push_new(FOUR)
        geo, unit = world.network.geo, world.active("A")
        geo.put_fqdn(unit, "www.example.com")
        geo.put_map(unit, next(geo.fqdns(unit)), "198.51.100.7", "D")
        sent = len(world.sent)
        with pytest.raises(PushRefusedError) as refused:
            await world.change(FOUR, NAT_OF_D)
        (problem,) = refused.value.problems
        assert "the cluster 'D' is to be deleted, and www.example.com. uses it" in problem
        assert len(world.sent) == sent
        assert (await world.change(FOUR, NAT_OF_D, accept_fqdn_loss=True)).is_complete
        assert clusters(world, "B")["D"] == "192.0.2.7"

    run(scene())


@pytest.mark.parametrize("dead", [False, True], ids=["at another address", "dead, and replaced at another address"])
def test_a_slave_at_another_address_is_waited_for(tmp_path: Path, dead: bool) -> None:
    lab = topology("lab", f"{A} {B} {C} {D} E:10.0.0.12")
    new = topology("new", f"A:10.0.0.1:10.0.0.12 {B} {C} {D}")

    async def scene() -> None:
        world = ChangingWorld(lab, tmp_path)
        await world.push_new(FOUR)
        before = sum(world.reboots().values())
        world.keep("ABCD", "ABCD")
        if dead:
            world.network.lose_configuration(world.network.unit("10.0.0.2"))
        put_in_pair(world.network, "10.0.0.2", "10.0.0.12")
        world.by_hand(lambda: make_whole(world.network, "A", "10.0.0.12"), 200.0)
        plan = world.plan_of_change(FOUR, new)
        assert (await world.push(plan)).is_complete
        world.check_is(plan)
        assert sum(world.reboots().values()) - before == 2  # its own pair, and the one that is to link with it
        assert "10.0.0.2" not in str([unit.geo_partners for unit in world.network.units.values() if unit.is_up])

    run(scene())


def test_a_site_leaves_while_a_pair_waits_for_its_new_unit(tmp_path: Path) -> None:
    """A new box has nothing yet: that it lacks the cluster of who leaves is no sign of a link."""
    lab = topology("lab", f"{A} {B} {C} {D} E:10.0.0.12")
    new = topology("new", f"A:10.0.0.1:10.0.0.12 {B} {C}")

    async def scene() -> None:
        world = ChangingWorld(lab, tmp_path)
        await world.push_new(FOUR)
        world.keep("ABC", "BC")
        put_in_pair(world.network, "10.0.0.2", "10.0.0.12")
        world.by_hand(lambda: make_whole(world.network, "A", "10.0.0.12"), 400.0)
        plan = world.plan_of_change(FOUR, new)
        assert (await world.push(plan)).is_complete
        world.check_is(plan)

    run(scene())


# -- roles -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "address"),
    [
        pytest.param(FOUR, SWAPPED, "10.0.0.2", id="HA lets the cluster follow"),
        pytest.param(BOTH_NAT, BOTH_NAT_SWAPPED, "192.0.2.2", id="behind NAT it does not follow"),
    ],
)
def test_roles_that_the_units_hold_already_are_lists_and_the_address_of_the_cluster(
    tmp_path: Path, old: Topology, new: Topology, address: str
) -> None:
    async def scene() -> None:
        world = ChangingWorld(old, tmp_path)
        await world.push_new(old)
        swap_roles(world.network, "A")
        before = world.reboots()
        world.keep("ABCD", "BCD")
        plan = world.plan_of_change(old, new)
        assert (await world.push(plan)).is_complete
        world.check_is(plan)
        assert world.reboots() == before
        assert {clusters(world, site)["A"] for site in "ABCD"} == {address}
        assert world.active("A").remote_geo_access[-1:] != ("10.0.0.1",)

    run(scene())


def test_roles_that_the_units_do_not_hold_are_refused_with_both_ways(tmp_path: Path) -> None:
    async def scene() -> None:
        world = ChangingWorld(FOUR, tmp_path)
        await world.push_new(FOUR)
        sent, before = len(world.sent), world.reboots()
        with pytest.raises(PushRefusedError) as refused:
            await world.change(FOUR, SWAPPED)
        problem = next(each for each in refused.value.problems if "not on the units" in each)
        assert "10.0.0.2 slave, 10.0.0.1 master" in problem
        assert "put the roles in the file back" in problem
        assert "or swap the HA modes on both units by hand" in problem
        assert (len(world.sent), world.reboots()) == (sent, before)

    run(scene())


# -- a unit that stays is down -----------------------------------------------------------------------------------------

THREE = topology("three", f"{A} {B} {C}")
SPLIT = topology("split", f"{A} {B} {C} {D}", {"x": ["A", "B"], "y": ["C", "D"]})
MOVED = topology("moved", f"{A} {B} {C} {D}", {"x": ["A", "B", "D"], "y": ["C"]})
PLACED = {"cluster": {"location": {"latitude": 53.35, "longitude": -6.26}}}
LAB = topology("lab", f"{A} {B} {C} {D} E:10.0.0.77 F:10.0.0.12")


Begin = Callable[[ChangingWorld], None]


class Kind(NamedTuple):
    """A kind of change, and what happens to units before it is pushed."""

    old: Topology
    new: Topology
    together: str
    """The sites whose clusters A and B, which stay, keep all along."""
    begin: Begin = lambda _world: None
    replaced: tuple[str, ...] = ()


def _slave_moves(world: ChangingWorld) -> None:
    put_in_pair(world.network, "10.0.0.6", "10.0.0.12")
    world.by_hand(lambda: make_whole(world.network, "C", "10.0.0.12"), 100.0)


KINDS = {
    "a site joins": Kind(THREE, FOUR, "ABC"),
    "a site leaves": Kind(FOUR, THREE, "ABC"),
    "another address": Kind(FOUR, topology("n", f"{A} {B} {C} D:10.0.0.77"), "ABC"),
    "a slave's other address": Kind(FOUR, topology("n", f"{A} {B} C:10.0.0.5:10.0.0.12 {D}"), "ABCD", _slave_moves),
    "replaced where it was": Kind(
        FOUR,
        FOUR,
        "ABCD",
        lambda world: world.network.lose_configuration(world.network.unit("10.0.0.7")),
        ("10.0.0.7",),
    ),
    "renamed and placed": Kind(FOUR, topology("n", f"{A} {B} {C} DD:10.0.0.7", DD=PLACED), "ABC"),
    "a group splits": Kind(FOUR, SPLIT, "AB"),
    "a site moves": Kind(MOVED, SPLIT, "AB"),
    "two merge": Kind(SPLIT, FOUR, "AB"),
    "roles are swapped": Kind(
        FOUR, topology("n", f"{A} {B} C:10.0.0.6:10.0.0.5 {D}"), "ABCD", lambda world: swap_roles(world.network, "C")
    ),
}


@pytest.mark.parametrize(("down", "kind"), list(zip(cycle(["10.0.0.1", "10.0.0.2", "10.0.0.3"]), KINDS, strict=False)))
def test_no_change_begins_while_a_unit_that_stays_is_down(tmp_path: Path, kind: str, down: str) -> None:
    change = KINDS[kind]

    async def scene() -> None:
        world = ChangingWorld(LAB, tmp_path)
        await world.push_new(change.old)
        change.begin(world)
        world.simulation.power_off(down)
        await asyncio.sleep(10.0)
        sent = len(world.sent)
        with pytest.raises(PushRefusedError) as refused:
            await world.change(change.old, change.new, replaced=change.replaced)
        (problem,) = refused.value.problems
        assert f"{down} is down" in problem
        assert "see that it runs" in problem or "check that the unit is up" in problem
        assert len(world.sent) == sent

    run(scene())


@pytest.mark.parametrize("kind", KINDS)
def test_a_unit_that_stays_and_goes_down_meanwhile_costs_nothing(tmp_path: Path, kind: str) -> None:
    change = KINDS[kind]

    async def scene() -> None:
        world = ChangingWorld(LAB, tmp_path)
        await world.push_new(change.old)
        change.begin(world)
        world.keep(change.together, "AB")
        plan, down = world.plan_of_change(change.old, change.new, replaced=change.replaced), "10.0.0.3"

        def go_down(_address: str, _command: str) -> None:
            world.after_change = lambda _address, _command: None
            world.simulation.power_off(down)

        world.after_change = go_down
        with pytest.raises(PushStoppedError) as stopped:
            await world.push(plan)
        assert down in str(stopped.value)
        assert world.broken == []
        world.simulation.power_on(down)
        world.make_masters_active()
        await asyncio.sleep(60.0)
        assert (await world.change_to_the_end(plan, resume=True)).is_complete
        world.check_is(plan)

    run(scene())


# -- changes that are drawn --------------------------------------------------------------------------------------------


def test_no_drawn_change_of_units_loses_anything_or_could_do_with_fewer_reboots(seeds: range, tmp_path: Path) -> None:
    few = seeds[: max(1, len(seeds) // 10)]  # each is several pushes
    broken = {
        seed: found for seed in few if (found := run_simulated(simulate_units_change(seed, tmp_path / str(seed))))
    }
    assert not broken, "replay one with: python -m pytest tests/simulation/test_changed_units.py --seed N"


@pytest.mark.parametrize("seed", [150, 276])
def test_a_change_of_units_that_once_went_wrong_does_not_do_so_again(tmp_path: Path, seed: int) -> None:
    assert run_simulated(simulate_units_change(seed, tmp_path)) == []


@pytest.mark.parametrize("has_fqdn", [False, True])
def test_what_a_seed_replaces_is_not_named_for_hands(tmp_path: Path, has_fqdn: bool) -> None:
    """The last site of a group joins another one, where its former partner has a new unit and keeps its name."""
    lab = topology("lab", f"{A} {B} {C} {D} E:10.0.0.77")
    old = topology("old", f"{A} {B} {C} {D}", {"x": ["A", "B"], "y": ["C", "D"]})
    new = topology("new", f"{A} {B} {C} D:10.0.0.77", {"x": ["A", "B", "C", "D"]})

    async def scene() -> None:
        world = ChangingWorld(lab, tmp_path)
        await world.push_new(old)
        if has_fqdn:
            world.network.geo.put_fqdn(world.active("A"), "www.example.com")
            world.make_masters_active()
        world.keep("AB", "AB")
        plan = world.plan_of_change(old, new)
        if has_fqdn:
            assert (await world.push(plan, seed_by_api=True)).is_complete
            world.check_is(plan)
            return
        with pytest.raises(PushRefusedError) as refused:
            await world.push(plan)
        (problem,) = refused.value.problems
        assert "a group that nobody goes on with" in problem

    run(scene())
