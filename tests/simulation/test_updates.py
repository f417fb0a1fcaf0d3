"""Updates in a simulated world: never both units of a pair down, and every end is new, old, or resumed to new."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from geoplan.errors import GeoplanError, PushRefusedError, PushStoppedError
from geoplan.lab.device.unit import Unit
from geoplan.live.model import State
from geoplan.plan.model import Action, Phase
from geoplan.plan.planner import make_plan
from geoplan.plan.upgrade import make_upgrade
from geoplan.push import journal
from geoplan.push.actions import preferred_host
from geoplan.push.actions.update_firmware import Update
from geoplan.push.context import Stop
from geoplan.push.events import Event, EventKind
from geoplan.push.firmware_guard import FirmwareGuard
from geoplan.push.history import History
from geoplan.push.options import Options, RebootMode
from geoplan.push.past_pushes import left_by_abandoning
from geoplan.push.records import StepEnded
from geoplan.push.run import run_push
from geoplan.push.units_run import UnitsResult
from geoplan.push.update_run import run_update
from geoplan.topology.model import Topology
from geoplan.twin.loop import EPOCH, run_simulated
from geoplan.twin.rehearsal import Heard
from geoplan.twin.script import Script
from geoplan.twin.transport import Sent
from tests.simulation.updates import NEW, OLD, UpdateWorld, Updating, draw
from tests.simulation.world import BOOT, SYNC, World


async def simulate(seed: int, folder: Path) -> list[str]:
    return await UpdateWorld(draw(seed), seed, folder).run()


def test_no_seed_breaks_an_invariant_of_updates(seeds: range, tmp_path: Path) -> None:
    broken = {seed: found for seed in seeds if (found := run_simulated(simulate(seed, tmp_path / str(seed))))}
    assert not broken, "replay one with: python -m pytest tests/simulation/test_updates.py --seed N"


ONCE_BROKEN = (55,)


@pytest.mark.parametrize("seed", ONCE_BROKEN)
def test_what_once_broke_an_invariant_of_updates_does_not_break_it_again(seed: int, tmp_path: Path) -> None:
    assert not run_simulated(simulate(seed, tmp_path))


# -- a window ----------------------------------------------------------------------------------------------------------


def two_pairs() -> Topology:
    pairs = [{"master": f"10.0.{number}.1", "slave": f"10.0.{number}.2"} for number in (1, 2)]
    sites = [{"name": f"S{number}", "ha_pair": pair} for number, pair in enumerate(pairs, start=1)]
    return Topology.model_validate({"sites": sites, "timing": {"boot_seconds": BOOT, "sync_seconds": SYNC}})


def versions(world: UpdateWorld) -> list[str]:
    return [".".join(unit.firmware.text.split(".")[:4]) for unit in world.network.units.values()]


def test_update_stops_between_sites_when_the_next_does_not_fit_with_its_way_back(tmp_path: Path) -> None:
    async def go() -> None:
        world = UpdateWorld(Updating(two_pairs()), 1, tmp_path)
        world.options = replace(world.options, until=EPOCH + timedelta(seconds=4 * 2 * BOOT + 40))
        await world.update()
        assert isinstance(world.ended, PushStoppedError), world.ended
        assert "not yet   steps 6-10" in str(world.ended)
        assert versions(world) == [NEW, NEW, OLD, OLD]
        world.options = replace(world.options, until=None)
        await world.update(resume=True)
        assert isinstance(world.ended, UnitsResult), world.ended
        assert versions(world) == [NEW] * 4

    run_simulated(go())


def test_push_reboots_nothing_that_does_not_fit_and_begins_nothing_where_the_first_does_not(tmp_path: Path) -> None:
    async def go(until: float, folder: Path) -> World:
        script = Script(two_pairs(), OLD, Options(until=EPOCH + timedelta(seconds=until)))
        world = World(script, 1, folder)
        with suppress(GeoplanError):
            await world.push_once(Heard())
        return world

    refused = run_simulated(go(SYNC + BOOT, tmp_path / "refused"))
    assert not any(unit.geo_partners for unit in refused.network.units.values())
    stopped = run_simulated(go(SYNC + 2 * BOOT + 20, tmp_path / "stopped"))
    assert [len(unit.reboots) for unit in stopped.network.units.values()] == [1, 0, 0, 0]


# -- a unit that does not know the command -----------------------------------------------------------------------------


def test_unit_that_does_not_know_installpatch_is_updated_by_hand_and_waited_for(tmp_path: Path) -> None:
    async def go() -> None:
        world = UpdateWorld(Updating(two_pairs()), 1, tmp_path)
        slave = world.network.unit("10.0.1.2")

        async def refuse(sent: Sent) -> httpx.Response | None:
            if not (sent.address == slave.address and sent.call and sent.call.command == "installpatch"):
                return None
            asyncio.get_running_loop().call_later(600, world.simulation.upgrade, slave.address, NEW)
            body = b'<Response stat="405" code="fail"><Error>Unknown command</Error></Response>'
            return httpx.Response(405, content=body, request=sent.http)

        world.ways.append(refuse)
        assert await world.run() == []
        (updated,) = [each for each in records(world) if isinstance(each, StepEnded) and each.unit == slave.address]
        assert updated.state.value == "by hand"

    run_simulated(go())


def records(world: UpdateWorld) -> list[object]:
    return [each for history in journal.histories(world.folder) for each in history.records]


# -- behind each guard a mutation --------------------------------------------------------------------------------------


def _is_at_work_whatever(_update: Update, _looks: object) -> bool:
    return True


async def _ready_at_once(update: Update) -> str:
    return await update._version()


async def _ones_active(update: Update) -> str | None:
    looks = await update._until_at_work()
    return next(address for address, look in looks.items() if look.state is State.ACTIVE)


def _no_turn(_guard: FirmwareGuard, _address: str, _what: str) -> None:
    return


MUTATIONS: dict[str, tuple[list[tuple[object, str, object]], str]] = {
    "a unit is sent firmware while its partner is down": (
        [
            (Update, "_is_at_work", _is_at_work_whatever),
            (Update, "_ready", _ready_at_once),
            (FirmwareGuard, "_require_turn", _no_turn),
        ],
        "was down",
    ),
    "the active unit comes first": (
        [
            (Update, "_find", _ones_active),
            (Update, "_ready", _ready_at_once),
            (FirmwareGuard, "_require_turn", _no_turn),
        ],
        "before its standby was updated",
    ),
    "the guard alone keeps the active unit from coming first": (
        [(Update, "_find", _ones_active), (Update, "_ready", _ready_at_once)],
        "never comes to its end",
    ),
    "what is read back is not looked at": (
        [(sys.modules["geoplan.push.actions.update_firmware"], "is_version", lambda _found, _wanted: True)],
        "runs 7.2.59.4",
    ),
    "the preferred host stays set aside": (
        [(preferred_host, "set_aside_on", lambda _history: ())],
        "preferred host",
    ),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_mutation_of_updates_is_caught(mutation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patches, said = MUTATIONS[mutation]
    for of, name, mutated in patches:
        monkeypatch.setattr(of, name, mutated)

    found = run_simulated(updated_while_a_standby_goes_away(tmp_path))
    assert any(said in each for each in found), found


def test_nothing_is_sent_to_an_active_unit_whose_standby_has_just_gone_away(tmp_path: Path) -> None:
    assert run_simulated(updated_while_a_standby_goes_away(tmp_path)) == []


async def updated_while_a_standby_goes_away(folder: Path) -> list[str]:
    """Update two pairs; the first unit that is updated loses power once, just before its partner's turn."""
    world = UpdateWorld(Updating(two_pairs()), 1, folder)
    gone: list[Unit] = []

    async def go_away(sent: Sent) -> httpx.Response | None:
        unit = world.network.unit("10.0.1.2")
        is_asked = sent.address == "10.0.1.1" and sent.call is not None and sent.call.param == "boottime"
        if is_asked and unit.firmware.text.startswith(NEW) and not gone:
            gone.append(unit)
            world.simulation.power_off(unit.address)
        return None

    world.ways.append(go_away)
    found = await world.run()
    return found if gone else [*found, "it never went away"]


# -- the way back ------------------------------------------------------------------------------------------------------


class StopsAfter(Heard):
    """Wants an end once a step of some kind has ended."""

    def __init__(self, action: Action) -> None:
        super().__init__()
        self.stop = Stop()
        self._action = action

    def on_event(self, event: Event) -> None:
        super().on_event(event)
        if event.kind is EventKind.STEP_ENDED and event.step and event.step.action is self._action:
            self.stop.request()


@pytest.mark.parametrize("action", [Action.SET_PREFERRED_HOST_ASIDE, Action.UPDATE_STANDBY, Action.UPDATE_ACTIVE])
def test_update_that_is_given_up_part_way_goes_back_to_the_old_version(action: Action, tmp_path: Path) -> None:
    async def go() -> None:
        world = UpdateWorld(Updating(two_pairs()), 1, tmp_path)
        heard = StopsAfter(action)
        async with world.connected_fleet() as fleet:
            with pytest.raises(PushStoppedError, match="'S1'") as caught:
                await run_update(fleet, world.options, world.store, heard, stop=heard.stop)
        assert ("on two versions" in str(caught.value)) is (action is Action.UPDATE_STANDBY)
        (history,) = journal.histories(world.folder)
        with journal.Journal(history.path, world.time) as opened:
            opened.write("end", outcome="abandoned", who="bal")
        await asyncio.sleep(600)
        running = {unit.address: unit.firmware.text for unit in world.network.units.values()}
        left = set(world.store.past().left_aside)
        assert left == {"10.0.1.1", "10.0.1.2"}
        world.plan = make_upgrade(world.start.topology, OLD, running, holds_roles=True, left_aside=["S1"])
        world.options = Options(restores_firmware=True)
        await world.update()
        assert isinstance(world.ended, UnitsResult), (world.ended, getattr(world.ended, "problems", ""))
        assert world.ended.is_complete, world.ended
        assert versions(world) == [OLD] * 4
        assert all(unit.ha.prefer_master for unit in world.network.units.values())
        assert not world.store.past().left_aside
        world.check_pairs()
        assert not [each for each in world.broken if "down" in each]

    run_simulated(go())


def test_preferred_host_that_is_not_the_topologys_is_a_finding_at_the_end(tmp_path: Path) -> None:
    async def go() -> None:
        world = UpdateWorld(Updating(two_pairs()), 1, tmp_path)
        for address in ("10.0.1.1", "10.0.1.2"):
            unit = world.network.unit(address)
            unit.ha = replace(unit.ha, prefer_master=False)
        await world.update()
        assert isinstance(world.ended, UnitsResult), world.ended
        found = {row.unit: row.changed for row in world.ended.compared if row.changed}
        assert found == {
            "10.0.1.1": ("its Switch to Preferred Server is none, and the topology has master",),
            "10.0.1.2": ("it serves now, and 10.0.1.1 did before",),
        }

    run_simulated(go())


def sent_and_given_up(world: UpdateWorld) -> None:
    """Write the journal of an update that ended after it had sent its image to a master, and was given up."""
    step = next(each for each in world.plan.steps if each.action is Action.UPDATE_ACTIVE and each.site == "S1")
    of = {"step": step.id, "site": "S1", "unit": "10.0.1.1"}
    with world.store.begin(world.plan, world.options, world.time) as opened:
        opened.write("installing", **of, before=OLD, after=NEW)
        opened.write("installed", **of)
        opened.write("end", outcome="abandoned", who="bal")


SENT = f"10.0.1.1: an update sent {NEW} to it and saw no boot of it since, so its next boot may bring that"


def test_unit_that_may_have_firmware_waiting_is_booted_by_no_push_that_does_not_look_at_it(tmp_path: Path) -> None:
    async def push(world: UpdateWorld) -> None:
        async with world.connected_fleet() as fleet:
            await run_push(fleet, Options(reboot=RebootMode.ALWAYS), world.store, Heard())

    async def go() -> None:
        world = UpdateWorld(Updating(two_pairs()), 1, tmp_path)
        sent_and_given_up(world)
        world.plan = make_plan(world.start.topology, [Phase.GEO])
        with pytest.raises(PushRefusedError) as caught:
            await push(world)
        assert [str(each).startswith(SENT) for each in caught.value.problems] == [True]
        assert "geoplan push TOPOLOGY --upgrade-to" in str(caught.value.problems[0])
        assert any(SENT in line for line in left_by_abandoning(world.store.past(), _latest(world), world.plan))

        await asyncio.sleep(60)
        world.simulation.power_off("10.0.1.1")
        await asyncio.sleep(600)
        world.simulation.power_on("10.0.1.1")
        world.make_masters_active(preferred_alone=True)
        await asyncio.sleep(600)
        await push(world)

    run_simulated(go())


def test_way_back_of_a_pair_calls_no_unit_unchanged_that_may_have_firmware_waiting(tmp_path: Path) -> None:
    async def go() -> None:
        world = UpdateWorld(Updating(two_pairs()), 1, tmp_path)
        sent_and_given_up(world)
        running = {unit.address: OLD for unit in world.network.units.values()} | {"10.0.1.2": NEW}
        world.plan = make_upgrade(world.start.topology, OLD, running, holds_roles=True)
        world.options = Options(restores_firmware=True)
        await world.update()
        assert isinstance(world.ended, PushRefusedError)
        assert [str(each) for each in world.ended.problems if str(each).startswith(SENT)]

    run_simulated(go())


def _latest(world: UpdateWorld) -> History:
    return journal.histories(world.folder)[-1]
