"""Plans as tables."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from geoplan import Topology, load_topology, make_plan
from geoplan.plan.change import make_change
from geoplan.plan.model import Phase
from geoplan.render import text
from tests.conftest import TOPOLOGIES


@pytest.mark.parametrize("path", sorted(TOPOLOGIES.glob("*.yaml")), ids=lambda path: path.stem)
def test_text(path: Path, snapshot: SnapshotAssertion) -> None:
    assert text.render(make_plan(load_topology(path))) == snapshot


@pytest.mark.parametrize("phase", [Phase.HA, Phase.GEO])
def test_text_of_a_phase(phase: Phase, snapshot: SnapshotAssertion) -> None:
    assert text.render(make_plan(load_topology(TOPOLOGIES / "aws-dublin-ohio.yaml"), [phase])) == snapshot


def test_times_of_the_health_check_are_shown() -> None:
    pair = {"master": "10.0.0.5", "slave": "10.0.0.6"}
    check = {"interval_seconds": 20, "healthy_threshold": 10, "unhealthy_threshold": 4}
    topology = Topology.model_validate({"sites": [{"name": "A", "ha_pair": {**pair, "health_check": check}}]})
    for phase in Phase:
        printed = text.render(make_plan(topology, [phase]), width=120)
        assert re.search(r"A +port 8444, every 20 s +200 s +80 s", printed)
    by_hand = "7 min by hand, 200 s of it for the load balancers' health checks; nothing is rebooted"
    assert by_hand in text.render(make_plan(topology, [Phase.HA]), width=120)


def test_plan_without_geo_has_no_lists_and_no_clusters() -> None:
    plan = make_plan(load_topology(TOPOLOGIES / "aws-dublin-ohio.yaml"), [Phase.HA])
    printed = text.render(plan)
    assert "Remote GEO LoadMaster" not in printed
    assert "Remote LM" not in printed
    assert "sections 6.1, 6.2, 8 of the document" in printed


@pytest.mark.parametrize("width", [60, 80, 120])
def test_tables_fit_the_width(width: int) -> None:
    for path in TOPOLOGIES.glob("*.yaml"):
        printed = text.render(make_plan(load_topology(path)), width=width)
        assert max(map(len, printed.splitlines())) <= width


@pytest.mark.parametrize("width", [60, 66, 80])
def test_no_table_breaks_an_address(width: int) -> None:
    """Half of an address is another one: 172.24.1.1 on a line, and 0 on the next."""
    old, new = (load_topology(TOPOLOGIES / f"section-{section}.yaml") for section in ("5.3", "5.4"))
    for plan in (make_plan(new), make_change(new, make_plan(old)), make_change(old, make_plan(new))):
        whole, folded = (Counter(re.findall(r"[0-9.]+", text.render(plan, width=each))) for each in (400, width))
        assert {word: folded[word] for word in folded if word.count(".") > 1} == {
            word: whole[word] for word in whole if word.count(".") > 1
        }


def test_wide_terminal_keeps_a_list_on_one_line() -> None:
    printed = text.render(make_plan(load_topology(TOPOLOGIES / "section-5.4.yaml")), width=200)
    assert "172.24.1.7 172.24.1.8 172.24.1.5 172.24.1.6 172.24.1.9 172.24.1.10" in printed


def test_colour_only_where_asked_for() -> None:
    plan = make_plan(load_topology(TOPOLOGIES / "section-5.4.yaml"))
    assert "\x1b[" not in text.render(plan)
    assert "\x1b[" in text.render(plan, color=True)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (45, "45 s"),
        (60, "1 min"),
        (61, "2 min"),
        (480, "8 min"),
        (3600, "1 h 00 min"),
        (7500, "2 h 05 min"),
    ],
)
def test_duration(seconds: float, words: str) -> None:
    assert text.duration(seconds) == words
