"""``--cases N`` from ``--first-case`` on: how many cases of what-if are carried out in a lab over real sockets."""

from __future__ import annotations

import pytest

DEFAULT_CASES = 3


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--cases", type=int, default=DEFAULT_CASES, help="how many cases of what-if to carry out in a lab")
    parser.addoption("--first-case", type=int, default=0, help="the first of them")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        first = metafunc.config.getoption("--first-case", default=0)
        metafunc.parametrize("case", range(first, first + metafunc.config.getoption("--cases", default=DEFAULT_CASES)))
