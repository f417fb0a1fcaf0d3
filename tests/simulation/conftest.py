"""``--seeds N`` from ``--first-seed`` on: which simulations to run; and how many cases of the other tests."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

import pytest

DEFAULT_SEEDS = 75
SEEDS_A_TEST = 25
ONE_IN = 3
HERE = Path(__file__).parent


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
    """Run all of what is named; of the rest, one in three cases of a test, and one push to each variant of units."""
    named = " ".join(config.args)
    cases: dict[str, list[pytest.Item]] = defaultdict(list)
    pushes: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if not isinstance(item, pytest.Function) or not item.path.is_relative_to(HERE):
            continue
        if item.originalname == "test_push_to_units_of_a_variant":
            pushes[str(item.callspec.params["variant"])].append(item)
        elif "seeds" not in item.fixturenames:
            cases[f"{item.path}:{item.originalname}"].append(item)
    left_out: set[int] = set()
    if "test_variants" not in named:  # in turn by another topology and format
        for index, of_one in enumerate(pushes.values()):
            left_out.update(id(item) for place, item in enumerate(of_one) if place != index % len(of_one))
    if "simulation" not in named:
        for of_one in cases.values():
            left_out.update(id(item) for place, item in enumerate(of_one) if place % ONE_IN)
    if left_out:
        config.hook.pytest_deselected(items=[item for item in items if id(item) in left_out])
        items[:] = [item for item in items if id(item) not in left_out]


@pytest.fixture(autouse=True)
def no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the disk: no machine fails in these tests, and what one push has written the next one reads."""
    monkeypatch.setattr(os, "fsync", lambda _handle: None)
