"""How much is thrown: every answer at every command, or at one of them.

Without ``--hostile`` that is all where these tests are named, and a slice where all tests are run.
"""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--hostile", choices=["sample", "full"], default=None, help="whether each answer meets one command or all"
    )
