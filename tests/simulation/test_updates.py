"""Updates in a simulated world: never both units of a pair down, and every end is new, old, or resumed to new."""

from __future__ import annotations

from pathlib import Path

from geoplan.twin.loop import run_simulated
from tests.simulation.updates import UpdateWorld, draw


async def simulate(seed: int, folder: Path) -> list[str]:
    return await UpdateWorld(draw(seed), seed, folder).run()


def test_no_seed_breaks_an_invariant_of_updates(seeds: range, tmp_path: Path) -> None:
    broken = {seed: found for seed in seeds if (found := run_simulated(simulate(seed, tmp_path / str(seed))))}
    assert not broken, "replay one with: python -m pytest tests/simulation/test_updates.py --seed N"
