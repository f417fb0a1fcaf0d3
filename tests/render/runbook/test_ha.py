"""What the runbook says of HA pairs: load balancer, parameters of both units, and what shows that they work."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan import Plan, Topology, load_topology, make_plan
from geoplan.plan.model import HA_ACTIONS, Action, Phase
from geoplan.render.runbook import ec2
from geoplan.render.runbook.model import Choice, Field, Runbook, RunbookStep, Task
from tests.conftest import TOPOLOGIES
from tests.render.runbooks import as_markdown, behind_balancer, book_of
from tests.topologies import names, topologies

SECTION_2 = {"interval_seconds": 20, "healthy_threshold": 10, "unhealthy_threshold": 4}
SHOWN = {
    "master": ("Master HA Mode", "Prefer Master"),
    "slave": ("Slave HA Mode",),
    "none": ("No Preferred Host",),
    "yes": ("Tick Health Check on All Interfaces",),
    "no": ("Leave Health Check on All Interfaces without a tick",),
}


@pytest.fixture(scope="module")
def dublin_ohio() -> Plan:
    return make_plan(load_topology(TOPOLOGIES / "aws-dublin-ohio.yaml"))


def pair_plan(phases: list[Phase], **more: Any) -> Plan:
    pair = {"master": "10.1.0.5", "slave": "10.1.0.6", **more}
    sites = [{"name": "A", "ha_pair": pair}, {"name": "B", "standalone": "10.2.0.5"}]
    return make_plan(Topology.model_validate({"name": "topology", "sites": sites}), phases)


def step_of(book: Runbook, action: Action, site: str) -> RunbookStep:
    return next(step for step in book.steps if step.action is action and step.title[0] == site)


def text_of(step: RunbookStep) -> str:
    """Return all that a step says, a line for each part."""
    lines = [*step.wait_before, step.login.unit, step.login.url, step.login.tell or ""]
    for move in step.moves:
        match move:
            case Field():
                lines.append(f"{move.label}: {move.value} {move.remark or ''}")
            case Choice():
                lines.append(f"{move.label}: {move.option} {move.remark or ''}")
            case Task():
                lines.append(str(move.text))
            case _:
                lines.append(str(move.label))
    return "\n".join(map(str, (*lines, step.expect, *step.wait_after)))


def checks_of(book: Runbook) -> dict[str, str]:
    return {check.id: "\n".join(map(str, (check.title, *check.lines))) for check in (*book.before, *book.verify)}


def test_pairs_are_formed_in_the_order_of_the_document(dublin_ohio: Plan) -> None:
    book = book_of(dublin_ohio)
    assert [str(phase.title) for phase in book.phases] == [
        "Form the pairs",
        "Enter the lists",
        "Fail over and submit again",
        "Create the clusters",
    ]
    assert [(str(step.title), str(step.screen.path)) for step in book.phases[0].steps[:4]] == [
        ("Dublin: create its Network Load Balancer", "Load Balancing > Load Balancers"),
        ("Dublin: set the HA parameters of the master", "System Configuration > AWS HA Parameters"),
        ("Dublin: set the HA parameters of the slave", "System Configuration > AWS HA Parameters"),
        ("Dublin: see that one unit is active and the other its standby", "Home"),
    ]


def test_every_value_of_the_plan_stands_in_its_step(dublin_ohio: Plan) -> None:
    book = book_of(dublin_ohio)
    for step, shown in zip(dublin_ohio.steps, book.steps, strict=True):
        for value in dublin_ohio.values(step):
            wanted = SHOWN.get(value, (value,)) if step.action in HA_ACTIONS else (value,)
            assert any(words in text_of(shown) for words in wanted), (step.id, value)


def test_parameters_of_the_slave_are_those_of_the_other_unit(dublin_ohio: Plan) -> None:
    book = book_of(dublin_ohio)
    for action, own, mode, other in (
        (Action.SET_MASTER_HA_PARAMETERS, "10.20.1.5", "Master HA Mode", "10.20.2.5"),
        (Action.SET_SLAVE_HA_PARAMETERS, "10.20.2.5", "Slave HA Mode", "10.20.1.5"),
    ):
        step = step_of(book, action, "Ohio")
        assert step.login.url == f"https://{own}:8443"
        text = text_of(step)
        assert f"AWS HA Mode: {mode}" in text
        assert "Switch to Preferred Server: No Preferred Host" in text
        assert f"Partner Name/IP: {other}" in text
        assert "\nSet Partner Name/IP\n" in text
        assert "Health Check Port: 8444" in text
        assert "\nSet Health Check Port\n" in text
        assert "Tick Health Check on All Interfaces" in text


def test_load_balancer_is_described_with_everything_that_the_topology_says(dublin_ohio: Plan) -> None:
    step = step_of(book_of(dublin_ohio), Action.CREATE_LOAD_BALANCER, "Dublin")
    text = text_of(step)
    balancer = dublin_ohio.ha_pair("Dublin").load_balancer
    assert balancer
    for subnet in balancer.subnets:
        assert f"{subnet.subnet_id}, select Choose an Elastic IP, and of those {subnet.allocation_id}" in text
    assert "Listeners: add TLS on port 443, to the target group dublin-tls-443" in text
    assert str(balancer.listeners[1].certificate_arn) in text
    assert "Target group: dublin-udp-53 Protocol UDP, Port 53." in text
    assert "Target type: Instance" in text
    assert "Tags: Service = shop and Environment = production." in text
    assert "for the port select override, and enter 8444" in text
    assert "Healthy threshold: 2 " in text
    assert "Interval: 10 seconds" in text
    assert "the master, i-0d0b11a1c0ffee001 and the slave, i-0d0b11a1c0ffee002" in text
    assert "geoplan export cloudformation TOPOLOGY --site Dublin " in text
    assert step.login.url == "https://eu-west-1.console.aws.amazon.com/ec2/home?region=eu-west-1"


def test_listener_names_the_target_group_that_it_goes_to(dublin_ohio: Plan) -> None:
    text = text_of(step_of(book_of(dublin_ohio), Action.CREATE_LOAD_BALANCER, "Ohio"))
    assert "Listeners: add TCP on port 443, to the target group ohio-tcp-443." in text
    assert "eipalloc" not in text


def test_units_without_known_instances_are_named_by_their_addresses() -> None:
    text = text_of(step_of(book_of(behind_balancer("A")), Action.CREATE_LOAD_BALANCER, "A"))
    assert "the master, the instance with 10.0.0.5 and the slave, the instance with 10.0.0.6" in text
    assert "a-tcp-udp-53" in text


def test_name_of_a_site_is_quoted_in_the_command() -> None:
    text = text_of(step_of(book_of(behind_balancer("a; rm -rf ~")), Action.CREATE_LOAD_BALANCER, "a; rm -rf ~"))
    assert "geoplan export cloudformation TOPOLOGY --site 'a; rm -rf ~' " in text


def test_times_of_the_health_check_are_those_of_section_2() -> None:
    book = book_of(pair_plan([Phase.HA], health_check=SECTION_2))
    fact = next(str(fact.text) for fact in book.facts if fact.label == "Health check")
    assert (
        fact
        == "A: a healthy unit is in service after 200 seconds, a failed one out of service after 80 seconds, at least"
    )
    window = next(str(fact.text) for fact in book.facts if fact.label == "Estimated window")
    assert "3 minutes 20 seconds for the health checks of the load balancers" in window
    verification = step_of(book, Action.VERIFY_HA_PAIR, "A")
    assert verification.seconds == 60 + 200


def test_verification_waits_until_the_load_balancer_can_know(dublin_ohio: Plan) -> None:
    step = step_of(book_of(dublin_ohio), Action.VERIFY_HA_PAIR, "Ohio")
    assert str(step.wait_before[0]).startswith("200 seconds have passed since step 7:")
    assert "10 good answers, one every 20 seconds" in str(step.wait_before[0])
    assert "out of service after 80 seconds" in str(step.wait_before[0])
    expected = str(step.expect)
    assert "Master (Active) on the master, Slave (Standby) on the slave" in expected
    assert "http://10.20.1.5:8444/ answers 200 and http://10.20.2.5:8444/ answers 503" in expected
    assert "the master is InService and the slave OutOfService" in expected
    assert "Local Administration alone" in expected


def test_pair_without_a_load_balancer_stays_unconnected_until_something_asks_it() -> None:
    book = book_of(make_plan(load_topology(TOPOLOGIES / "section-5.4.yaml"), [Phase.HA]))
    assert Action.CREATE_LOAD_BALANCER not in {step.action for step in book.steps}
    step = step_of(book, Action.VERIFY_HA_PAIR, "HA Pair 1")
    assert "until something does, the units say Master Unconnected and Slave Unconnected" in text_of(step)
    assert "InService" not in text_of(step)
    assert "20 seconds have passed since then" in text_of(step)


def test_a_reboot_says_how_long_the_load_balancer_takes() -> None:
    said = "out of service after 80 seconds and the slave into service after 200 seconds, at least"
    for preferred, back in (("master", True), ("none", False)):
        plan = pair_plan([Phase.GEO], health_check=SECTION_2, preferred_host=preferred)
        step = step_of(book_of(plan), Action.REBOOT_MASTER, "A")
        assert said in text_of(step)
        assert ("The way back takes as long." in text_of(step)) == back
        assert step.seconds == 60 + 240 + plan.health_check_seconds(plan.steps[step.number - 1])
    assert "out of service" not in text_of(step_of(book_of(pair_plan([Phase.GEO])), Action.REBOOT_MASTER, "A"))


def test_before_there_are_pairs_nothing_answers_and_nothing_is_asked_of_them(dublin_ohio: Plan) -> None:
    book = book_of(dublin_ohio)
    assert {unit.answer for unit in book.units} == {None}
    assert "Until its HA parameters are set, a unit does not answer" in str(book.how_to_tell)
    ids = {check.id for check in book.before}
    assert {"pairs-up", "preferred-host"}.isdisjoint(ids)
    assert {"units-up", "firmware", "aws", "virtual-services", "ssh", "shared-secret", "ports", "backup"} <= ids
    first_of_geo = step_of(book, Action.SET_REMOTE_GEO_ACCESS, "Dublin")
    assert str(first_of_geo.wait_before[0]) == "Dublin is a working pair: step 4 is ticked."


def test_pairs_that_are_there_already_have_to_be_up(dublin_ohio: Plan) -> None:
    book = book_of(make_plan(load_topology(TOPOLOGIES / "aws-dublin-ohio.yaml"), [Phase.GEO]))
    assert {"pairs-up", "preferred-host"} <= {check.id for check in book.before}
    assert [unit.answer for unit in book.units] == ["200", "503", "200", "503", None]
    assert not book.pairs
    assert not book.states


def test_what_ha_does_not_synchronise_is_ticked_off_for_each_pair(dublin_ohio: Plan) -> None:
    by_hand = [check for check in book_of(dublin_ohio).before if check.id.startswith("by-hand/")]
    assert [check.id for check in by_hand] == ["by-hand/Dublin", "by-hand/Ohio"]
    for check, addresses in zip(by_hand, (("10.10.1.5", "10.10.2.5"), ("10.20.1.5", "10.20.2.5")), strict=True):
        assert all(address in str(check.lines[0]) for address in addresses)
        settings_left = "\n".join(str(item.text) for item in check.items)
        assert len(check.items) == 11
        for setting in ("gateway", "netmask", "Hostname", "Name server", "Domain", "Admin default", "certificate"):
            assert setting in settings_left
        for setting in ("Link status".lower(), "MTU", "VLAN", "VXLAN", "Additional routes"):
            assert setting in settings_left


def test_ports_and_restrictions_of_section_6_stand_before_it(dublin_ohio: Plan) -> None:
    checks = checks_of(book_of(dublin_ohio))
    assert "TCP 6973 between the two units of each pair" in checks["ports"]
    assert "TCP 80, TCP 443 and UDP 53 to both units of Dublin" in checks["ports"]
    assert "port 8444 of Dublin and Ohio" in checks["virtual-services"]
    assert "port 6973" in checks["virtual-services"]
    assert "port 22" in checks["virtual-services"]


def test_each_pair_is_asked_on_its_own_port() -> None:
    sites = [
        {"name": "A", "ha_pair": {"master": "10.1.0.5", "slave": "10.1.0.6", "health_check": {"port": 9000}}},
        {"name": "B", "ha_pair": {"master": "10.2.0.5", "slave": "10.2.0.6"}},
    ]
    checks = checks_of(book_of(make_plan(Topology.model_validate({"sites": sites}), list(Phase))))
    assert "TCP 9000 to both units of A," in checks["ports"]
    assert "TCP 8444 to both units of B," in checks["ports"]


def test_the_pairs_alone_leave_standalones_and_lists_out() -> None:
    book = book_of(pair_plan([Phase.HA]))
    assert str(book.summary) == "This makes the two units of A an HA pair. It reboots nothing."
    assert [str(unit.site) for unit in book.units] == ["A", "A"]
    assert not book.lists
    assert "Every unit has a fresh backup, 2 in all" in checks_of(book)["backup"]
    assert "drill/A" in checks_of(book)
    text = as_markdown(pair_plan([Phase.HA]))
    assert "## The lists" not in text
    assert "10.2.0.5" not in text.partition("## Before you begin")[2]


def test_states_of_section_8_are_told_apart(dublin_ohio: Plan) -> None:
    states = {str(state.shown): str(state.meaning) for state in book_of(dublin_ohio).states}
    assert len(states) == 8
    for unit in ("Master", "Slave"):
        assert unit.upper() in states
        assert "has not asked it" in states[f"{unit} Unconnected"]
        assert "200" in states[f"{unit} (Active)"]
        assert "503" in states[f"{unit} (Standby)"]


def test_console_of_each_partition_of_aws() -> None:
    for region, host in (
        ("eu-west-1", "eu-west-1.console.aws.amazon.com"),
        ("cn-north-1", "cn-north-1.console.amazonaws.cn"),
        ("us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
        ("eusc-de-east-1", "eusc-de-east-1.console.amazonaws-eusc.eu"),
    ):
        assert ec2.console_of(region) == f"https://{host}/ec2/home?region={region}"


@given(
    st.lists(
        names | st.sampled_from(["internal-a", "Internal", "é", "東京", "a" * 40, "a" * 41]), unique=True, max_size=30
    )
)
def test_names_in_aws_are_allowed_and_no_two_the_same(sites: list[str]) -> None:
    stems = ec2.stems_of(sites)
    longest = [ec2.target_group_name(stem, "TCP_UDP", 65535) for stem in stems.values()]
    assert len(set(longest)) == len(sites)
    for name in (*longest, *(ec2.balancer_name(stem) for stem in stems.values())):
        assert re.fullmatch(r"(?!internal-)[a-z0-9]([a-z0-9-]*[a-z0-9])?", name)
        assert len(name) <= 32


@given(topologies(max_sites=6), st.sampled_from([[Phase.HA], [Phase.GEO], list(Phase)]))
@settings(max_examples=40)
def test_any_phases_of_any_topology_add_up_and_ask_for_what_they_need(topology: Topology, phases: list[Phase]) -> None:
    plan = make_plan(topology, phases)
    book = book_of(plan)
    assert [step.id for step in book.steps] == [step.id for step in plan.steps]
    assert sum(step.seconds for step in book.steps) == book.seconds == plan.estimates.by_hand_seconds
    ids = [check.id for check in (*book.before, *book.verify)]
    assert len(ids) == len(set(ids))
    formed = Phase.HA in plan.phases()
    assert bool(book.pairs) == bool(book.states) == formed
    assert bool(book.lists) == (Phase.GEO in plan.phases())
    assert ("pairs-up" in ids) == (not formed and any(site.ha_pair for site in topology.sites) and bool(plan.steps))
