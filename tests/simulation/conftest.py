"""``--seeds N``: how many simulations to run."""

from __future__ import annotations

import os

import pytest

DEFAULT_SEEDS = 500
SEEDS_A_TEST = 25


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seeds", type=int, default=DEFAULT_SEEDS, help="how many simulations to run")
    parser.addoption("--seed", type=int, default=None, help="run this simulation alone")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seeds" not in metafunc.fixturenames:
        return
    one = metafunc.config.getoption("--seed", default=None)
    count = metafunc.config.getoption("--seeds", default=DEFAULT_SEEDS)
    if one is not None:
        metafunc.parametrize("seeds", [range(one, one + 1)], ids=[str(one)])
    else:
        starts = range(0, count, SEEDS_A_TEST)
        runs = [range(start, min(start + SEEDS_A_TEST, count)) for start in starts]
        metafunc.parametrize("seeds", runs, ids=[f"{run.start}-{run.stop - 1}" for run in runs])


@pytest.fixture(autouse=True)
def no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the disk: no machine fails in these tests, and what one push has written the next one reads."""
    monkeypatch.setattr(os, "fsync", lambda _handle: None)
