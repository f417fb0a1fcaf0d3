"""``--campaign full``: every kill and every fault; without it a sample. How they ended is counted at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from tests.campaign.support import PROPERTY, Ending

SAMPLE = 8  # one in so many

Record = Callable[[Ending], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--campaign", choices=["sample", "full"], default="sample", help="how many kills and faults to try"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--campaign", default="sample") == "full":
        return
    mine = [item for item in items if item.get_closest_marker("parametrize") and "campaign" in item.nodeid]
    left_out = {item for number, item in enumerate(mine) if number % SAMPLE}
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture
def record(record_property: Callable[[str, object], None]) -> Record:
    """Note how one incident ended; other processes count it, too."""
    return lambda ending: record_property(PROPERTY, list(ending))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many kills and faults there were, and how they ended."""
    reports = [report for report in terminalreporter.stats.get("passed", []) if report.when == "call"]
    endings = [Ending(*value) for report in reports for name, value in report.user_properties if name == PROPERTY]
    if not endings:
        return
    terminalreporter.section("campaign")
    for incident in sorted({ending.incident for ending in endings}, reverse=True):
        of_kind = [ending for ending in endings if ending.incident == incident]
        ways = Counter(ending.way for ending in of_kind)
        reboots = Counter(ending.extra_reboots for ending in of_kind)
        ended = ", ".join(f"{count} {way}" for way, count in ways.most_common())
        cost = ", ".join(f"{reboots[number]} with {number}" for number in sorted(reboots))
        terminalreporter.write_line(f"{len(of_kind)} {incident}s: {ended}; extra reboots: {cost}")
