"""What a push of very many pairs costs by itself: every step is done at once, and the disk is never waited for."""

from __future__ import annotations

import asyncio
import gc
import time
from pathlib import Path

import pytest

from geoplan.plan.model import Phase, Plan
from geoplan.push.options import Options
from tests.push.instant import instant_push, instant_units, plan_of_groups

GROUPS = (100, 300, 1000)
GOAL_SECONDS = 20.0  # of scheduling in all, for the most groups
GOAL_STALL_SECONDS = 0.2  # the look at a pair has 3 s, and more than one is under way


@pytest.mark.parametrize("options", [Options(), Options(parallel_groups=True)], ids=["in turn", "parallel groups"])
def test_scheduling_of_many_groups(
    options: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    instant_units(monkeypatch)
    thresholds = gc.get_threshold()
    gc.set_threshold(100_000)  # and frozen below, as the command does
    for count in GROUPS:
        plan = plan_of_groups(count)
        gc.freeze()
        seconds, stall = asyncio.run(_measured(plan, options, tmp_path / str(count)))
        gc.unfreeze()
        with capsys.disabled():
            print(  # noqa: T201 - a benchmark prints
                f"\n{count} groups of two pairs, {len(plan.steps)} steps: {seconds:.2f} s of scheduling "
                f"(goal {GOAL_SECONDS:g}), worst stall of the loop {stall * 1000:.0f} ms "
                f"(goal {GOAL_STALL_SECONDS * 1000:g})"
            )
    gc.set_threshold(*thresholds)


async def _measured(plan: Plan, options: Options, folder: Path) -> tuple[float, float]:
    """Return the seconds that all steps took, and the longest time for which nothing else could run."""
    worst = 0.0

    async def watch() -> None:
        nonlocal worst
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0)
            worst = max(worst, time.perf_counter() - before)

    folder.mkdir()
    with instant_push(plan, folder, options) as executor:
        watching = asyncio.create_task(watch())
        await asyncio.sleep(0)  # it is at its watch from the first step on
        began = time.perf_counter()
        progress = await executor.run(Phase.GEO)
        seconds = time.perf_counter() - began
        await asyncio.sleep(0)
        watching.cancel()
    assert len(progress.outcomes) == len(plan.steps)
    return seconds, worst
