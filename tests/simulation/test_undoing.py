"""Pushes that are taken back, in simulated time: on every unit lists and clusters are as they were before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from geoplan.errors import GeoplanError, PushRefusedError
from geoplan.plan.change import make_change
from geoplan.plan.model import Action
from geoplan.plan.planner import make_plan
from geoplan.push.options import Options
from geoplan.push.run import PushResult
from geoplan.push.undoing import LAST, find_push, name_of, undoing
from geoplan.twin.loop import run_simulated
from geoplan.twin.script import Script
from tests.push.support import real_store
from tests.simulation.leaves import A1, Kill, Leave, topology
from tests.simulation.world import BOOT, World

FRESH_CHANGES = 11
"""The changing requests of a push of a pair and a standalone: four lists, a reboot, two submissions, two clusters."""

State = dict[str, tuple[frozenset[str], frozenset[str], frozenset[str]]]


def held(begun: Leave) -> State:
    """Return each unit's two lists and the names of its clusters."""
    return {
        unit.address: (
            frozenset(unit.remote_geo_access),
            frozenset(unit.geo_partners),
            frozenset(begun.names(unit.address)),
        )
        for unit in begun.world.network.units.values()
    }


def fresh(folder: Path, names: str = "AB", **of_topology: Any) -> Leave:
    """Return a world in which nothing was pushed yet."""
    new = topology(names, **of_topology)
    return Leave(World(Script(new, "7.2.59.4", Options()), 1, folder), new, new)


def play(make: Callable[[], Leave], act: Callable[[Leave], Awaitable[None]]) -> None:
    async def go() -> None:
        await act(make())

    run_simulated(go())


async def settle(begun: Leave) -> None:
    """Let boots and failovers come to their end, and what is on its way arrive."""
    await begun.world.time.sleep(4 * BOOT)
    await begun.settle()


async def take_back(
    begun: Leave, *, kill: Kill | None = None, resume: bool = False
) -> PushResult | GeoplanError | None:
    """Take the last push back, or go on with that."""
    world = begun.world
    store = real_store(world.folder, world.plan)
    if not resume:
        found = undoing(find_push(store, LAST))
        world.former.append(world.plan)
        world.plan = type(found.plan).model_validate_json(found.plan.model_dump_json())
        world.options = replace(world.options, undoes=found.name)
    return await begun.push(resume=resume, kill=kill)


@pytest.mark.parametrize("of_topology", [{}, {"nat": True}, {"preferred": "none"}], ids=["plain", "nat", "no host"])
def test_finished_push_is_taken_back_without_a_reboot(tmp_path: Path, of_topology: dict[str, Any]) -> None:
    async def act(begun: Leave) -> None:
        before = held(begun)
        assert isinstance(await begun.push(), PushResult)
        await settle(begun)
        reboots = begun.reboots
        ended = await take_back(begun)
        assert isinstance(ended, PushResult), ended
        assert ended.is_complete, ended.report.differences
        await settle(begun)
        assert held(begun) == before
        assert begun.reboots == reboots == 1
        assert begun.world.broken == []

    play(lambda: fresh(tmp_path, **of_topology), act)


@pytest.mark.parametrize("is_taken", [False, True], ids=["not taken", "taken"])
@pytest.mark.parametrize("at", range(1, FRESH_CHANGES))
def test_push_that_was_killed_at_any_change_is_taken_back(tmp_path: Path, at: int, is_taken: bool) -> None:
    async def act(begun: Leave) -> None:
        before = held(begun)
        assert await begun.push(kill=Kill(at, is_taken)) is None
        await settle(begun)
        try:
            ended = await take_back(begun)
        except PushRefusedError:
            ended = None  # nothing was changed yet
        if ended is not None:
            assert isinstance(ended, PushResult), (ended, getattr(ended, "problems", ""))
            assert ended.is_complete, ended.report.differences
        await settle(begun)
        assert held(begun) == before
        assert begun.world.broken == []
        unfinished = real_store(begun.world.folder, begun.world.plan).past().unfinished
        assert unfinished is None or not unfinished.has_changes

    play(lambda: fresh(tmp_path), act)


@pytest.mark.parametrize("at", range(1, 8))
def test_taking_back_is_killed_and_resumed(tmp_path: Path, at: int) -> None:
    async def act(begun: Leave) -> None:
        before = held(begun)
        assert isinstance(await begun.push(), PushResult)
        await settle(begun)
        assert await take_back(begun, kill=Kill(at, is_taken=at % 2 == 0)) is None
        ended = await take_back(begun, resume=True)
        assert isinstance(ended, PushResult), (ended, getattr(ended, "problems", ""))
        await settle(begun)
        assert held(begun) == before
        assert begun.world.broken == []

    play(lambda: fresh(tmp_path), act)


def test_what_somebody_changed_since_is_a_refusal(tmp_path: Path) -> None:
    async def act(begun: Leave) -> None:
        assert isinstance(await begun.push(), PushResult)
        await settle(begun)
        unit = begun.world.network.unit(A1)
        begun.world.network.set_parameter(unit, "geoclients", (*unit.remote_geo_access, "198.51.100.9"))
        before = held(begun)
        ended = await take_back(begun)
        assert isinstance(ended, PushRefusedError), ended
        assert "198.51.100.9" in " ".join(ended.problems)
        assert held(begun) == before

    play(lambda: fresh(tmp_path), act)


def test_a_join_is_taken_back_as_a_leave_and_a_leave_as_a_join(tmp_path: Path) -> None:
    four = topology("ABCD")

    async def act(begun: Leave) -> None:
        world = begun.world
        four_plan, world.plan = world.plan, make_plan(topology("AB"))
        assert isinstance(await begun.push(), PushResult)
        await settle(begun)
        two = held(begun)
        reboots = begun.reboots
        world.former.append(world.plan)
        world.plan = make_change(four, world.plan)
        assert isinstance(joined := await begun.push(), PushResult), (joined, getattr(joined, "problems", ""))
        await settle(begun)
        assert begun.reboots == reboots + 2
        of_four = held(begun)

        left = await take_back(begun)
        assert isinstance(left, PushResult), (left, getattr(left, "problems", ""))
        assert left.is_complete, left.report.differences
        await settle(begun)
        lone: State = {
            address: (frozenset({address}), frozenset(), frozenset()) for address in ("10.0.3.1", "10.1.4.1")
        }
        after = held(begun)
        assert {address: after[address] for address in lone} == lone
        assert {each: after[each] for each in ("10.0.1.1", "10.0.1.2", "10.1.2.1")} == {
            each: two[each] for each in ("10.0.1.1", "10.0.1.2", "10.1.2.1")
        }
        assert begun.reboots == reboots + 2

        world.options = replace(world.options, undoes=None)
        world.former.append(world.plan)
        world.plan = make_change(four, make_plan(topology("AB")))
        assert isinstance(await begun.push(), PushResult)
        await settle(begun)
        world.former.append(world.plan)
        world.plan = make_change(topology("AB"), four_plan)
        assert isinstance(await begun.push(), PushResult)
        await settle(begun)
        again = await take_back(begun)
        assert isinstance(again, PushResult), (again, getattr(again, "problems", ""))
        await settle(begun)
        assert held(begun) == of_four
        assert Action.REBOOT_MASTER in {step.action for step in world.plan.steps}
        assert world.broken == []

    play(lambda: fresh(tmp_path, "ABCD"), act)


def test_the_last_push_that_stands_is_meant(tmp_path: Path) -> None:
    async def act(begun: Leave) -> None:
        assert isinstance(await begun.push(), PushResult)
        await settle(begun)
        store = real_store(begun.world.folder, begun.world.plan)
        pushed = name_of(find_push(store, LAST))
        assert isinstance(await take_back(begun), PushResult)
        with pytest.raises(PushRefusedError, match="nothing to take back"):
            find_push(store, LAST)
        assert name_of(find_push(store, pushed)) == pushed

    play(lambda: fresh(tmp_path), act)
