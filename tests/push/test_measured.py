"""Before and after a push on units: which unit of a pair serves."""

from __future__ import annotations

import pytest

from geoplan.plan.model import Plan
from geoplan.plan.secret import make_rotation
from geoplan.plan.upgrade import make_upgrade
from geoplan.push.firmware_records import MeasuredUnit
from geoplan.push.measured import _compared
from geoplan.topology.model import Topology

MASTER, SLAVE = "10.0.1.1", "10.0.1.2"
ACTIVE, STANDBY, UNCLEAR = MeasuredUnit(active=True), MeasuredUnit(active=False), MeasuredUnit()


def topology(preferred: str) -> Topology:
    pair = {"master": MASTER, "slave": SLAVE, "preferred_host": preferred}
    return Topology.model_validate({"sites": [{"name": "A", "ha_pair": pair}]})


def rotation(preferred: str) -> Plan:
    return make_rotation(topology(preferred))


def update(preferred: str) -> Plan:
    return make_upgrade(topology(preferred), "7.2.60.1", {MASTER: "7.2.59.4", SLAVE: "7.2.59.4"}, holds_roles=True)


def found(plan: Plan, before: tuple[MeasuredUnit, ...], after: tuple[MeasuredUnit, ...]) -> tuple[list[str], list[str]]:
    """Return what of who serves is a finding, and all that is told of it."""
    units = (MASTER, SLAVE)
    rows = list(_compared(plan, dict(zip(units, before, strict=True)), dict(zip(units, after, strict=True))))
    return [each for row in rows for each in row.changed], [row.serves for row in rows if row.serves]


@pytest.mark.parametrize("plan", [rotation("none"), rotation("master"), update("master")])
def test_another_unit_that_serves_afterwards_is_a_finding(plan: Plan) -> None:
    words = f"it serves now, and {MASTER} did before"
    assert found(plan, (ACTIVE, STANDBY), (STANDBY, ACTIVE)) == ([words], [words])


def test_update_moves_the_traffic_of_a_pair_without_preferred_host_which_is_told_and_no_finding() -> None:
    assert found(update("none"), (ACTIVE, STANDBY), (STANDBY, ACTIVE)) == (
        [],
        [f"it serves now, and {MASTER} did before"],
    )


@pytest.mark.parametrize(
    ("preferred", "before", "after"),
    [
        ("none", (ACTIVE, STANDBY), (ACTIVE, STANDBY)),
        ("none", (UNCLEAR, UNCLEAR), (STANDBY, ACTIVE)),
        ("none", (ACTIVE, STANDBY), (UNCLEAR, UNCLEAR)),
        ("master", (STANDBY, ACTIVE), (ACTIVE, STANDBY)),
    ],
)
def test_what_did_not_move_or_is_not_known_or_went_back_to_the_master_is_none(
    preferred: str, before: tuple[MeasuredUnit, ...], after: tuple[MeasuredUnit, ...]
) -> None:
    assert found(rotation(preferred), before, after) == ([], [])
