"""The runbook as a terminal shows it."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from rich.cells import cell_len
from syrupy.assertion import SnapshotAssertion

from geoplan import Plan, load_topology, make_plan
from geoplan.plan.model import Phase
from tests.conftest import TOPOLOGIES
from tests.render.pictures import plan_of, site
from tests.render.runbooks import on_terminal, two_sites

ROOMY = 1000


def ipv6_plan() -> Plan:
    """Plan sites whose addresses are as long as they come."""
    return plan_of([site("A", 1, pair=True, nat=True, ipv6=True), site("B", 2, pair=False, ipv6=True)])


def addressed(shown: str) -> Counter[str]:
    """Count the words that are an address or a URL, without the punctuation after them."""
    words = (word.rstrip("),;.:") for word in shown.split())
    return Counter(word for word in words if re.search(r"\d\.\d+\.\d|[\da-f]:[\da-f:]+[\da-f]|//", word))


def broken(plan: Plan, width: int) -> set[str]:
    """Return the addresses and URLs that are not in one piece somewhere though the screen has room for them."""
    missing = addressed(on_terminal(plan, width=ROOMY)) - addressed(on_terminal(plan, width=width))
    return {word for word in missing if cell_len(word) <= width}


@pytest.mark.parametrize("width", [28, 40, 50, 60, 80, 120])
@pytest.mark.parametrize("stem", ["section-5.4", "three-regions", "fleet", "ipv6", "aws-dublin-ohio"])
def test_address_or_url_stays_in_one_piece(stem: str, width: int) -> None:
    plan = ipv6_plan() if stem == "ipv6" else make_plan(load_topology(TOPOLOGIES / f"{stem}.yaml"))
    assert broken(plan, width) == set()
    assert max(map(cell_len, on_terminal(plan, width=width).splitlines())) <= width


def test_value_to_paste_is_there_in_one_piece_on_a_narrow_screen() -> None:
    shown = on_terminal(ipv6_plan(), width=40)
    assert "\n 2001:db8:1234:5678:9abc:def0:1001:1001\n" in shown.replace("\n  ", "\n ")


def test_table_that_has_no_room_is_a_list() -> None:
    plan = make_plan(load_topology(TOPOLOGIES / "three-regions.yaml"))
    shown = on_terminal(plan, width=40)
    assert (
        "Ohio\n  Unit: slave\n  Address: 10.20.2.5\n  Web interface: https://10.20.2.5\n  Health check: http://10.20.2.5:8444/\n"
        in shown
    )
    assert "───" not in shown
    assert "───" in on_terminal(plan, width=80)


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_nothing_is_wider_than_the_terminal_or_cut_short(width: int) -> None:
    for path in TOPOLOGIES.glob("*.yaml"):
        plan = make_plan(load_topology(path))
        shown = on_terminal(plan, width=width)
        assert max(map(len, shown.splitlines())) <= width
        assert not re.search(r"[\w/:]…", shown)


def test_pairs_on_a_terminal(snapshot: SnapshotAssertion) -> None:
    assert on_terminal(two_sites("Oslo", "Bergen", phases=[Phase.HA])) == snapshot


def test_tables_of_pairs_on_a_narrow_terminal(snapshot: SnapshotAssertion) -> None:
    shown = on_terminal(two_sites("Oslo", "Bergen", phases=[Phase.HA]), width=40)
    assert shown.partition("The units\n")[2].partition("The steps\n")[0] == snapshot


def test_every_step_can_be_read() -> None:
    plan = make_plan(load_topology(TOPOLOGIES / "eighteen-sites.yaml"))
    shown = on_terminal(plan)
    for step in plan.steps:
        assert f"[ ] {step.number}. {step.site}: " in shown


def test_colour_only_where_asked_for() -> None:
    plan = make_plan(load_topology(TOPOLOGIES / "section-5.4.yaml"))
    assert "\x1b[" not in on_terminal(plan)
    assert "\x1b[1m" in on_terminal(plan, color=True)
