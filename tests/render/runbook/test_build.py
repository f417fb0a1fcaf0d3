"""What the runbook says, whatever its format."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

import pytest

from geoplan import Topology, make_plan
from geoplan.plan.model import Action, Phase, Plan
from geoplan.render.runbook.model import Runbook, RunbookStep, Task
from geoplan.render.runbook.prose import duration
from tests.render.runbooks import as_markdown, as_page, behind_balancer, book_of, eighteen_sites, two_sites


def plan_of(*sites: Mapping[str, object], **more: object) -> Plan:
    return make_plan(Topology.model_validate({"name": "topology", "sites": sites, **more}))


def pair(name: str, number: int, preferred_host: str = "master") -> dict[str, object]:
    units = {"master": f"10.{number}.0.5", "slave": f"10.{number}.0.6"}
    return {"name": name, "ha_pair": {**units, "preferred_host": preferred_host}}


def step_of(book: Runbook, action: Action, site: str) -> RunbookStep:
    return next(step for step in book.steps if step.action is action and step.title[0] == site)


def text_of(step: RunbookStep) -> str:
    lines = (*step.wait_before, step.login.unit, step.login.tell or "", step.expect, *step.wait_after)
    return "\n".join(map(str, lines))


def test_active_unit_is_told_by_its_health_check() -> None:
    plan = plan_of(pair("A", 1), pair("B", 2), health_check_port=8555)
    step = step_of(book_of(plan), Action.SET_GEO_PARTNERS, "A")
    assert step.login.url == "https://10.1.0.5"
    assert str(step.login.tell) == (
        "It is the active one when http://10.1.0.5:8555/ answers 200; the standby, http://10.1.0.6:8555/, answers 503."
    )


def test_new_active_unit_is_told_while_the_master_does_not_answer() -> None:
    step = step_of(book_of(plan_of(pair("A", 1), pair("B", 2))), Action.RESUBMIT_GEO_PARTNERS, "A")
    assert step.login.url == "https://10.1.0.6"
    assert str(step.login.tell) == (
        "It is the active one when http://10.1.0.6:8444/ answers 200; the master, http://10.1.0.5:8444/, does not "
        "answer. Once it does, it is too late: do step 5 again, with its waits, and then this one at once."
    )
    assert "503" not in "".join(map(str, (*step.wait_before, step.login.tell)))


def test_new_active_unit_is_told_whether_or_not_the_master_is_back_where_no_host_is_preferred() -> None:
    step = step_of(book_of(plan_of(pair("A", 1, "none"), pair("B", 2))), Action.RESUBMIT_GEO_PARTNERS, "A")
    assert step.login.url == "https://10.1.0.6"
    assert str(step.login.tell) == (
        "It is the active one when http://10.1.0.6:8444/ answers 200; the master, http://10.1.0.5:8444/, may not "
        "answer yet, and answers 503 once it is back."
    )


def test_the_partners_of_a_site_alone_are_left_empty() -> None:
    step = step_of(book_of(plan_of(pair("A", 1))), Action.SET_GEO_PARTNERS, "A")
    (move,) = step.moves
    assert isinstance(move, Task)
    assert "Leave GEO LoadMaster Partners empty" in str(move.text)
    assert "where it holds nothing, nothing has to be done" in str(move.text)
    assert str(step.expect) == "Open the screen again: GEO LoadMaster Partners is empty."


def test_a_pair_alone_is_formed_before_its_partners_are_emptied_and_that_is_said_once() -> None:
    plan = make_plan(Topology.model_validate({"sites": [pair("A", 1)]}), list(Phase))
    waits = {step.action: list(map(str, step.wait_before)) for step in book_of(plan).steps}
    assert any("A is a working pair" in wait for wait in waits[Action.SET_GEO_PARTNERS])
    assert waits[Action.SET_REMOTE_GEO_ACCESS] == []


def behind_nat(**of_units: str) -> dict[str, object]:
    units = {"master": "10.1.0.5", "slave": "10.1.0.6"}
    addressed = {role: {"address": own, "nat_address": of_units.get(role)} for role, own in units.items()}
    return {"name": "A", "ha_pair": addressed, "cluster": {"name": "dublin"}}


@pytest.mark.parametrize(
    ("of_units", "reached_at"),
    [
        ({"master": "203.0.113.5", "slave": "203.0.113.6"}, ("203.0.113.5", "203.0.113.6")),
        ({"master": "203.0.113.5"}, ("203.0.113.5", "10.1.0.6")),
        ({"slave": "203.0.113.6"}, ("10.1.0.5", "203.0.113.6")),
    ],
    ids=["both", "master", "slave"],
)
def test_cluster_of_a_pair_behind_nat_is_checked_by_hand(of_units: dict[str, str], reached_at: tuple[str, str]) -> None:
    book = book_of(plan_of(behind_nat(**of_units), pair("B", 2)))
    checks = {check.id: "\n".join(map(str, check.lines)) for check in book.verify}
    for text in (checks["clusters-up"], checks["drill/A"]):
        assert "by hand" in text
        assert "HA replaces a unit's own address in a cluster by the other unit's own, but not a NAT address." in text
        assert f"From outside, the master is reached at {reached_at[0]}, the slave at {reached_at[1]}." in text
    assert f"where the cluster dublin, entered with {reached_at[0]}, points" in checks["clusters-up"]
    assert "every other cluster is up" in checks["drill/A"]
    assert "by hand" not in checks["drill/B"]


def test_cluster_of_a_pair_behind_nat_is_not_said_to_follow_a_failover() -> None:
    alone = book_of(plan_of(behind_nat(master="203.0.113.5")))
    drill = "\n".join(str(line) for check in alone.verify if check.id == "drill/A" for line in check.lines)
    assert "its address may now show" not in drill
    assert "by hand" in drill


def test_clusters_without_nat_need_no_look_by_hand() -> None:
    book = book_of(plan_of(pair("A", 1), pair("B", 2)))
    assert "by hand" not in "\n".join(str(line) for check in book.verify for line in check.lines)


def test_health_check_of_an_ipv6_unit_is_a_url() -> None:
    plan = plan_of({"name": "A", "ha_pair": {"master": "2001:db8::5", "slave": "2001:db8::6"}})
    assert book_of(plan).units[0].health == "http://[2001:db8::5]:8444/"


def test_url_in_a_command_is_quoted_for_the_shell() -> None:
    book = book_of(plan_of({"name": "A", "ha_pair": {"master": "2001:db8::5", "slave": "2001:db8::6"}}, pair("B", 2)))
    assert book.check_command
    assert shlex.split(book.check_command)[-1] == "http://[2001:db8::5]:8444/"
    assert book.check_command.endswith(" 'http://[2001:db8::5]:8444/'")
    waits = step_of(book, Action.REBOOT_MASTER, "A").wait_before
    commands = [part for line in waits for part in line if part.startswith("curl ")]
    assert [command.split(" ", 4)[4] for command in commands] == [
        f"'https://[2001:db8::6]/access/get?param={parameter}'" for parameter in ("geoclients", "geopartners")
    ]


def test_reboot_waits_for_replication_and_for_the_pair_before() -> None:
    book = book_of(plan_of(pair("A", 1), pair("B", 2)))
    first, second = (text_of(step_of(book, Action.REBOOT_MASTER, name)) for name in "AB")
    assert "The slave holds both lists of step 1 and step 2: this takes up to 2 minutes after step 2." in first
    assert "rebooted in" not in first
    assert "Both units of A, rebooted in step 5, are up again" in second


def test_prefer_master_has_the_submission_reach_the_slave_first() -> None:
    book = book_of(plan_of(pair("A", 1), pair("B", 2)))
    assert "the submission has to reach the slave before that" in text_of(step_of(book, Action.REBOOT_MASTER, "A"))
    resubmission = text_of(step_of(book, Action.RESUBMIT_GEO_PARTNERS, "A"))
    assert "The submission has to reach the slave before the master is back." in resubmission
    assert "http://10.1.0.5:8444/ answers 200, http://10.1.0.6:8444/ answers 503" in resubmission


def test_without_a_preferred_host_the_slave_stays_active() -> None:
    book = book_of(plan_of(pair("A", 1, "none"), pair("B", 2)))
    assert "it stays active when the master comes back" in text_of(step_of(book, Action.REBOOT_MASTER, "A"))
    assert "before the master is back" not in text_of(step_of(book, Action.RESUBMIT_GEO_PARTNERS, "A"))
    before, after = step_of(book, Action.SET_GEO_PARTNERS, "A"), step_of(book, Action.ADD_CLUSTER, "A")
    assert (before.login.url, after.login.url) == ("https://10.1.0.5", "https://10.1.0.6")
    assert "its slave since step 5" in str(after.login.unit).replace("which is ", "")
    drill = next(check for check in book.verify if check.id == "drill/A")
    assert "geoplan drill TOPOLOGY --site NAME --back" in str(drill.lines[0])
    assert str(drill.lines[1]).startswith("Reboot the active unit, https://10.1.0.6, at ")


def test_first_step_after_the_reboots_waits_for_every_pair() -> None:
    book = book_of(plan_of(pair("A", 1), pair("B", 2), {"name": "C", "standalone": "10.3.0.5"}))
    waiting = [step.number for step in book.steps if "Both units of A and B are up again" in text_of(step)]
    assert waiting == [step_of(book, Action.RESUBMIT_GEO_PARTNERS, "C").number]


@pytest.mark.parametrize("plan", [eighteen_sites(), two_sites("A", "B")], ids=["eighteen", "two"])
def test_times_of_the_steps_add_up_to_the_window(plan: Plan) -> None:
    book = book_of(plan)
    assert sum(step.seconds for step in book.steps) == book.seconds == plan.estimates.by_hand_seconds


@pytest.mark.parametrize(
    ("timing", "reboots", "window"),
    [
        ({}, True, "13 minutes (9 steps at 1 minute, and 4 minutes more for each reboot, to replicate and to boot); "),
        ({}, False, "6 minutes (6 steps at 1 minute); "),
        ({"manual_step_seconds": 0}, True, "4 minutes (4 minutes for each reboot, to replicate and to boot); "),
        ({"boot_seconds": 0, "sync_seconds": 0}, True, "9 minutes (9 steps at 1 minute); "),
        ({"manual_step_seconds": 0}, False, "not estimated, since the topology's timing counts no time for a step; "),
    ],
    ids=["with reboots", "without", "steps uncounted", "reboots uncounted", "nothing to count"],
)
def test_window_names_what_it_is_made_of(timing: dict[str, float], reboots: bool, window: str) -> None:
    first = pair("A", 1) if reboots else {"name": "A", "standalone": "10.0.0.1"}
    book = book_of(plan_of(first, {"name": "B", "standalone": "10.0.0.9"}, timing=timing))
    shown = next(str(fact.text) for fact in book.facts if fact.label == "Estimated window")
    assert shown == window + "the preparation and the last checks come on top"


def test_no_time_at_all_is_not_counted_in_numbers() -> None:
    no_time = {"manual_step_seconds": 0, "boot_seconds": 0, "sync_seconds": 0}
    plan = plan_of(pair("A", 1), pair("B", 2), timing=no_time)
    for text in (as_markdown(plan), as_page(plan).partition("<script>")[0]):
        assert not re.search(r"(?<![\d.])0 (second|minute)", text)


def test_only_the_kinds_of_step_that_are_there_can_go_wrong() -> None:
    alone = book_of(plan_of(pair("A", 1)))
    assert [trouble.action for trouble in alone.trouble] == [
        Action.SET_REMOTE_GEO_ACCESS,
        Action.SET_GEO_PARTNERS,
        Action.ADD_CLUSTER,
    ]
    for plan in (two_sites("A", "B"), behind_balancer("A")):
        assert {trouble.action for trouble in book_of(plan).trouble} == {step.action for step in plan.steps}


def test_lone_site_is_told_that_it_has_no_partner() -> None:
    book = book_of(plan_of(pair("A", 1)))
    assert book.lists[0].geo_partners is None
    assert [check.id for check in book.verify] == ["clusters-up", "drill/A"]
    assert "geo-configuration" not in {check.id for check in book.before}


def test_every_check_the_window_needs_stands_before_it() -> None:
    ids = {check.id for check in book_of(two_sites("A", "B")).before}
    needed = {"pairs-up", "firmware", "shared-secret", "ssh", "ports", "backup", "geo-configuration", "alone"}
    assert needed <= ids


def test_standalones_alone_reboot_nothing_and_have_no_drill() -> None:
    sites = [{"name": name, "standalone": f"10.0.0.{number}"} for number, name in enumerate("AB", start=1)]
    book = book_of(plan_of(*sites))
    assert "It reboots nothing." in str(book.summary)
    assert book.check_command is None
    assert not [check for check in book.verify if check.id.startswith("drill")]


def test_summary_names_the_pairs_that_are_rebooted_where_it_is_not_all_of_them() -> None:
    sites = [pair(name, number) for number, name in enumerate("ABC", start=1)]
    some = book_of(plan_of(*sites, groups={"east": ["A", "B"], "west": ["C"]}))
    assert "It reboots the masters of A and B, one after the other" in str(some.summary)
    assert "It reboots the master of each pair, one after the other" in str(book_of(plan_of(*sites)).summary)
    assert "It reboots the master of A, and meanwhile" in str(book_of(two_sites("A", "B")).summary)


def test_each_group_has_its_own_parts() -> None:
    book = book_of(plan_of(pair("A", 1), pair("B", 2), groups={"east": ["A"], "west": ["B"]}))
    assert [str(phase.title) for phase in book.phases] == [
        "east: enter the lists",
        "east: create the clusters",
        "west: enter the lists",
        "west: create the clusters",
    ]


def test_place_of_a_cluster_is_entered_where_it_is_known() -> None:
    site = {"name": "A", "standalone": "10.0.0.1", "cluster": {"location": {"latitude": 53.35, "longitude": -6.26}}}
    labels = [
        str(move.label)
        for move in step_of(book_of(plan_of(site)), Action.ADD_CLUSTER, "A").moves
        if not isinstance(move, Task)
    ]
    assert labels == ["IP address", "Name", "Add Cluster", "Type", "Show Locations", "Latitude", "Longitude"]


def test_address_behind_nat_is_shown_beside_its_own() -> None:
    site = {"name": "A", "standalone": {"address": "10.0.0.1", "nat_address": "203.0.113.1"}}
    assert book_of(plan_of(site)).units[0].nat_address == "203.0.113.1"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "a moment"),
        (0.4, "a moment"),
        (1, "1 second"),
        (45, "45 seconds"),
        (60, "1 minute"),
        (90, "1 minute 30 seconds"),
        (120, "2 minutes"),
        (330, "6 minutes"),
        (1560, "26 minutes"),
        (3600, "1 hour"),
        (3900, "1 hour 5 minutes"),
        (7380, "2 hours 3 minutes"),
    ],
)
def test_duration(seconds: float, words: str) -> None:
    assert duration(seconds) == words
