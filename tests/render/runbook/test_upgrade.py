"""The runbook of an upgrade and of a downgrade (section 7)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from geoplan import Plan, Topology, load_topology
from geoplan.plan.model import Action
from geoplan.plan.upgrade import make_upgrade
from geoplan.render import text
from geoplan.render.runbook.model import Runbook, RunbookStep
from tests.conftest import TOPOLOGIES
from tests.plan.upgrades import running_everywhere, upgrades
from tests.render.runbook.read_markdown import MarkdownFile, structure
from tests.render.runbooks import HOSTILE_NAMES, as_markdown, as_page, book_of, on_terminal


def of_example(present: str, to: str, sites: list[str] | None = None, stem: str = "section-5.4") -> Plan:
    topology = load_topology(TOPOLOGIES / f"{stem}.yaml")
    return make_upgrade(topology, to, running_everywhere(topology, present), sites)


def pair_upgrade(present: str, to: str, name: str = "Quiet", **more: Any) -> Plan:
    sites = [
        {"name": name, "ha_pair": {"master": "10.0.0.5", "slave": "10.0.0.6", **more}},
        {"name": "Plain", "standalone": "10.0.0.9"},
    ]
    topology = Topology.model_validate({"name": "topology", "sites": sites})
    return make_upgrade(topology, to, running_everywhere(topology, present))


def step_of(book: Runbook, action: Action) -> RunbookStep:
    return next(step for step in book.steps if step.action is action)


def all_of(step: RunbookStep) -> str:
    parts = (*step.wait_before, step.login.unit, step.login.tell or "", step.expect, *step.wait_after)
    return "\n".join(map(str, parts))


def test_runbook(snapshot: SnapshotAssertion) -> None:
    assert as_markdown(of_example("7.2.48.4", "7.2.59.4")) == snapshot(extension_class=MarkdownFile)


@pytest.mark.parametrize(("host", "says"), [("master", "it fails back"), ("none", "it does not fail back")])
def test_what_fails_over_and_whether_it_fails_back(host: str, says: str) -> None:
    book = book_of(pair_upgrade("7.2.48.4", "7.2.54.9", preferred_host=host))

    assert "nothing fails over" in all_of(step_of(book, Action.UPDATE_STANDBY))
    active = all_of(step_of(book, Action.UPDATE_ACTIVE))
    assert "the unit of step 1 takes over" in active
    assert says in active


def test_health_check_says_how_long_the_load_balancer_takes() -> None:
    check = {"interval_seconds": 20, "healthy_threshold": 10, "unhealthy_threshold": 4}
    book = book_of(pair_upgrade("7.2.48.4", "7.2.54.9", health_check=check))

    assert "follows after 200 seconds at least, each time" in all_of(step_of(book, Action.UPDATE_ACTIVE))
    assert sum(step.seconds for step in book.steps) == book.seconds


def test_secret_is_never_asked_for_nor_shown() -> None:
    book = book_of(pair_upgrade("7.2.48.4", "7.2.59.4"))
    secret = step_of(book, Action.SET_PARTNER_SECRET)

    assert all(getattr(move, "value", None) is None for move in secret.moves)
    assert all(check.blank is None for check in book.before)


def test_refused_links_stand_in_the_window_between_the_two_units() -> None:
    book = book_of(pair_upgrade("7.2.48.4", "7.2.59.4"))

    assert "HA and partner links between them stay refused" in all_of(step_of(book, Action.UPDATE_STANDBY))
    assert "without a pause" in all_of(step_of(book, Action.SET_PARTNER_SECRET))


def test_change_without_the_secret_has_no_word_of_it() -> None:
    assert "Shared Secret" not in as_markdown(pair_upgrade("7.2.48.4", "7.2.54.9"))


@pytest.mark.parametrize(("present", "to"), [("7.2.54.12", "7.2.59.0"), ("7.2.59.4", "7.2.48.4")])
def test_loss_of_the_secret_is_warned_of(present: str, to: str) -> None:
    shown = as_markdown(pair_upgrade(present, to))

    assert f"WARNING: `{to}` has no **Partner Shared Secret**" in shown
    assert "set the Partner Shared Secret" not in shown


def test_no_lists_and_no_drill_stand_in_it() -> None:
    book = book_of(pair_upgrade("7.2.48.4", "7.2.59.4"))

    assert (book.lists, book.pairs, book.states) == ((), (), ())
    assert not [check for check in book.verify if check.id.startswith("drill")]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_name_changes_its_own_text_alone(name: str) -> None:
    hostile, plain = (pair_upgrade("7.2.48.4", "7.2.59.4", shown) for shown in (name, "Quiet"))
    assert structure(as_markdown(hostile)) == structure(as_markdown(plain))


@given(upgrades(), st.sampled_from([40, 80, 120]))
@settings(max_examples=25)
def test_every_upgrade_is_shown_in_every_format(plan: Plan, width: int) -> None:
    page = as_page(plan)
    book = book_of(plan)

    assert [step.number for step in book.steps] == [step.number for step in plan.steps]
    assert len(re.findall(r'class="tick" id="tick-\d+"', page)) == len(plan.steps)
    assert on_terminal(plan, width=width)
    assert text.render(plan, width=width)
    if not any("{}" in site.name for site in plan.sites):  # every place of a name is filled in
        assert "{}" not in str([step[4:] for step in book.steps])
