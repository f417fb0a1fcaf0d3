"""The checks before a push and its steps grow with the groups; counted, so that a busy machine changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from geoplan.live.model import Observations
from geoplan.plan.model import Phase, Plan
from geoplan.plan.planner import make_plan
from geoplan.push.options import Options
from geoplan.push.preflight import PreflightInput, check
from tests.growth import growth_of_calls
from tests.push.instant import instant_push, instant_units
from tests.push.observations import in_place, untouched
from tests.topologies import topology_of_groups

SMALL, LARGE = 15, 60
PLANS = {groups: make_plan(topology_of_groups(groups), [Phase.GEO]) for groups in (SMALL, LARGE)}


@pytest.mark.parametrize("state", [untouched, in_place])
def test_work_of_the_checks_grows_with_the_groups(state: Callable[[Plan], Observations]) -> None:
    facts = {groups: state(plan) for groups, plan in PLANS.items()}
    background = PreflightInput(Options(parallel_groups=True), 64, datetime(2026, 1, 1, tzinfo=UTC))

    def work(groups: int) -> object:
        return check(PLANS[groups], facts[groups], background)

    assert growth_of_calls(work, small=SMALL, large=LARGE) < 1.2 * LARGE / SMALL


@pytest.mark.parametrize("options", [Options(), Options(parallel_groups=True)], ids=["in turn", "parallel groups"])
def test_work_of_the_steps_grows_with_the_groups(
    options: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instant_units(monkeypatch)
    pushes = iter(range(10))

    def work(groups: int) -> None:
        folder = tmp_path / str(next(pushes))
        folder.mkdir()
        with instant_push(PLANS[groups], folder, options) as executor:
            progress = asyncio.run(executor.run(Phase.GEO))
        assert len(progress.outcomes) == len(PLANS[groups].steps)

    assert growth_of_calls(work, small=SMALL, large=LARGE) < 1.2 * LARGE / SMALL
