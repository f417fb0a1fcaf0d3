"""Reboots that one push left out: every later push knows them, whatever it changes and whatever it is about."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from geoplan.errors import PushRefusedError
from geoplan.plan.model import Phase, Plan
from geoplan.plan.planner import make_plan
from geoplan.push.abandoning import abandon
from geoplan.push.options import RebootMode
from geoplan.push.past_pushes import as_plain
from geoplan.push.reboots import owed_to
from geoplan.topology.model import Topology
from geoplan.twin.loop import run_simulated
from tests.push.support import real_store
from tests.simulation.changes import ChangingWorld, topology

A, B, C = "A:10.0.0.1:10.0.0.2", "B:10.0.0.3:10.0.0.4", "C:10.0.0.5"
TWO = topology("two", f"{A} {B}")
THREE = topology("three", f"{A} {B} {C}")
FOUR = topology("four", f"{A} {B} {C} D:10.0.0.7")
RENAMED = topology("renamed", f"{A.replace('A', 'Dublin')} {B} {C}")
ONE_PAIR = topology("one pair", f"{A} {C}")


def planned(world: ChangingWorld, old: Topology, new: Topology, **how: Any) -> Plan:
    """Plan a change as a push does: with the reboots that earlier pushes on its units have left out."""
    plan = world.plan_of_change(old, new, **how)
    return world.plan_of_change(old, new, owing=owed_to(plan, real_store(world.folder, plan).past()), **how)


def more_reboots(world: ChangingWorld, before: dict[str, int]) -> dict[str, int]:
    return {unit: more for unit, count in world.reboots().items() if (more := count - before.get(unit, 0))}


async def left_out(folder: Path, lab: Topology = FOUR) -> ChangingWorld:
    """Let a site join without the reboots that link the slaves of the two pairs with it."""
    world = ChangingWorld(lab, folder)
    await world.push_new(TWO)
    result = await world.change(TWO, THREE, reboot=RebootMode.NEVER)
    assert set(result.unfinished_pairs) == {"A", "B"}
    assert world.red_in_any_state()
    world.make_masters_active()
    return world


# -- by a change ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "rebooted"),
    [
        pytest.param(THREE, THREE, "AB", id="nothing changes"),
        pytest.param(THREE, RENAMED, "AB", id="a site is renamed"),
        pytest.param(THREE, FOUR, "AB", id="a site joins"),
        pytest.param(THREE, TWO, "", id="who it is owed to leaves, and takes the debt along"),
        pytest.param(THREE, ONE_PAIR, "A", id="another pair leaves, and takes its own along"),
    ],
)
def test_a_change_of_any_kind_does_the_reboots_that_are_due(
    tmp_path: Path, old: Topology, new: Topology, rebooted: str
) -> None:
    async def scene() -> None:
        world = await left_out(tmp_path)
        before = world.reboots()
        plan = planned(world, old, new)
        result = await world.push(plan)
        assert result.is_complete, (result.unfinished_pairs, result.report.differences)
        world.check_is(plan)
        masters = {"A": "10.0.0.1", "B": "10.0.0.3"}
        assert more_reboots(world, before) == {masters[pair]: 1 for pair in rebooted}
        again = await world.push(planned(world, new, new))
        assert (again.is_complete, again.journal) == (True, None), "nothing is due any more"

    run_simulated(scene())


@pytest.mark.parametrize(
    "options", [pytest.param({}, id="a plan without them"), pytest.param({"reboot": RebootMode.NEVER}, id="never")]
)
def test_a_change_that_may_not_reboot_says_which_pairs_are_not_finished(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    async def scene() -> None:
        world = await left_out(tmp_path)
        before = world.reboots()
        for new in (THREE, RENAMED):
            plan = planned(world, THREE, new) if options else world.plan_of_change(THREE, new)
            result = await world.push(plan, **options)
            assert (result.is_complete, set(result.unfinished_pairs)) == (False, {new.sites[0].name, "B"})
        assert world.reboots() == before

    run_simulated(scene())


@pytest.mark.parametrize("at", range(1, 6))
def test_a_push_that_does_what_is_due_is_killed_and_goes_on_by_the_same_plan(tmp_path: Path, at: int) -> None:
    async def scene() -> None:
        world = await left_out(tmp_path)
        before, plan = world.reboots(), planned(world, THREE, RENAMED)
        await killed(world, plan, at)
        again = planned(world, THREE, RENAMED)
        assert again.checksum == plan.checksum, "what is paid in between makes no other plan"
        await world.time.sleep(100.0)
        world.make_masters_active()
        assert (await world.push(again, resume=True)).is_complete
        world.check_is(plan)
        assert set(more_reboots(world, before)) == {"10.0.0.1", "10.0.0.3"}

    run_simulated(scene())


async def killed(world: ChangingWorld, plan: Plan, at: int) -> None:
    """Push a plan, and kill that after so many commands that change a unit."""
    pushing, begun = asyncio.ensure_future(world.push(plan)), len(world.sent)

    def kill(_address: str, _command: str) -> None:
        if len(world.sent) - begun == at:
            pushing.cancel()

    world.after_change = kill
    with pytest.raises(asyncio.CancelledError):
        await pushing


# -- by a new box ------------------------------------------------------------------------------------------------------


def debts(world: ChangingWorld, plan: Plan) -> Any:
    """Return what ``push --status`` tells programs of units that owe something."""
    told = as_plain(real_store(world.folder, plan).past(), plan)["debts"]
    assert isinstance(told, dict)
    return {unit: set(owed["due"]) for unit, owed in told.items() if owed["due"]}


@pytest.mark.parametrize("how", ["never", "stopped"])
@pytest.mark.parametrize("lost", ["10.0.0.2", "10.0.0.1"], ids=["slave", "master"])
def test_the_reboot_for_a_new_box_stays_due_until_its_slave_has_submitted(tmp_path: Path, how: str, lost: str) -> None:
    async def scene() -> None:
        world = ChangingWorld(THREE, tmp_path)
        await world.push_new(THREE)
        world.make_masters_active()
        if lost == "10.0.0.1":
            world.simulation.fail_over("A")
        world.network.lose_configuration(world.network.unit(lost))
        await world.time.sleep(100.0)
        world.make_masters_active()
        before = world.reboots()
        change = planned(world, THREE, THREE, replaced=(lost,))
        if how == "never":
            result = await world.push(change, reboot=RebootMode.NEVER)
            assert "A" in result.unfinished_pairs
        else:
            await killed(world, change, 1)
            abandon(real_store(world.folder, change), world.time, lambda _past, _history: None)
        plain = make_plan(THREE, (Phase.GEO,))
        assert debts(world, plain) == {"10.0.0.2": {"10.0.0.3", "10.0.0.4", "10.0.0.5"}}
        world.make_masters_active()
        result = await world.push(plain)
        assert more_reboots(world, before) == {"10.0.0.1": 1}
        assert result.report.is_in_place
        assert not debts(world, plain)
        world.check_is(plain)

    run_simulated(scene())


def test_a_pair_without_room_for_the_reboot_that_its_new_box_needs_blocks_the_push_before_any_change(
    tmp_path: Path,
) -> None:
    async def scene() -> None:
        world = ChangingWorld(THREE, tmp_path)
        await world.push_new(THREE)
        world.make_masters_active()
        plain = make_plan(THREE, (Phase.GEO,))
        for _ in range(2):
            await world.time.sleep(60.0)
            world.make_masters_active()
            await world.push(plain, reboot_sites=("A",))
        world.network.lose_configuration(world.network.unit("10.0.0.2"))
        await world.time.sleep(20.0)
        world.make_masters_active()
        sent = len(world.sent)
        with pytest.raises(PushRefusedError) as refused:
            await world.push(planned(world, THREE, THREE, replaced=("10.0.0.2",)))
        (problem,) = refused.value.problems
        assert "10.0.0.1: it was rebooted 3 times in 5 minutes" in problem
        assert len(world.sent) == sent

    run_simulated(scene())
