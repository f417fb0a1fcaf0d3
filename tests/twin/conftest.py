"""``--cases N`` from ``--first-case`` on: how many cases of what-if are carried out in a lab over real sockets."""

from __future__ import annotations

import pytest

DEFAULT_CASES = 3
ONE_IN = 3


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--cases", type=int, default=DEFAULT_CASES, help="how many cases of what-if to carry out in a lab")
    parser.addoption("--first-case", type=int, default=0, help="the first of them")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run all of what is named; of the safeguards that a rehearsal misses otherwise one in three."""
    if "test_mutations" in " ".join(config.args):
        return
    of_mutations = [item for item in items if "test_a_safeguard_that_is_taken_out_is_found" in item.name]
    left_out = {id(item) for place, item in enumerate(of_mutations) if place % ONE_IN}
    if left_out:
        config.hook.pytest_deselected(items=[item for item in items if id(item) in left_out])
        items[:] = [item for item in items if id(item) not in left_out]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        first = metafunc.config.getoption("--first-case", default=0)
        metafunc.parametrize("case", range(first, first + metafunc.config.getoption("--cases", default=DEFAULT_CASES)))
