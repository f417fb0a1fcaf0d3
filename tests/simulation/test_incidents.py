"""Situations in which a push once did harm, or said what was not so, told one by one in ``scenarios``."""

from __future__ import annotations

from pathlib import Path

import pytest

from geoplan.twin.loop import run_simulated
from tests.simulation.scenarios import SCENARIOS


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_push_does_no_harm_and_says_what_is_so(name: str, tmp_path: Path) -> None:
    async def played() -> list[str]:
        return await SCENARIOS[name](tmp_path)

    assert run_simulated(played()) == []
