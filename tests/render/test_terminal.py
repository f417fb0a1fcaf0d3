"""The runbook as a terminal shows it."""

from __future__ import annotations

import re

import pytest

from geoplan import load_topology, make_plan
from geoplan.render import terminal
from tests.conftest import TOPOLOGIES


@pytest.mark.parametrize("width", [60, 80, 120])
def test_nothing_is_wider_than_the_terminal_or_cut_short(width: int) -> None:
    for path in TOPOLOGIES.glob("*.yaml"):
        plan = make_plan(load_topology(path))
        shown = terminal.render(plan, width=width)
        assert max(map(len, shown.splitlines())) <= width
        assert not re.search(r"[\w/:]…", shown)


def test_every_step_can_be_read() -> None:
    plan = make_plan(load_topology(TOPOLOGIES / "eighteen-sites.yaml"))
    shown = terminal.render(plan)
    for step in plan.steps:
        assert f"[ ] {step.number}. {step.site}: " in shown


def test_colour_only_where_asked_for() -> None:
    plan = make_plan(load_topology(TOPOLOGIES / "section-5.4.yaml"))
    assert "\x1b[" not in terminal.render(plan)
    assert "\x1b[1m" in terminal.render(plan, color=True)
