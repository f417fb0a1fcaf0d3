"""Requests on HA parameters of a pair at work: those of their step pass, and no other."""

from __future__ import annotations

from typing import Any

import pytest

from geoplan.live.model import HaFacts, State
from geoplan.loadmaster.model import HaRequest
from geoplan.plan.change import make_change
from geoplan.plan.model import Action, Phase, Plan
from geoplan.plan.planner import make_plan
from geoplan.push.ha_requests import HaSight, ha_request_fault
from geoplan.topology.model import Topology

M, S, NEW = "10.0.0.1", "10.0.0.2", "10.0.0.9"
AT_WORK = {M: State.ACTIVE, S: State.STANDBY}
BOTH_ACTIVE = {M: State.ACTIVE, S: State.ACTIVE}
HELD: dict[str, object] = {M: HaFacts(S, 8444, True, "master"), S: HaFacts(M, 8444, True, "slave")}
APART: dict[str, object] = {**HELD, S: HaFacts(M, 9000, True, "slave")}


def topology(slave: str = S, **pair: Any) -> Topology:
    return Topology.model_validate(
        {"name": "x", "sites": [{"name": "A", "ha_pair": {"master": M, "slave": slave, **pair}}]}
    )


def change(new: Topology) -> Plan:
    return make_change(new, make_plan(topology(), (Phase.GEO,)))


PLAN = change(topology(preferred_host="none", health_check={"port": 9000}))
PORT, PREFERRED = Action.SET_HEALTH_CHECK_PORT, Action.SET_PREFERRED_HOST
TO_NEW, TO_OLD = HaRequest(M, health_check_port=9000), HaRequest(M, health_check_port=8444)


@pytest.mark.parametrize(
    ("action", "request_", "states", "held"),
    [
        (PORT, TO_NEW, AT_WORK, HELD),
        (PREFERRED, HaRequest(M, prefers_master=False), AT_WORK, HELD),
        (PORT, TO_NEW, BOTH_ACTIVE, {**APART, M: HaFacts(S, 9000, True, "master"), S: HELD[S]}),
        (PORT, TO_OLD, BOTH_ACTIVE, APART),
    ],
    ids=["port", "preferred host", "port that mends", "port that goes back"],
)
def test_what_a_step_says_is_sent(
    action: Action, request_: HaRequest, states: dict[str, State], held: dict[str, object]
) -> None:
    assert ha_request_fault(PLAN, action, S, request_, HaSight("A", states, held)) is None


@pytest.mark.parametrize(
    ("action", "request_", "states", "held", "why"),
    [
        (Action.SET_ALL_INTERFACES, HaRequest(M, all_interfaces=True), AT_WORK, HELD, "has no step"),
        (PORT, HaRequest(M, health_check_port=9001), AT_WORK, HELD, "not what the plan says"),
        (PORT, HaRequest(M, health_check_port=9000, prefers_master=False), AT_WORK, HELD, "not what the plan says"),
        (PREFERRED, TO_NEW, AT_WORK, HELD, "not what the plan says"),
        (PREFERRED, HaRequest(M, prefers_master=True), AT_WORK, HELD, "not what the plan says"),
        (PORT, HaRequest(NEW, health_check_port=9000), AT_WORK, HELD, "its partner is another one"),
        (PORT, TO_NEW, AT_WORK, {M: HELD[M]}, "not read before"),
        (PORT, TO_NEW, BOTH_ACTIVE, HELD, "not at work"),
        (PREFERRED, HaRequest(M, prefers_master=False), BOTH_ACTIVE, APART, "not at work"),
    ],
)
def test_all_else_is_not(
    action: Action, request_: HaRequest, states: dict[str, State], held: dict[str, object], why: str
) -> None:
    fault = ha_request_fault(PLAN, action, S, request_, HaSight("A", states, held))
    assert fault
    assert why in fault


def test_a_new_partner_is_set_on_the_unit_that_stays_while_it_alone_is_active() -> None:
    plan, action = change(topology(NEW)), Action.SET_HA_PARTNER
    alone = HaSight("A", {M: State.ACTIVE, NEW: State.UNKNOWN}, {M: HELD[M]})
    assert ha_request_fault(plan, action, M, HaRequest(NEW), alone) is None
    for request, sight in (
        (HaRequest(S), alone),
        (HaRequest(NEW, prefers_master=False), alone),
        (HaRequest(NEW), alone._replace(states={M: State.STANDBY, NEW: State.UNKNOWN})),
        (HaRequest(NEW), alone._replace(states={M: State.ACTIVE, NEW: State.ACTIVE})),
    ):
        assert ha_request_fault(plan, action, M, request, sight)
