"""Pushes that are taken back, in simulated time: on every unit lists and clusters are as they were before."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from geoplan.errors import GeoplanError, PushRefusedError, PushStoppedError
from geoplan.lab.device.geo import Cluster
from geoplan.lab.device.unit import HaParameters
from geoplan.plan.change import make_change
from geoplan.plan.model import Action
from geoplan.plan.planner import make_plan
from geoplan.push.options import Options
from geoplan.push.run import PushResult
from geoplan.push.undoing import LAST, find_push, undoing
from geoplan.twin.loop import run_simulated
from geoplan.twin.script import Script
from tests.push.support import real_store
from tests.simulation.leaves import A1, A4, M1, M3, S1, Kill, Leave, topology
from tests.simulation.world import BOOT, World

FRESH_CHANGES = 11
"""The changing requests of a push of a pair and a standalone: four lists, a reboot, two submissions, two clusters."""

State = dict[str, tuple[frozenset[str], frozenset[str], frozenset[tuple[str, str]], HaParameters]]
Green = frozenset[tuple[tuple[str, ...], str, str]]


def held(begun: Leave) -> State:
    """Return each unit's two lists, its clusters by name and type, and its HA parameters."""
    geo = begun.world.network.geo
    return {
        unit.address: (
            frozenset(unit.remote_geo_access),
            frozenset(unit.geo_partners),
            frozenset((cluster.name, cluster.type) for _, cluster in geo.clusters(unit)),
            replace(unit.ha),
        )
        for unit in begun.world.network.units.values()
    }


def green_links(begun: Leave) -> Green:
    """Return every link that is green, in every HA state: who is active in each pair, who sees whom."""
    network = begun.world.network
    pairs = list(network.pairs.values())
    before = [pair.active for pair in pairs]
    green: set[tuple[tuple[str, ...], str, str]] = set()
    for state in product(("master", "slave"), repeat=len(pairs)):
        for pair, wanted in zip(pairs, state, strict=True):
            pair.active = getattr(pair, wanted)
        for unit in filter(network.is_active, network.units.values()):
            green |= {(state, unit.address, other) for other, is_green in network.partners.status_of(unit) if is_green}
    for pair, active in zip(pairs, before, strict=True):
        pair.active = active
    return frozenset(green)


class Before(NamedTuple):
    """What there was before a push that is taken back."""

    held: State
    green: Green
    reboots: int


def seen(begun: Leave) -> Before:
    return Before(held(begun), green_links(begun), begun.reboots)


class New(NamedTuple):
    """What a change leads to, and what stood before it."""

    groups: Mapping[str, list[str]] | None = None
    stood: Mapping[str, str] = MappingProxyType({})
    """The clusters that sites have before they join."""


AS_FRESH = New()


async def changed(
    begun: Leave,
    names: str,
    to: str,
    new: New = AS_FRESH,
    *,
    faults: Iterable[str] = (),
    **how: Any,
) -> tuple[Before, Any]:
    """Push the sites of these names, then the change to others; return what there was before that, and its end."""
    world = begun.world
    world.plan = make_plan(topology(names))
    assert isinstance(await begun.push(), PushResult)
    await settle(begun)
    for name, clusters in new.stood.items():
        stand(begun, name, clusters)
    await settle(begun)
    before = seen(begun)
    world.former.append(world.plan)
    world.plan = make_change(topology(to, groups=new.groups), world.plan)
    for fault in faults:
        world.simulation.inject(fault)
    ended = await begun.push(**how)
    for number in [fault.number for fault in world.simulation.faults]:
        world.simulation.faults.lift(number)
    await settle(begun)
    return before, ended


def stand(begun: Leave, name: str, clusters: str) -> None:
    """Let a site have clusters of these names, each as the plan of all four sites has it."""
    network, addresses = begun.world.network, {"A": M1, "B": A1, "C": M3, "D": A4}
    unit = network.unit(addresses[name])
    for cluster in clusters:
        network.geo.put_cluster(unit, Cluster(addresses[cluster], cluster, "remoteLM"))


def assert_as_before(begun: Leave, before: Before) -> None:
    """See that all is as it was on each unit, whether it has joined or not, and every link green that was so."""
    assert held(begun) == before.held
    assert before.green <= green_links(begun), sorted(before.green - green_links(begun))
    assert begun.world.broken == []


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


def test_a_cluster_that_a_change_deleted_comes_back_where_it_was_and_what_used_it_is_named(tmp_path: Path) -> None:
    async def act(begun: Leave) -> None:
        world, geo = begun.world, begun.world.network.geo
        world.plan = make_plan(topology("ABCD"))
        assert isinstance(await begun.push(), PushResult)
        await settle(begun)
        master = world.network.unit(A1)
        cluster = geo.find_cluster(master, A4)
        assert cluster
        geo.put_cluster(master, replace(cluster, latitude_seconds=192000, longitude_seconds=-21600, enabled=False))
        geo.put_fqdn(master, "www.example.com")
        geo.put_map(master, next(geo.fqdns(master)), "198.51.100.7", "D")
        await settle(begun)
        world.former.append(world.plan)
        world.plan = make_change(topology("AB"), make_plan(topology("ABCD")))
        world.options = replace(world.options, accept_fqdn_loss=True)
        left = await begun.push()
        assert isinstance(left, PushResult), (left, getattr(left, "problems", ""))
        await settle(begun)
        found = undoing(find_push(real_store(world.folder, world.plan), LAST))
        location = found.plan.cluster("D").location
        assert location
        assert (round(location.latitude, 4), round(location.longitude, 4)) == (53.3333, -6.0)
        assert found.plan.cluster("A").location is None
        disabled, used = found.left
        assert disabled == "the cluster 'D' was disabled: disable it again at Global Balancing > Manage Clusters"
        assert used.startswith("the FQDN 'www.example.com' used the cluster 'D' for 198.51.100.7: give it that again")

    play(lambda: fresh(tmp_path, "ABCD"), act)


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
        assert held(begun) == two
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
        pushed = find_push(store, LAST).name
        assert isinstance(await take_back(begun), PushResult)
        with pytest.raises(PushRefusedError, match="nothing to take back"):
            find_push(store, LAST)
        assert find_push(store, pushed).name == pushed

    play(lambda: fresh(tmp_path), act)


JOIN_CHANGES = 17
"""The changing requests of two sites that join: clusters on them, lists of all, two reboots, submissions, clusters."""
LEAVE_CHANGES = 12
"""Those of two sites that leave: the lists of all, and each one's cluster on it and on those that stay."""


@pytest.mark.parametrize("at", [None, *range(1, JOIN_CHANGES + 1)])
def test_a_join_is_taken_back_wherever_it_was_killed_without_a_reboot(tmp_path: Path, at: int | None) -> None:
    async def act(begun: Leave) -> None:
        before, ended = await changed(begun, "AB", "ABCD", kill=Kill(at, is_taken=at % 2 == 0) if at else None)
        assert (ended is None) is (at is not None), ended
        reboots = begun.reboots
        ended = await take_back(begun)
        assert isinstance(ended, PushResult), (ended, getattr(ended, "problems", ""))
        await settle(begun)
        assert_as_before(begun, before)
        assert begun.reboots == reboots

    play(lambda: fresh(tmp_path, "ABCD"), act)


@pytest.mark.parametrize("at", [None, *range(1, LEAVE_CHANGES + 1)])
def test_a_leave_is_taken_back_wherever_it_was_killed(tmp_path: Path, at: int | None) -> None:
    async def act(begun: Leave) -> None:
        before, ended = await changed(begun, "ABCD", "AB", kill=Kill(at, is_taken=at % 2 == 0) if at else None)
        assert (ended is None) is (at is not None), ended
        reboots = begun.reboots
        ended = await take_back(begun)
        assert isinstance(ended, PushResult), (ended, getattr(ended, "problems", ""))
        await settle(begun)
        assert_as_before(begun, before)
        assert begun.reboots - reboots <= 2
        assert begun.reboots - reboots == 2 or at

    play(lambda: fresh(tmp_path, "ABCD"), act)


REBOOTS_OF_STOPPED = {("AB", "ABCD"): 0, ("ABCD", "AB"): 1, ("ABC", "ABD"): 1}
"""The pair that stays had lost its partners before the stop, or had not got any yet."""


@pytest.mark.parametrize(("names", "to"), [("AB", "ABCD"), ("ABCD", "AB"), ("ABC", "ABD")])
def test_a_change_that_stopped_is_taken_back(tmp_path: Path, names: str, to: str) -> None:
    async def act(begun: Leave) -> None:
        lost = [f"ignore,unit={A1},command=set:geopartners,occurrence={number}" for number in range(1, 9)]
        before, ended = await changed(begun, names, to, faults=lost)
        assert isinstance(ended, PushStoppedError), ended
        rebooted = begun.reboots
        ended = await take_back(begun)
        assert isinstance(ended, PushResult), (ended, getattr(ended, "problems", ""))
        await settle(begun)
        assert begun.reboots - rebooted == REBOOTS_OF_STOPPED[names, to]
        assert_as_before(begun, before)

    play(lambda: fresh(tmp_path, "ABCD"), act)


def test_no_drawn_change_that_is_taken_back_leaves_anything_however_often_it_is_killed(
    seeds: range, tmp_path: Path
) -> None:
    for seed in seeds[: max(1, len(seeds) // 5)]:
        chance = random.Random(f"undo {seed}")  # noqa: S311 - not for secrets
        play(partial(fresh, tmp_path / str(seed), "ABCD"), partial(taken_back_by_chance, chance))


async def taken_back_by_chance(chance: random.Random, begun: Leave) -> None:
    """Kill a change and its undo, each at any request or not at all, with faults meanwhile; go on until it is done."""
    names, to = chance.choice([("AB", "ABCD"), ("AB", "ABCD"), ("ABCD", "AB"), ("ABC", "ABD")])
    stood = draw_standing(chance, [name for name in to if name not in names])
    before, _ = await changed(begun, names, to, New(stood=stood), kill=drawn_kill(chance))
    for _ in range(chance.choice([0, 1, 2])):
        what = chance.choice(["set:geopartners", "set:geoclients", "delcluster", "listclusters"])
        kind, unit = chance.choice(["reset", "truncate", "ignore"]), chance.choice([M1, S1, A1, M3, A4])
        begun.world.simulation.inject(f"{kind},unit={unit},command={what},occurrence={chance.randint(1, 3)}")
    ended = await take_back(begun, kill=drawn_kill(chance))
    for _ in range(6):
        if isinstance(ended, PushResult):
            break
        begun.world.lift()
        await settle(begun)
        for site, pair in begun.world.network.pairs.items():
            if pair.active is pair.slave:
                begun.world.simulation.fail_over(site)
        await settle(begun)
        ended = await take_back(begun, resume=not isinstance(ended, PushRefusedError))
    assert isinstance(ended, PushResult), (ended, getattr(ended, "problems", ""))
    begun.world.lift()
    await settle(begun)
    assert_as_before(begun, before)


def draw_standing(chance: random.Random, joining: Iterable[str]) -> dict[str, str]:
    """Draw which clusters sites have before they join, such as an earlier push has left there that was killed."""
    return {name: "".join(c for c in "ABCD" if chance.random() < 0.4) for name in joining if chance.random() < 0.5}


def drawn_kill(chance: random.Random) -> Kill | None:
    return Kill(chance.randint(1, 14), is_taken=chance.random() < 0.5) if chance.random() < 0.6 else None


def test_a_change_in_which_each_side_has_units_of_its_own_is_taken_back(tmp_path: Path) -> None:
    async def act(begun: Leave) -> None:
        before, ended = await changed(begun, "ABC", "ABD")
        assert isinstance(ended, PushResult), (ended, getattr(ended, "problems", ""))
        ended = await take_back(begun)
        assert isinstance(ended, PushResult), (ended, getattr(ended, "problems", ""))
        await settle(begun)
        assert_as_before(begun, before)

    play(lambda: fresh(tmp_path, "ABCD"), act)


TWO_AND_TWO = {"main": ["A", "B"], "y": ["C", "D"]}


@pytest.mark.parametrize("at", [None, *range(1, 12)])
@pytest.mark.parametrize(
    ("to", "groups", "had"),
    [
        ("ABCD", TWO_AND_TWO, ""),
        ("ABCD", TWO_AND_TWO, "C"),
        ("ABCD", TWO_AND_TWO, "CD"),
        ("ABD", {"main": ["A", "B"], "y": ["D"]}, ""),
        ("ABC", {"main": ["A", "B"], "y": ["C"]}, ""),
        ("ABCD", {"main": ["A", "B", "C"], "y": ["D"]}, ""),
    ],
)
def test_a_group_that_a_change_has_made_is_taken_back_wherever_it_was_killed(
    tmp_path: Path, to: str, groups: dict[str, list[str]], had: str, at: int | None
) -> None:
    async def act(begun: Leave) -> None:
        stood = dict.fromkeys(groups["y"], had)
        kill = Kill(at, is_taken=at % 2 == 0) if at else None
        before, ended = await changed(begun, "AB", to, New(groups, stood), kill=kill)
        assert ended is None or isinstance(ended, PushResult), (ended, getattr(ended, "problems", ""))
        reboots = begun.reboots
        if held(begun) != before.held:
            ended = await take_back(begun)
            assert isinstance(ended, PushResult), (ended, getattr(ended, "problems", ""))
            assert ended.is_complete, ended.report.differences
        await settle(begun)
        assert_as_before(begun, before)
        assert begun.reboots == reboots

    play(lambda: fresh(tmp_path, "ABCD"), act)
