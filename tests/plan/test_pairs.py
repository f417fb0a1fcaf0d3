"""HA pairs in the plan: their steps, their parameters and the time of the health check (sections 2, 6.1, 6.2, 8)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from geoplan import Plan, Topology, load_topology, make_plan
from geoplan.plan.model import HA_ACTIONS, Action, Phase
from geoplan.plan.planner import usual_phases
from geoplan.render import json as json_format
from tests.conftest import TOPOLOGIES
from tests.topologies import topologies

PAIR: dict[str, Any] = {"name": "Dublin", "ha_pair": {"master": "10.10.1.5", "slave": "10.10.2.5"}}


def with_check(**check: int) -> Plan:
    pair = {**PAIR["ha_pair"], "health_check": check}
    return make_plan(Topology.model_validate({"sites": [{**PAIR, "ha_pair": pair}]}), [Phase.HA])


@pytest.fixture(scope="module")
def dublin_ohio() -> Plan:
    return make_plan(load_topology(TOPOLOGIES / "aws-dublin-ohio.yaml"))


def test_a_topology_without_aws_has_no_ha_phase_and_no_word_of_it() -> None:
    plan = make_plan(load_topology(TOPOLOGIES / "section-5.4.yaml"))

    assert plan.phases() == (Phase.GEO,)
    assert "ha_pairs" not in json_format.render(plan)


def test_ha_steps_stand_before_geo_steps(dublin_ohio: Plan) -> None:
    phases = [step.phase for step in dublin_ohio.steps]

    assert phases == [Phase.HA] * 8 + [Phase.GEO] * 14
    assert [(step.action, step.on.unit, step.section) for step in dublin_ohio.steps[:4]] == [
        (Action.CREATE_LOAD_BALANCER, "load_balancer", "6.1"),
        (Action.SET_MASTER_HA_PARAMETERS, "master", "6.2"),
        (Action.SET_SLAVE_HA_PARAMETERS, "slave", "6.2"),
        (Action.VERIFY_HA_PAIR, "both", "8"),
    ]


def test_each_unit_has_the_other_one_as_its_partner(dublin_ohio: Plan) -> None:
    master, slave = (
        dublin_ohio.values(step)
        for step in dublin_ohio.steps
        if step.site == "Ohio" and step.action in (Action.SET_MASTER_HA_PARAMETERS, Action.SET_SLAVE_HA_PARAMETERS)
    )

    assert master == ("master", "none", "10.20.2.5", "8444", "yes")
    assert slave == ("slave", "none", "10.20.1.5", "8444", "yes")


def test_load_balancer_has_one_target_group_for_each_protocol_and_port() -> None:
    listeners = [
        {"protocol": "TCP", "port": 80},
        {"protocol": "TCP", "port": 8080, "target_port": 80},
        {"protocol": "UDP", "port": 53},
    ]
    aws = {
        "region": "eu-west-1",
        "vpc_id": "vpc-0a1b2c3d",
        "subnets": [{"subnet_id": "subnet-0a1b2c3d"}],
        "listeners": listeners,
    }
    site = {**PAIR, "ha_pair": {**PAIR["ha_pair"], "aws": aws}}
    balancer = make_plan(Topology.model_validate({"sites": [site]})).ha_pair("Dublin").load_balancer

    assert balancer
    assert [(group.protocol, group.port) for group in balancer.target_groups] == [("TCP", 80), ("UDP", 53)]


def test_times_of_the_health_check_are_those_of_section_2() -> None:
    timing = with_check(interval_seconds=20, healthy_threshold=10, unhealthy_threshold=4).ha_pair("Dublin").health_check

    assert timing.in_service_seconds == 200
    assert timing.out_of_service_seconds == 80


def test_the_window_has_time_for_the_health_check() -> None:
    quick = with_check(interval_seconds=5, healthy_threshold=2, unhealthy_threshold=2)
    slow = with_check(interval_seconds=20, healthy_threshold=10, unhealthy_threshold=4)

    assert slow.estimates.by_hand_seconds - quick.estimates.by_hand_seconds == 200 - 10


@pytest.mark.parametrize(("preferred_host", "switchovers"), [("master", 2), ("none", 1)])
def test_a_reboot_moves_the_traffic_and_under_prefer_master_back_again(preferred_host: str, switchovers: int) -> None:
    check = {"interval_seconds": 20, "healthy_threshold": 2, "unhealthy_threshold": 4}
    pair = {**PAIR["ha_pair"], "health_check": check, "preferred_host": preferred_host}
    sites = [{**PAIR, "ha_pair": pair}, {"name": "Ohio", "standalone": "10.20.1.5"}]
    plan = make_plan(Topology.model_validate({"sites": sites}), [Phase.GEO])

    (reboot,) = (step for step in plan.steps if step.action is Action.REBOOT_MASTER)
    assert plan.health_check_seconds(reboot) == switchovers * 80


def test_the_port_of_a_pair_goes_before_that_of_all() -> None:
    pair = {**PAIR["ha_pair"], "health_check": {"port": 9000}}
    other = {"name": "Ohio", "ha_pair": {"master": "10.20.1.5", "slave": "10.20.2.5"}}
    topology = Topology.model_validate({"sites": [{**PAIR, "ha_pair": pair}, other], "health_check_port": 8500})
    plan = make_plan(topology, list(Phase))

    assert [plan.health_check_port_of(site) for site in ("Dublin", "Ohio")] == [9000, 8500]
    assert [plan.ha_pair(site).slave.health_check_port for site in ("Dublin", "Ohio")] == [9000, 8500]


@given(topologies())
def test_every_plan_with_pairs_forms_each_of_them_before_its_site_is_touched(topology: Topology) -> None:
    plan = make_plan(topology, list(Phase))
    numbers = {step.id: step.number for step in plan.steps}

    assert Plan.model_validate_json(json_format.render(plan)) == plan
    assert all(numbers[before] < step.number for step in plan.steps for before in step.after)
    by_site = {(step.site, step.action): step for step in plan.steps}
    for site in plan.sites:
        is_alone = not site.geo_partners
        first_list = by_site[site.name, Action.SET_GEO_PARTNERS if is_alone else Action.SET_REMOTE_GEO_ACCESS]
        verified = by_site.get((site.name, Action.VERIFY_HA_PAIR))
        assert (verified is not None) == (site.kind == "ha_pair")
        if verified:
            assert first_list.after == (verified.id,)


@given(topologies())
def test_phases_divide_the_steps(topology: Topology) -> None:
    both = make_plan(topology, list(Phase))
    ha, geo = make_plan(topology, [Phase.HA]), make_plan(topology, [Phase.GEO])

    assert usual_phases(topology) == (Phase.GEO,)
    assert [step.id for step in both.steps] == [step.id for part in (ha, geo) for step in part.steps]
    assert {step.action for step in ha.steps} <= HA_ACTIONS
    assert (both.sites, both.clusters) == (geo.sites, geo.clusters)
