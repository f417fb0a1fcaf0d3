"""Which steps go side by side, in which order, and what it costs to find that out."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import geoplan
from geoplan.plan.model import Action, Phase, Plan, Step
from geoplan.push import executor as executors
from geoplan.push.context import StepError
from geoplan.push.executor import Schedule, Task
from geoplan.push.options import Options, RebootMode
from geoplan.twin.loop import run_simulated
from tests.push.instant import InstantReboot, instant_push, instant_units, plan_of_groups, reboot_by

A_STEP: Step = plan_of_groups(1).steps[0]
LISTS = (Action.SET_REMOTE_GEO_ACCESS, Action.SET_GEO_PARTNERS)


def carried_out(plan: Plan, folder: Path, options: Options) -> executors.Progress:
    with instant_push(plan, folder, options) as executor:
        return run_simulated(executor.run(Phase.GEO))


@pytest.mark.parametrize("jobs", [2, 8])
def test_pairs_that_wait_for_their_reboot_keep_no_other_step_from_its_job(
    jobs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = instant_units(monkeypatch, step_seconds=1, reboot_seconds=1000)
    plan = plan_of_groups(16, pairs=1, standalones=1)
    carried_out(plan, tmp_path, Options(jobs=jobs))
    lists = {step.id for step in plan.steps if step.action in LISTS}
    reboots = [step.id for step in plan.steps if step.action is Action.REBOOT_MASTER]
    assert set(ended[: ended.index(reboots[0])]) >= lists
    assert [step for step in ended if step in reboots] == reboots


@pytest.mark.parametrize("options", [Options(jobs=1), Options(jobs=1, parallel_groups=True)])
def test_one_job_at_a_time_keeps_the_order_of_the_plan(
    options: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = instant_units(monkeypatch, step_seconds=1, reboot_seconds=10)
    plan = plan_of_groups(3, standalones=2)
    carried_out(plan, tmp_path, options)
    assert ended == [step.id for step in plan.steps]


@pytest.mark.parametrize(("parallel_groups", "at_once"), [(False, 1), (True, 4)])
def test_reboots_go_one_after_the_other_in_each_group_and_in_all_unless_wanted_otherwise(
    parallel_groups: bool,
    at_once: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    instant_units(monkeypatch, step_seconds=1)
    under_way: list[str] = []
    most: list[int] = []

    class Watched(InstantReboot):
        async def run(self) -> None:
            group = self.site.group
            assert group not in under_way
            under_way.append(group)
            most.append(len(under_way))
            await super().run()
            under_way.remove(group)

    reboot_by(monkeypatch, partial(Watched, seconds=100, ended=[]))
    progress = carried_out(plan_of_groups(4), tmp_path, Options(jobs=64, parallel_groups=parallel_groups))
    assert not progress.failures
    assert max(most) == at_once


def test_no_waiting_pair_is_rebooted_after_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    instant_units(monkeypatch, step_seconds=1)
    sent: list[str] = []

    class Failing(InstantReboot):
        async def run(self) -> None:
            sent.append(self.site.name)
            await asyncio.sleep(100)
            raise StepError(self.reboot, "it burns")

    reboot_by(monkeypatch, partial(Failing, ended=[]))
    progress = carried_out(plan_of_groups(4), tmp_path, Options(jobs=64))
    assert [error.step.site for error in progress.failures] == sent == ["G0-P0"]


@pytest.mark.parametrize(
    "make_plan",
    [lambda size: plan_of_groups(size, standalones=2), lambda size: plan_of_groups(1, pairs=size, standalones=size)],
    ids=["more groups", "more sites in a group"],
)
@pytest.mark.parametrize("reboot", [RebootMode.CHANGED, RebootMode.NEVER])
def test_work_grows_with_the_number_of_steps(
    make_plan: Callable[[int], Plan], reboot: RebootMode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instant_units(monkeypatch)
    work, steps = [], []
    for size in (10, 40):
        plan, folder = make_plan(size), tmp_path / str(size)
        folder.mkdir()
        with instant_push(plan, folder, Options(reboot=reboot)) as executor:
            work.append(lines_of(lambda executor=executor: asyncio.run(executor.run(Phase.GEO))))  # type: ignore[misc]
        steps.append(len(plan.steps))
    assert work[1] / work[0] < 1.3 * steps[1] / steps[0]


def lines_of(run: Callable[[], object]) -> int:
    """Return how many lines of geoplan run; what the journal records or is asked counts once for each call."""
    package = Path(geoplan.__file__).parent
    journal = {str(package / "push" / f"{name}.py") for name in ("journal", "history", "ledger", "records")}
    count = 0
    inside = 0

    def trace(frame: FrameType, event: str, _arg: object) -> Any:
        nonlocal count, inside
        file = frame.f_code.co_filename
        if event == "call" and (inside or not file.startswith(str(package))):
            return None
        count += 1
        if event == "call" and file in journal:
            inside += 1
            return until_return
        return trace

    def until_return(_frame: FrameType, event: str, _arg: object) -> Any:
        nonlocal inside
        inside -= event == "return"
        return until_return

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return count


@st.composite
def tasks_with_lanes(draw: st.DrawFn) -> tuple[list[Task], dict[str, str]]:
    tasks = []
    lanes = {}
    for number in range(draw(st.integers(1, 12))):
        after = draw(st.sets(st.integers(0, number - 1))) if number else set()
        step = A_STEP.model_copy(update={"id": str(number), "after": tuple(map(str, after))})
        tasks.append(Task((step,)))
        lanes[step.id] = draw(st.sampled_from(["", "", "a", "b"]))
    return tasks, lanes


@given(tasks_with_lanes(), st.data())
def test_schedule_hands_out_the_first_that_nothing_holds_up(
    given_tasks: tuple[list[Task], dict[str, str]], data: st.DataObject
) -> None:
    tasks, lanes = given_tasks
    ended: set[str] = set()
    schedule = Schedule(tasks, (), lambda task: lanes[task.first.id] or None)
    running: list[Task] = []
    waiting = list(tasks)
    while waiting or running:
        busy = {lanes[task.first.id] for task in running} - {""}
        free = [task for task in waiting if task.after <= ended and lanes[task.first.id] not in busy]
        if free and (not running or data.draw(st.booleans())):
            assert schedule.begin_next() is free[0]
            waiting.remove(free[0])
            running.append(free[0])
            continue
        if not free:
            assert schedule.begin_next() is None
        done = running.pop(data.draw(st.integers(0, len(running) - 1)))
        ended.add(done.first.id)
        schedule.end(done, [done.first.id])
    assert schedule.begin_next() is None
