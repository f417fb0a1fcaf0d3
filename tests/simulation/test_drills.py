"""Drills in a simulated world: whatever goes wrong, they write nothing, and say what is so."""

from __future__ import annotations

from pathlib import Path

import pytest

from geoplan.twin.loop import run_simulated
from tests.simulation.drills import SCENARIOS, draw

ONE_IN = 5  # seeds of pushes: a drill has less to it


def test_no_seed_breaks_what_a_drill_promises(seeds: range, tmp_path: Path) -> None:
    async def go(seed: int) -> list[str]:
        return await draw(seed, tmp_path / str(seed)).run()

    broken = {seed: found for seed in seeds[::ONE_IN] if (found := run_simulated(go(seed)))}
    assert not broken, "replay one with: python -m pytest tests/simulation/test_drills.py --seed N"


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_situation_of_a_drill_is_clean(name: str, tmp_path: Path) -> None:
    async def go() -> list[str]:
        return await SCENARIOS[name](tmp_path)

    assert run_simulated(go()) == []
