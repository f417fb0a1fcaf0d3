"""Changes of HA parameters of pairs at work: what becomes a step, what it says, and what is left as it is."""

from __future__ import annotations

from typing import Any

import pytest

from geoplan.errors import ChangeRefusedError
from geoplan.plan.change import make_change, older_plan
from geoplan.plan.described import topology_before
from geoplan.plan.ha_change import consequences_of
from geoplan.plan.model import Phase, Plan
from geoplan.plan.planner import make_plan
from geoplan.topology.model import Topology


def topology(slave: str = "10.0.0.2", port: int | None = None, **pair: Any) -> Topology:
    """Return a pair and a standalone."""
    document: dict[str, Any] = {"name": "new" if pair or port else "old"}
    document["sites"] = [
        {"name": "A", "ha_pair": {"master": "10.0.0.1", "slave": slave, **pair}},
        {"name": "B", "standalone": "10.0.0.3"},
    ]
    return Topology.model_validate(document | ({"health_check_port": port} if port else {}))


OLD = topology()
PORT = ["set_health_check_port", "move_health_check"]
EVERYTHING: dict[str, Any] = {"preferred_host": "none", "health_check": {"port": 9000, "all_interfaces": True}}


def change(new: Topology, old: Topology = OLD) -> Plan:
    return make_change(new, make_plan(old, (Phase.GEO,)))


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (topology(preferred_host="none"), [("set_preferred_host", ("none",))]),
        (topology(port=9000), [(action, ("9000",)) for action in PORT]),
        (topology(health_check={"port": 9000}), [(action, ("9000",)) for action in PORT]),
        (topology(health_check={"all_interfaces": True}), [("set_all_interfaces", ("yes",))]),
        (topology(health_check={"interval_seconds": 5}), []),
        (topology(port=8444), []),
    ],
)
def test_what_differs_is_a_step_of_its_own(new: Topology, expected: list[tuple[str, tuple[str, ...]]]) -> None:
    plan = change(new)
    assert [(step.action.value, plan.values(step)) for step in plan.steps] == expected
    assert all(step.section in ("6.1", "6.2") for step in plan.steps)


def test_what_the_new_topology_does_not_say_of_interfaces_stays() -> None:
    assert change(topology(), topology(health_check={"all_interfaces": True})).steps == ()


@pytest.mark.parametrize("pair", [EVERYTHING, {"preferred_host": "none"}, {"health_check": {"all_interfaces": True}}])
def test_the_way_back_and_the_same_again_can_be_planned_from_the_plan(pair: dict[str, Any]) -> None:
    new = topology(**pair)
    plan = change(new)
    back = make_change(topology_before(plan, {}), plan, cleans_leaving=True)
    assert [(each.before, each.after) for each in back.ha_changes] == [
        (each.after, each.before) for each in plan.ha_changes
    ]
    assert [step.action for step in back.steps] == [step.action for step in plan.steps]
    assert make_change(new, older_plan(plan)).checksum == plan.checksum


def test_ha_parameters_come_before_all_else() -> None:
    other = topology(**EVERYTHING).model_dump(exclude_unset=True)
    other["sites"] = [*other["sites"], {"name": "C", "standalone": {"address": "10.0.0.4"}}]
    plan = change(Topology.model_validate(other))
    own = [step.action.value for step in plan.steps if plan.values(step) and step.section in ("6.1", "6.2")]
    assert [step.action.value for step in plan.steps][: len(own)] == own
    last = plan.steps[len(own) - 1]
    first_of_all_else = [step for step in plan.steps[len(own) :] if set(step.after) & {each.id for each in plan.steps}]
    assert any(last.id in step.after for step in first_of_all_else)


def test_a_new_unit_and_other_parameters_are_two_changes() -> None:
    with pytest.raises(ChangeRefusedError) as refused:
        change(topology("10.0.0.9", preferred_host="none"))
    assert "'A' has a new unit, and other HA parameters: make it in two changes, first the unit" in str(
        refused.value.problems
    )


def test_each_step_says_its_risk_and_what_the_load_balancer_sees() -> None:
    plans = [change(topology(**EVERYTHING)), change(OLD, topology(**EVERYTHING)), change(topology("10.0.0.9"))]
    told = [said for plan in plans for step in plan.steps if (said := consequences_of(plan, step))]
    assert len(told) == 8
    assert all(all(said) for said in told)
    (port, *_) = told
    assert "the standby may go active" in port.risk
    assert "8444 becomes 9000" in port.what


def test_a_plan_without_them_is_written_as_before() -> None:
    assert "ha_changes" not in change(topology("10.0.0.9")).written_fields
