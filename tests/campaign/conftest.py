"""``--campaign full``: every kill and every fault; without it one in eight. How they ended is counted at the end.

``--campaign-part N`` says which eighth. The eight parts are the whole campaign, each with something of every kind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from hashlib import sha256

import pytest

from tests.campaign.support import PROPERTY, Ending

PARTS = 8

Record = Callable[[Ending], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--campaign", choices=["sample", "full"], default="sample", help="how many kills and faults to try"
    )
    parser.addoption(
        "--campaign-part", type=int, choices=range(1, PARTS + 1), default=1, help="which eighth of them is the sample"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--campaign", default="sample") == "full":
        return
    mine = {item.nodeid for item in items if item.get_closest_marker("parametrize") and "campaign" in item.nodeid}
    left_out = mine - sample(mine, config.getoption("--campaign-part", default=1))
    items[:] = [item for item in items if item.nodeid not in left_out]


def sample(incidents: Iterable[str], part: int) -> set[str]:
    """Return one part of eight, with about an eighth of each test's kills and faults.

    They are taken in an order without a pattern, so that no kind of fault and no command falls into one part alone.
    """
    shuffled = sorted(incidents, key=lambda name: (name.partition("[")[0], sha256(name.encode()).digest()))
    return set(shuffled[part - 1 :: PARTS])


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
    if terminalreporter.config.getoption("--campaign", default="sample") == "sample":
        tried = sorted(report.location[2] for report in reports if "[" in report.location[2])
        part = terminalreporter.config.getoption("--campaign-part", default=1)
        terminalreporter.write_line(f"part {part} of {PARTS}: {len(tried)} kills and faults")
        for name in tried:
            terminalreporter.write_line(f"  {name}")
    for incident in sorted({ending.incident for ending in endings}, reverse=True):
        of_kind = [ending for ending in endings if ending.incident == incident]
        ways = Counter(ending.way for ending in of_kind)
        reboots = Counter(ending.extra_reboots for ending in of_kind)
        ended = ", ".join(f"{count} {way}" for way, count in ways.most_common())
        cost = ", ".join(f"{reboots[number]} with {number}" for number in sorted(reboots))
        terminalreporter.write_line(f"{len(of_kind)} {incident}s: {ended}; extra reboots: {cost}")
