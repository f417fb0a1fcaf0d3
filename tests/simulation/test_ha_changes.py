"""HA parameters of pairs at work: changed one by one, killed and faulted at each request, and taken back."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from geoplan.errors import PushRefusedError, PushStoppedError
from geoplan.plan.model import Plan
from geoplan.push.undoing import LAST, find_push, undoing
from geoplan.twin.loop import run_simulated
from geoplan.twin.rehearsal import Heard
from geoplan.twin.shapes import shape_units
from tests.lab.boxes import make_whole, put_in_pair
from tests.push.support import real_store
from tests.simulation.changes import ChangingWorld, topology
from tests.simulation.ha_changes import OLD, SCENARIOS, SITES, begun, ha_requests, refusing, set_port, with_pair

BOX = topology("lab", f"{SITES} E:10.0.0.12")

KINDS = {
    "preferred host": with_pair(preferred_host="none"),
    "all interfaces": with_pair(health_check={"all_interfaces": True}),
    "port": with_pair(health_check={"port": 9000}),
    "all of them": with_pair(preferred_host="none", health_check={"port": 9000, "all_interfaces": True}),
}
REQUESTS = {"preferred host": 2, "all interfaces": 2, "port": 2, "all of them": 6}


@pytest.mark.parametrize("kind", KINDS)
def test_each_parameter_is_changed_on_both_units_the_standby_first(tmp_path: Path, kind: str) -> None:
    async def scene() -> None:
        world = await begun(tmp_path)
        plan, before = world.plan_of_change(OLD, KINDS[kind]), world.reboots()
        assert (await world.push(plan)).is_complete
        world.check_is(plan)
        assert ha_requests(world) == ["10.0.0.2", "10.0.0.1"] * (REQUESTS[kind] // 2)
        assert world.reboots() == before
        assert (await world.push(plan)).journal is None, "the same again is nothing to do"

    run_simulated(scene())


@pytest.mark.parametrize("pair", ["A", "C"])
@pytest.mark.parametrize("settings", [{"preferred_host": "none"}, {"health_check": {"port": 9000}}])
def test_what_proved_the_links_of_other_pairs_holds_still(
    tmp_path: Path, pair: str, settings: dict[str, object]
) -> None:
    async def scene() -> None:
        world = await begun(tmp_path)
        result = await world.push(world.plan_of_change(OLD, with_pair(pair, **settings)))
        assert result.is_complete
        assert not result.report.unproven

    run_simulated(scene())


@pytest.mark.parametrize("kind", KINDS)
def test_killed_at_each_request_it_goes_on(tmp_path: Path, kind: str) -> None:
    async def scene(at: int) -> None:
        world = await begun(tmp_path / str(at))
        plan = world.plan_of_change(OLD, KINDS[kind])
        pushing = asyncio.ensure_future(world.push(plan))

        def kill(_address: str, _command: str) -> None:
            if len(ha_requests(world)) == at:
                pushing.cancel()

        world.after_change = kill
        with pytest.raises(asyncio.CancelledError):
            await pushing
        world.after_change = lambda _address, _command: None
        await asyncio.sleep(60.0)  # the standby may be active by then
        assert (await world.push(plan, resume=True)).is_complete
        world.check_is(plan)

    for at in range(1, REQUESTS[kind] + 1):
        run_simulated(scene(at))


@pytest.mark.parametrize("kind", ["port", "all of them"])
def test_ports_left_apart_are_made_alike_by_a_new_push_as_well(tmp_path: Path, kind: str) -> None:
    async def scene() -> None:
        world = await begun(tmp_path)
        set_port(world, 9000, "10.0.0.2")
        await asyncio.sleep(60.0)
        plan = world.plan_of_change(OLD, KINDS[kind])
        assert (await world.push(plan)).is_complete
        world.check_is(plan)
        assert ha_requests(world) == ["10.0.0.1", *["10.0.0.2", "10.0.0.1"] * (REQUESTS[kind] // 2 - 1)]

    run_simulated(scene())


@pytest.mark.parametrize("resume", [True, False])
@pytest.mark.parametrize("down", ["10.0.0.3", "10.0.0.6", "10.0.0.5"])
def test_ports_apart_are_made_alike_first_whatever_is_down_elsewhere(
    tmp_path: Path, down: str, *, resume: bool
) -> None:
    async def scene() -> None:
        world = await begun(tmp_path)
        plan = world.plan_of_change(OLD, KINDS["all of them"])
        if resume:
            await _killed_between_its_ports(world, plan)
        else:
            set_port(world, 9000, "10.0.0.2")
        world.simulation.power_off(down)
        await asyncio.sleep(60.0)
        assert not world.network.pair("A").is_formed
        sent = len(ha_requests(world))
        with pytest.raises(PushRefusedError) as refused:
            await world.push(plan, resume=resume, only_preflight=True)
        assert down in str(refused.value.problems)
        assert len(ha_requests(world)) == sent, "to look is to change nothing"
        with pytest.raises(PushStoppedError) as stopped:
            await world.push(plan, resume=resume)
        assert ha_requests(world)[sent:] == ["10.0.0.1"], "nothing else is begun"
        assert world.network.pair("A").is_formed
        assert down in str(stopped.value)
        world.simulation.power_on(down)
        await asyncio.sleep(120.0)
        world.make_masters_active()
        await asyncio.sleep(120.0)
        assert (await world.push(plan, resume=True)).is_complete
        world.check_is(plan)

    run_simulated(scene())


async def _killed_between_its_ports(world: ChangingWorld, plan: Plan) -> None:
    """Push until one unit of the pair has its new port, and the other has not."""
    pushing = asyncio.ensure_future(world.push(plan))

    def kill(_address: str, _command: str) -> None:
        if len({unit.ha.health_check_port for unit in world.network.pair("A").units}) > 1:
            pushing.cancel()

    world.after_change = kill
    with contextlib.suppress(asyncio.CancelledError):
        await pushing
    world.after_change = lambda _address, _command: None


@pytest.mark.parametrize("fault", ["reset", "truncate", "error", "timeout", "ignore"])
@pytest.mark.parametrize("unit", ["10.0.0.1", "10.0.0.2"])
@pytest.mark.parametrize("kind", ["preferred host", "port"])
def test_faulted_at_each_request_it_ends_verified_or_can_be_resumed(
    tmp_path: Path, kind: str, unit: str, fault: str
) -> None:
    async def scene() -> None:
        world = await begun(tmp_path)
        plan = world.plan_of_change(OLD, KINDS[kind])
        world.simulation.inject(f"{fault},unit={unit},command=awshaparam,occurrence=1")
        assert (await world.change_to_the_end(plan)).is_complete
        world.check_is(plan)

    run_simulated(scene())


@pytest.mark.parametrize("unit", ["10.0.0.1", "10.0.0.2"])
def test_a_port_that_a_unit_refuses_is_set_by_hand_on_both_and_the_pair_works_meanwhile(
    tmp_path: Path, unit: str
) -> None:
    async def scene() -> None:
        world = await begun(tmp_path)
        plan = world.plan_of_change(OLD, KINDS["port"])
        shape_units(world.simulation).append(refusing(unit))
        seen: list[bool] = []

        def by_hand() -> None:
            seen.append(world.network.pair("A").is_formed)
            set_port(world, 9000, "10.0.0.2", "10.0.0.1")

        world.by_hand(by_hand, 200.0)
        assert (await world.push(plan)).is_complete
        world.check_is(plan)
        assert seen == [True], "on the old port the pair goes on working"
        assert any("by hand: set Health Check Port 9000" in event.message for event in world.heard.events)

    run_simulated(scene())


class Says(Heard):
    """Answers what is asked."""

    def __init__(self, *, yes: bool) -> None:
        super().__init__()
        self.yes = yes
        self.asked: list[str] = []

    def may_go_on(self, question: str) -> bool:
        self.asked.append(question)
        return self.yes


def test_the_target_groups_are_waited_for_and_to_resume_says_that_they_follow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene() -> None:
        world = await begun(tmp_path)
        plan = world.plan_of_change(OLD, KINDS["port"])
        nobody = Says(yes=False)
        monkeypatch.setattr("tests.simulation.changes.Heard", lambda: nobody)
        with pytest.raises(PushStoppedError) as stopped:
            await world.push(plan)
        assert "asks at port 9000" in str(stopped.value)
        assert "go on, which says that it is done" in str(stopped.value)
        assert len(nobody.asked) == 1
        assert (await world.push(plan, resume=True)).is_complete
        assert len(nobody.asked) == 1
        world.check_is(plan)

    run_simulated(scene())


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_taken_back(tmp_path: Path, kind: str) -> None:
    async def scene() -> None:
        world = await begun(tmp_path)
        held = [unit.ha for unit in world.network.units.values()]
        plan = world.plan_of_change(OLD, KINDS[kind])
        await world.push(plan)
        assert [unit.ha for unit in world.network.units.values()] != held
        back = undoing(find_push(real_store(world.folder, plan), LAST))
        assert back.left == ()
        assert (await world.push(back.plan, undoes=back.name)).is_complete
        assert [unit.ha for unit in world.network.units.values()] == held

    run_simulated(scene())


def test_what_is_neither_as_before_nor_as_planned_is_refused(tmp_path: Path) -> None:
    async def scene() -> None:
        world = await begun(tmp_path)
        set_port(world, 7777, "10.0.0.1", "10.0.0.2")
        with pytest.raises(PushRefusedError) as refused:
            await world.push(world.plan_of_change(OLD, KINDS["port"]))
        assert any("is 7777, and neither 8444 nor 9000" in problem for problem in refused.value.problems)
        assert world.sent == []

    run_simulated(scene())


@pytest.mark.parametrize(
    ("gone", "new", "sent"),
    [("10.0.0.2", "A:10.0.0.1:10.0.0.12", ["10.0.0.1"]), ("10.0.0.1", "A:10.0.0.12:10.0.0.2", ["10.0.0.2"])],
    ids=["slave", "master"],
)
def test_the_unit_that_stays_is_given_its_new_partner(tmp_path: Path, gone: str, new: str, sent: list[str]) -> None:
    async def scene() -> None:
        world = await begun(tmp_path, BOX)
        put_in_pair(world.network, gone, "10.0.0.12")
        await asyncio.sleep(60.0)
        world.by_hand(lambda: make_whole(world.network, "A", "10.0.0.12"), 200.0)
        world.kept = {}
        plan = world.plan_of_change(OLD, topology("new", f"{new} B:10.0.0.3 C:10.0.0.5:10.0.0.6"))
        with contextlib.suppress(PushStoppedError):  # a new master of the lab takes over with nothing
            await world.push(plan)
        assert ha_requests(world) == sent
        assert world.network.unit(sent[0]).ha.partner == "10.0.0.12"

    run_simulated(scene())


@pytest.mark.parametrize("name", SCENARIOS)
def test_situation_holds(tmp_path: Path, name: str) -> None:
    async def scene() -> list[str]:
        return await SCENARIOS[name](tmp_path)

    assert run_simulated(scene()) == []
