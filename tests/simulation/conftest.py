"""``--seeds N`` from ``--first-seed`` on: which simulations to run; and how many variants of units are pushed to."""

from __future__ import annotations

import os
from collections import defaultdict

import pytest

DEFAULT_SEEDS = 75
SEEDS_A_TEST = 25


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seeds", type=int, default=DEFAULT_SEEDS, help="how many simulations to run")
    parser.addoption("--first-seed", type=int, default=0, help="the first of them")
    parser.addoption("--seed", type=int, default=None, help="run this simulation alone")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seeds" not in metafunc.fixturenames:
        return
    one = metafunc.config.getoption("--seed", default=None)
    first = metafunc.config.getoption("--first-seed", default=0)
    end = first + metafunc.config.getoption("--seeds", default=DEFAULT_SEEDS)
    if one is not None:
        metafunc.parametrize("seeds", [range(one, one + 1)], ids=[str(one)])
    else:
        runs = [range(start, min(start + SEEDS_A_TEST, end)) for start in range(first, end, SEEDS_A_TEST)]
        metafunc.parametrize("seeds", runs, ids=[f"{run.start}-{run.stop - 1}" for run in runs])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Push to each variant once, in turn by another topology and format; all of it where the file itself is named."""
    if any("test_variants" in argument for argument in config.args):
        return
    by_variant: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.name.startswith("test_push_to_units_of_a_variant["):
            assert isinstance(item, pytest.Function)
            by_variant[str(item.callspec.params["variant"])].append(item)
    left_out = {
        id(item)
        for index, pushes in enumerate(by_variant.values())
        for place, item in enumerate(pushes)
        if place != index % len(pushes)
    }
    if left_out:
        config.hook.pytest_deselected(items=[item for item in items if id(item) in left_out])
        items[:] = [item for item in items if id(item) not in left_out]


@pytest.fixture(autouse=True)
def no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the disk: no machine fails in these tests, and what one push has written the next one reads."""
    monkeypatch.setattr(os, "fsync", lambda _handle: None)
