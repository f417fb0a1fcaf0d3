"""Single situations in simulated time, told one by one."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from geoplan.errors import GeoplanError, PushRefusedError, PushStoppedError
from geoplan.lab.http import Outcome as LabOutcome
from geoplan.lab.http import Request
from geoplan.push import journal
from geoplan.push.events import Event, EventKind
from geoplan.push.history import PairProgress
from geoplan.push.options import Options
from geoplan.push.run import PushResult, run_push
from geoplan.topology.loader import load_topology
from geoplan.twin import shapes
from geoplan.twin.loop import run_simulated
from geoplan.twin.rehearsal import Heard
from geoplan.twin.script import Script
from geoplan.twin.transport import Sent
from tests.conftest import TOPOLOGIES
from tests.push.support import real_store
from tests.simulation.world import BOOT, SYNC, World

M1, S1, M2, A1 = "172.24.1.5", "172.24.1.6", "172.24.1.8", "172.24.1.9"


def world(folder: Path, section: str = "5.3") -> World:
    topology = load_topology(TOPOLOGIES / f"section-{section}.yaml")
    return World(Script(topology, "7.2.59.4", Options()), 1, folder)


def push(folder: Path, prepare: Callable[[World], object]) -> tuple[World, GeoplanError | None]:
    """Push once in a world of its own; return it, and how the push failed."""

    async def go() -> tuple[World, GeoplanError | None]:
        made = world(folder)
        prepare(made)
        try:
            result = await made._push(resume=False, kill_after=None)
        except GeoplanError as error:
            return made, error
        assert result.is_complete
        return made, None

    return run_simulated(go())


def test_nothing_is_sent_to_change_anything_before_the_backups_are_made(tmp_path: Path) -> None:
    made, error = push(tmp_path, lambda made: made.simulation.inject(f"html,unit={A1},command=backup"))
    assert isinstance(error, PushRefusedError)
    assert "no backup" in error.problems[0]
    assert made.simulation.network.unit(M1).remote_geo_access == ()
    assert journal.histories(tmp_path)[0].is_finished


def test_a_slave_that_never_gets_the_lists_keeps_its_master_from_being_rebooted(tmp_path: Path) -> None:
    def cut_off(made: World) -> None:
        made.simulation.network.pair("HA Pair 1").changed = lambda: None  # type: ignore[method-assign]

    made, error = push(tmp_path, cut_off)
    assert isinstance(error, PushStoppedError)
    assert "the slave does not hold the new lists" in str(error)
    assert made.simulation.network.unit(M1).reboots == []


def test_a_standby_that_refuses_reads_gets_twice_the_time_of_a_replication(tmp_path: Path) -> None:
    entered: list[float] = []

    def prepare(made: World) -> None:
        async def note(sent: Sent) -> None:
            if sent.address == M1 and sent.subject == "set:geopartners":
                entered.append(sent.began)

        made.ways.append(note)
        made.shapes.append(shapes.refusing("both lists", shapes.Refusal.EXPLICIT))

    made, error = push(tmp_path, prepare)
    assert error is None
    (rebooted,) = made.network.unit(M1).reboots
    assert rebooted - entered[0] >= 2 * SYNC


@pytest.mark.parametrize("how", [shapes.Refusal.HTML, shapes.Refusal.ERROR])
def test_a_standby_whose_answer_may_mean_anything_keeps_its_master_from_being_rebooted(
    tmp_path: Path, how: shapes.Refusal
) -> None:
    made, error = push(tmp_path, lambda made: made.shapes.append(shapes.refusing("both lists", how)))
    assert error is not None
    assert made.network.unit(M1).reboots == []


@pytest.mark.parametrize("fault", ["html", "error", "timeout", "refuse", "reset", "truncate"])
def test_a_slave_that_tells_nothing_is_no_standby_that_refuses_reads(tmp_path: Path, fault: str) -> None:
    def silence_once_lists_are_entered(made: World) -> None:
        handle = made.simulation.handle

        def silence(address: str, request: Request) -> LabOutcome:
            if made.simulation.network.unit(M1).geo_partners and not list(made.simulation.faults):
                made.simulation.inject(f"{fault},unit={S1},command=get")
            return handle(address, request)

        made.simulation.handle = silence  # type: ignore[method-assign]

    made, error = push(tmp_path, silence_once_lists_are_entered)
    assert isinstance(error, PushStoppedError)
    assert "has not told whether it holds the new lists" in str(error)
    assert made.simulation.network.unit(M1).reboots == []


@pytest.mark.parametrize("occurrence", range(1, 9))
def test_one_late_health_check_stops_nothing(tmp_path: Path, occurrence: int) -> None:
    late = f"timeout,unit={M1},command=health,occurrence={occurrence}"
    made, error = push(tmp_path, lambda made: made.simulation.inject(late))
    assert error is None or isinstance(error, PushRefusedError)  # the checks before a push look once
    assert len(made.simulation.network.unit(M1).reboots) == (0 if error else 1)


def test_a_pair_that_cannot_be_done_is_not_rebooted_for_ever(tmp_path: Path) -> None:
    made, error = push(tmp_path, lambda made: made.simulation.inject(f"early-return,unit={M1}"))
    assert isinstance(error, PushStoppedError)
    assert "could not be submitted while the slave was active" in str(error)
    assert 1 < len(made.simulation.network.unit(M1).reboots) <= 3


def test_a_full_disk_stops_the_push_before_it_changes_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = iter(range(14))

    def full(_handle: int) -> None:
        if next(left, None) is None:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    _, error = push(tmp_path, lambda _made: None)
    assert isinstance(error, PushStoppedError)
    assert "No space left on device" in str(error)


def test_a_stop_lets_a_pair_that_was_begun_be_finished(tmp_path: Path) -> None:
    async def go() -> World:
        from geoplan.push.context import Stop

        made = world(tmp_path, "5.4")
        stop = Stop()
        handle = made.simulation.handle

        def stop_at_reboot(address: str, request):  # type: ignore[no-untyped-def]
            if b'"reboot"' in request.body:
                stop.request()
            return handle(address, request)

        made.simulation.handle = stop_at_reboot  # type: ignore[method-assign]
        async with made.connected_fleet() as fleet:
            with pytest.raises(PushStoppedError, match="not yet   steps 11-18"):
                await run_push(fleet, Options(), real_store(tmp_path, made.plan), Heard(), stop=stop)
        await asyncio.sleep(0)
        return made

    made = run_simulated(go())
    (history,) = journal.histories(tmp_path)
    assert history.was_finished("HA Pair 1")
    assert history.owed_pairs == ("HA Pair 2",)
    assert len(made.simulation.network.unit(M1).reboots) == 1


# -- what is told, and when --------------------------------------------------------------------------------------------


def told(
    folder: Path, prepare: Callable[[World], object], section: str = "5.3"
) -> tuple[list[Event], PushResult | GeoplanError]:
    """Push once in a world of its own; return what was told, and how the push ended."""

    async def go() -> tuple[list[Event], PushResult | GeoplanError]:
        made, heard = world(folder, section), Heard()
        prepare(made)
        async with made.connected_fleet() as fleet:
            try:
                return heard.events, await run_push(fleet, Options(), real_store(folder, made.plan), heard)
            except GeoplanError as error:
                return heard.events, error

    return run_simulated(go())


def of_pair(events: list[Event]) -> list[tuple[str, int, str]]:
    """Return what was told of the pair's steps, 5 and 6 of section 5.3."""
    return [
        (event.kind.value, event.step.number, event.state or event.message)
        for event in events
        if event.step and event.step.number in (5, 6)
    ]


def test_each_step_of_a_pair_is_told_when_it_has_ended_and_each_wait_once(tmp_path: Path) -> None:
    events, _ = told(tmp_path, lambda _made: None)
    assert of_pair(events) == [
        ("step_started", 5, ""),
        ("step_waiting", 5, "waiting until the slave holds both lists"),
        ("step_waiting", 5, "waiting until the slave is active"),
        ("step_ended", 5, "done"),
        ("step_started", 6, ""),
        ("step_ended", 6, "done"),
        ("step_waiting", 6, "waiting until the master is back"),
        ("pair_healthy", 6, of_pair(events)[-1][2]),
    ]
    ended = {event.step.number: event.seconds for event in events if event.kind is EventKind.STEP_ENDED and event.step}
    (healthy,) = [event.seconds for event in events if event.kind is EventKind.PAIR_HEALTHY]
    assert healthy - ended[6] > BOOT / 2
    assert all(event.at_most_seconds for event in events if event.kind is EventKind.STEP_WAITING)


def test_a_reboot_that_was_to_no_effect_is_told_again(tmp_path: Path) -> None:
    events, result = told(tmp_path, lambda made: made.simulation.inject(f"early-return,unit={M1},occurrence=1"))
    assert isinstance(result, PushResult)
    assert result.is_complete
    ended = [(number, what) for kind, number, what in of_pair(events) if kind == "step_ended"]
    assert ended == [(5, "done"), (5, "done"), (6, "done")]
    assert any("starting this pair again" in event.message for event in events if event.kind is EventKind.NOTE)


def test_a_pair_that_stays_unhealthy_leaves_its_reboot_in_place(tmp_path: Path) -> None:
    events, error = told(tmp_path, lambda made: made.simulation.inject(f"no-return,unit={M1}"))
    assert isinstance(error, PushStoppedError)
    assert "failed    step 6" in str(error)
    assert "in place  steps 1-5\n" in str(error)
    assert [(number, what) for kind, number, what in of_pair(events) if kind == "step_ended"] == [
        (5, "done"),
        (6, "done"),
        (6, "failed"),
    ]
    (history,) = journal.histories(tmp_path)
    assert history.progress("HA Pair 1") is PairProgress.RESUBMITTED


# -- a submission that a unit takes and does not apply -----------------------------------------------------------------


def test_a_submission_that_is_not_applied_is_said_at_its_step_and_reboots_nothing(tmp_path: Path) -> None:
    events, result = told(tmp_path, lambda made: made.simulation.inject(f"ignore,unit={S1},command=set:geopartners"))
    assert isinstance(result, PushResult)
    assert not result.is_complete
    assert result.report.pairs_to_finish == ("HA Pair 1",)
    (step,) = [e for e in events if e.kind is EventKind.STEP_ENDED and e.step and e.step.number == 6]
    assert "every partner stays red there" in step.message
    assert [e.unit for e in events if e.kind is EventKind.NOTE] == [S1]
    (history,) = journal.histories(tmp_path)
    assert len(history.reboots_of(M1)) == 1
    assert history.is_finished


def test_a_red_submission_is_a_finding_even_where_no_other_unit_tells_colours(tmp_path: Path) -> None:
    def prepare(made: World) -> None:
        made.simulation.inject(f"ignore,unit={S1},command=set:geopartners")
        made.simulation.inject(f"html,unit={A1},command=getgeopartnerstatus")

    _, result = told(tmp_path, prepare)
    assert isinstance(result, PushResult)
    assert result.unfinished_pairs == ("HA Pair 1",)
    assert not result.is_complete


def test_colours_that_a_slave_does_not_tell_are_no_finding(tmp_path: Path) -> None:
    events, result = told(tmp_path, lambda made: made.simulation.inject(f"html,unit={S1},command=getgeopartnerstatus"))
    assert isinstance(result, PushResult)
    assert result.is_complete
    assert not [event for event in events if event.kind is EventKind.NOTE]


def test_a_unit_that_is_slow_while_partners_are_submitted_is_not_taken_for_one_that_is_down(tmp_path: Path) -> None:
    """What is submitted again, though nothing was wrong, may come too late, and costs a reboot."""

    async def go() -> World:
        made = world(tmp_path, "5.4")
        handle = made.simulation.handle

        def slow_down(address: str, request):  # type: ignore[no-untyped-def]
            if address == S1 and b'"set"' in request.body:
                made.simulation.inject(f"slow,unit={M2},command=health,occurrence=1,seconds=4")
            return handle(address, request)

        made.simulation.handle = slow_down  # type: ignore[method-assign]
        assert (await made._push(resume=False, kill_after=None)).is_complete
        return made

    run_simulated(go())
    (history,) = journal.histories(tmp_path)
    assert [record.message for record in history.records if record.event == "note"] == []


def test_one_slow_look_at_a_pair_does_not_keep_it_from_its_reboot(tmp_path: Path) -> None:
    def slow_down_while_the_group_is_asked(made: World) -> None:
        handle = made.simulation.handle

        def slow_down(address: str, request):  # type: ignore[no-untyped-def]
            master = made.simulation.network.unit(M1)
            if address == A1 and b'"get"' in request.body and master.geo_partners and not master.reboots:
                made.simulation.inject(f"slow,unit={M1},command=health,occurrence=1,seconds=4")
            return handle(address, request)

        made.simulation.handle = slow_down  # type: ignore[method-assign]

    made, error = push(tmp_path, slow_down_while_the_group_is_asked)
    assert error is None
    assert len(made.simulation.network.unit(M1).reboots) == 1


def test_partners_that_were_entered_on_the_slave_are_submitted_on_the_master_too(tmp_path: Path) -> None:
    """A master that was down meanwhile has its list by replication, and no links by that."""

    async def go() -> World:
        made = world(tmp_path)
        made.simulation.inject(f"no-return,unit={M1},command=backup,occurrence=1")
        with pytest.raises(PushStoppedError):
            await made._push(resume=False, kill_after=None)
        made.simulation.lift_all()
        await asyncio.sleep(60)
        assert (await made._push(resume=True, kill_after=None)).is_complete
        return made

    made = run_simulated(go())
    assert made.red_in_any_state() == set()
    assert len(made.simulation.network.unit(M1).reboots) == 2  # the crash, and the planned one


def test_each_absence_of_a_flapping_unit_costs_another_pair_one_more_reboot_at_most(tmp_path: Path) -> None:
    """Each could take the window of the other pair's resubmission, and with it another reboot."""

    async def go() -> tuple[World, list[str]]:
        script = Script(load_topology(TOPOLOGIES / "section-5.2.yaml"), "7.2.59.4", Options())
        script.faults.append(f"flap,unit={M1},occurrence=1")
        made = World(script, 1, tmp_path)
        return made, await made.run()

    made, broken = run_simulated(go())
    assert broken == []
    assert len(made.simulation.network.unit(M2).reboots) <= 3
