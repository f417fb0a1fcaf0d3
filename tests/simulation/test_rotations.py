"""Rotations in a simulated world: never two pairs apart at once, and every end is the same secret on all units."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from geoplan.errors import PushRefusedError, PushStoppedError
from geoplan.lab.variants import Variant
from geoplan.loadmaster import Secret
from geoplan.plan.secret import make_rotation
from geoplan.push import journal
from geoplan.push.actions.rotate_partner_secret import Rotation
from geoplan.push.context import Stop
from geoplan.push.secret_guard import SecretGuard
from geoplan.push.secret_progress import SiteSecrets
from geoplan.push.secret_records import SettingSecret
from geoplan.push.secret_run import run_rotation
from geoplan.push.units_run import UnitsResult
from geoplan.topology.model import Topology
from geoplan.twin.loop import run_simulated
from geoplan.twin.rehearsal import Heard
from geoplan.twin.transport import Sent
from tests.simulation.courses import topology_of
from tests.simulation.rotations import BEFORE, NEW, OTHER, Rotated, RotationWorld, draw

PAIRS = topology_of("pps", random.Random(1))  # noqa: S311 - not for secrets


async def simulate(seed: int, folder: Path) -> list[str]:
    return await RotationWorld(draw(seed), seed, folder).run()


def test_no_seed_breaks_an_invariant_of_rotations(seeds: range, tmp_path: Path) -> None:
    broken = {seed: found for seed in seeds if (found := run_simulated(simulate(seed, tmp_path / str(seed))))}
    assert not broken, "replay one with: python -m pytest tests/simulation/test_rotations.py --seed N"


@pytest.mark.parametrize("variants", [(), (Variant.SECRETS_KEEP_HA,)])
@pytest.mark.parametrize("kill", range(10))
def test_kill_at_any_request_is_resumed_to_the_same_secret_everywhere(
    kill: int, variants: tuple[Variant, ...], tmp_path: Path
) -> None:
    assert run_simulated(killed_at(kill, variants, tmp_path)) == []


async def killed_at(kill: int, variants: tuple[Variant, ...], folder: Path) -> list[str]:
    course = Rotated(PAIRS, variants=variants, kills=[kill], secrets=(NEW, OTHER))
    return await RotationWorld(course, kill, folder).run()


def refusing(world: RotationWorld, *addresses: str) -> list[str]:
    """Let units refuse the command in the API's own words, until the list is emptied."""
    left = list(addresses)

    async def refuse(sent: Sent) -> httpx.Response | None:
        if not (sent.address in left and sent.call and sent.call.command == "setlmcommsecret"):
            return None
        return httpx.Response(200, json={"code": 403, "status": "fail", "message": "not here"}, request=sent.http)

    world.ways.append(refuse)
    return left


def held(world: RotationWorld) -> set[str | None]:
    return {unit.secret for unit in world.network.units.values()}


def test_standby_that_does_not_take_the_secret_leaves_the_pair_as_it_was(tmp_path: Path) -> None:
    async def go() -> None:
        world = RotationWorld(Rotated(PAIRS), 1, tmp_path)
        refusing(world, "10.0.1.2")
        await world.rotate(NEW)
        assert isinstance(world.ended, PushStoppedError)
        assert "its site has the secret that it had" in str(world.ended)
        assert held(world) == {BEFORE}
        assert world.broken == []

    run_simulated(go())


async def left_apart(world: RotationWorld) -> list[str]:
    """Have the first pair's units differ: its active unit refuses what the standby took."""
    left = refusing(world, "10.0.1.1")
    await world.rotate(NEW)
    assert isinstance(world.ended, PushStoppedError)
    assert "10.0.1.2 has the new Partner Shared Secret, 10.0.1.1 has the one before" in str(world.ended)
    assert world.unequal() == {"S1"}
    return left


def test_stop_while_the_pair_is_mended_says_that_it_is_in_place(tmp_path: Path) -> None:
    async def go() -> None:
        world = RotationWorld(Rotated(PAIRS), 1, tmp_path)
        left = await left_apart(world)
        left.clear()
        stop = Stop()

        async def request(sent: Sent) -> httpx.Response | None:
            if sent.call and sent.call.command == "setlmcommsecret":
                stop.request()
            return None

        world.ways.append(request)
        options = replace(world.options, resume=True, secret=Secret(NEW))
        async with world.connected_fleet() as fleet:
            with pytest.raises(PushStoppedError, match="in place  step 1\n"):
                await run_rotation(fleet, options, world.store, Heard(), stop=stop)

    run_simulated(go())


def test_way_back_takes_the_place_of_what_was_stopped_and_mends_the_pair_first(tmp_path: Path) -> None:
    async def go() -> None:
        world = RotationWorld(Rotated(PAIRS), 1, tmp_path)
        left = await left_apart(world)
        left.clear()
        (stopped,) = journal.histories(world.folder)
        world.plan = make_rotation(PAIRS, goes_back=True)
        world.options = world.options.__class__(has_way_back=True, accepts_links_down=True, undoes=stopped.name)
        await world.rotate(BEFORE)
        assert isinstance(world.ended, UnitsResult), (world.ended, getattr(world.ended, "problems", ""))
        assert held(world) == {BEFORE}
        assert all(history.is_finished for history in journal.histories(world.folder))
        assert world.broken == []

    run_simulated(go())


def test_rotation_after_one_that_was_abandoned_mends_what_that_left(tmp_path: Path) -> None:
    async def go() -> None:
        world = RotationWorld(Rotated(PAIRS), 1, tmp_path)
        left = await left_apart(world)
        left.clear()
        (stopped,) = journal.histories(world.folder)
        with journal.Journal(stopped.path, world.time) as opened:
            opened.write("end", outcome="abandoned", who="bal")
        await world.rotate(OTHER)
        assert isinstance(world.ended, UnitsResult), (world.ended, getattr(world.ended, "problems", ""))
        assert held(world) == {OTHER}
        assert world.broken == []

    run_simulated(go())


def stopped_last(world: RotationWorld) -> str:
    return journal.histories(world.folder)[-1].name


def abandon(world: RotationWorld) -> None:
    with journal.Journal(journal.histories(world.folder)[-1].path, world.time) as opened:
        opened.write("end", outcome="abandoned", who="bal")


def go_back(world: RotationWorld, undoes: str | None) -> None:
    world.plan = make_rotation(world.course.topology, goes_back=True)
    world.options = replace(world.options, undoes=undoes)


def given(world: RotationWorld) -> list[str]:
    """Return the units that were sent a secret by the push that began last."""
    records = journal.histories(world.folder)[-1].records
    return [each.unit for each in records if isinstance(each, SettingSecret)]


@pytest.mark.parametrize("way", ["on", "back", "anew"])
def test_pair_that_differs_is_mended_whatever_is_down_elsewhere(way: str, tmp_path: Path) -> None:
    async def go() -> None:
        world = RotationWorld(Rotated(topology_of("pps", random.Random(1))), 1, tmp_path)  # noqa: S311
        refused = refusing(world, "10.0.2.1")
        await world.rotate(NEW)
        assert world.unequal() == {"S2"}
        refused.clear()
        world.simulation.power_off("10.0.3.1" if way != "back" else "10.0.1.1")
        if way == "anew":
            abandon(world)
        elif way == "back":
            go_back(world, stopped_last(world))
        await world.rotate({"on": NEW, "back": BEFORE, "anew": OTHER}[way], resume=way == "on")
        assert isinstance(world.ended, PushStoppedError), (world.ended, getattr(world.ended, "problems", ""))
        assert world.unequal() == set()
        assert given(world)[-2:] == ["10.0.2.2", "10.0.2.1"]
        assert f"10.0.{1 if way == 'back' else 3}.1: " in str(world.ended)
        world.simulation.power_on("10.0.3.1" if way != "back" else "10.0.1.1")
        world.make_masters_active(preferred_alone=True)
        await asyncio.sleep(90.0)
        world.options = replace(world.options, undoes=None)
        wanted = BEFORE if way == "back" else NEW
        await world.rotate(wanted, resume=True)
        assert isinstance(world.ended, UnitsResult), (world.ended, getattr(world.ended, "problems", ""))
        assert held(world) == {wanted}
        assert world.broken == []

    run_simulated(go())


def test_way_back_needs_no_unit_that_was_never_given_the_secret(tmp_path: Path) -> None:
    async def go() -> None:
        world = RotationWorld(Rotated(PAIRS), 1, tmp_path)
        refused = refusing(world, "10.0.2.2")
        await world.rotate(NEW)
        assert isinstance(world.ended, PushStoppedError)
        refused.clear()
        world.simulation.power_off("10.0.2.1")
        world.simulation.power_off("10.0.3.1")
        go_back(world, stopped_last(world))
        await world.rotate(BEFORE)
        assert isinstance(world.ended, UnitsResult), (world.ended, getattr(world.ended, "problems", ""))
        assert held(world) == {BEFORE}
        assert set(given(world)) == {"10.0.1.1", "10.0.1.2"}
        assert world.broken == []

    run_simulated(go())


def test_way_back_of_a_whole_rotation_is_of_all_units(tmp_path: Path) -> None:
    async def go() -> None:
        world = RotationWorld(Rotated(PAIRS), 1, tmp_path)
        await world.rotate(NEW)
        go_back(world, None)
        await world.rotate(BEFORE)
        assert isinstance(world.ended, UnitsResult)
        assert held(world) == {BEFORE}
        assert world.broken == []

    run_simulated(go())


def test_no_pair_is_left_split_by_a_unit_of_another_site_that_is_dead(seeds: range, tmp_path: Path) -> None:
    broken = {seed: found for seed in seeds if (found := run_simulated(with_one_dead(seed, tmp_path / str(seed))))}
    assert not broken


async def with_one_dead(seed: int, folder: Path) -> list[str]:
    """Kill a rotation at a request, and go on or back while a unit of another site is dead."""
    chance = random.Random(f"dead {seed}")  # noqa: S311 - not for secrets
    topology = topology_of(chance.choice(["pps", "ppp", "sps", "pp"]), chance)
    course = Rotated(topology, kills=[chance.randrange(4 * len(topology.sites))])
    world = RotationWorld(course, seed, folder)
    await world.rotate(NEW)
    if not world.is_unfinished:
        return world.broken
    (history,) = journal.histories(world.folder)
    begun = {each.site for each in history.records if isinstance(each, SettingSecret)}
    split = world.unequal()
    dead = chance.choice([unit for site in topology.sites if site.name not in split for unit in site.units])
    of_dead = next(site.name for site in topology.sites if dead in site.units)
    world.simulation.power_off(dead.address)
    way = chance.choice(["on", "back"])
    if way == "back":
        go_back(world, stopped_last(world))
    await world.rotate(BEFORE if way == "back" else NEW, resume=way == "on")
    if split := world.unequal():
        world.watch.say(f"{way} with {dead.address} dead leaves {split} split: {world.ended!r}")
    if way == "back" and of_dead not in begun and not isinstance(world.ended, UnitsResult):
        world.watch.say(f"the way back waits for {dead.address}, which has nothing to go back from: {world.ended!r}")
    if way == "back" and begun.isdisjoint([of_dead]) and held(world) != {BEFORE}:
        world.watch.say(f"after the way back: {held(world)}")
    if way == "back" and (sent := set(given(world))) - units_of(topology, begun):
        world.watch.say(f"the way back was sent to {sent}")
    return world.broken


def units_of(topology: Topology, sites: set[str]) -> set[str]:
    return {unit.address for site in topology.sites if site.name in sites for unit in site.units}


def test_pair_that_is_not_whole_is_not_begun(tmp_path: Path) -> None:
    async def go() -> None:
        world = RotationWorld(Rotated(PAIRS), 1, tmp_path)
        world.simulation.power_off("10.0.2.2")
        await world.rotate(NEW)
        assert isinstance(world.ended, PushRefusedError)
        assert held(world) == {BEFORE}

    run_simulated(go())


# -- behind each guard a mutation --------------------------------------------------------------------------------------


async def _active_first(rotation: Rotation) -> tuple[str, ...]:
    return tuple(unit.address for unit in rotation._site.units)


async def _at_once(_rotation: Rotation, *_given: Any, **_options: Any) -> Any:
    return True


def _nothing(*_given: Any, **_options: Any) -> None:
    return


MUTATIONS: dict[str, tuple[list[tuple[object, str, object]], str]] = {
    "the active unit comes first": (
        [
            (Rotation, "_in_order_of_states", _active_first),
            (Rotation, "_may_begin", _at_once),
            (SecretGuard, "before_secret", _nothing),
        ],
        "before its standby",
    ),
    "the guard alone keeps the active unit from coming first": (
        [(Rotation, "_in_order_of_states", _active_first), (Rotation, "_may_begin", _at_once)],
        "never comes to its end",
    ),
    "a pair that may differ is not mended first": (
        [(SiteSecrets, "needs_mending", False)],
        "never comes to its end",
    ),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_mutation_of_rotations_is_caught(mutation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patches, said = MUTATIONS[mutation]
    for of, name, mutated in patches:
        monkeypatch.setattr(of, name, mutated)
    found = run_simulated(killed_at(5, (), tmp_path))
    assert found
    assert any(said in each for each in found), found
