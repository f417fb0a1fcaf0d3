"""What a change comes to at each site, and how the plan, its Markdown and the pictures show it."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from hypothesis import given, settings

from geoplan import Plan, Topology, make_plan
from geoplan.plan.change import make_change
from geoplan.render import lists, markdown, text
from geoplan.render.delta import deltas_of, described
from geoplan.render.diagram import dot, mermaid, svg
from tests.plan.changes import Drawn, named, possible_changes
from tests.render.runbook.read_markdown import parse
from tests.render.runbooks import HOSTILE_NAMES, as_markdown

A, B, C, D = "A:10.0.0.1:10.0.0.2", "B:10.0.0.3", "C:10.0.0.5:10.0.0.6", "D:10.0.0.7"
TWO, FOUR = f"{A} {B}", f"{A} {B} {C} {D}"


def change(old: Topology, new: Topology, *replaced: str) -> Plan:
    return make_change(new, make_plan(old), replaced=replaced)


def words(plan: Plan) -> dict[str, str]:
    return {delta.site: described(plan, delta) for delta in deltas_of(plan)}


GAINS = "its master is rebooted, since its slave has new partners to link"


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (
            change(named(TWO), named(FOUR)),
            {
                "A": f"gets new partners; {GAINS}",
                "B": "gets new partners",
                "C": "joins; its master is rebooted, since its slave has no partner yet",
                "D": "joins",
            },
        ),
        (
            change(named(FOUR), named(f"{A} {B} {C}")),
            {
                "A": "loses partners",
                "B": "loses partners",
                "C": "loses partners",
                "D": "leaves for good; its cluster is deleted",
            },
        ),
        (
            change(named(FOUR, {"x": ["A", "B", "C"], "y": ["D"]}), named(FOUR, {"x": ["A", "B"], "y": ["D", "C"]})),
            {
                "A": "loses partners",
                "B": "loses partners",
                "C": f"moves from x to y; {GAINS}",
                "D": "gets new partners",
            },
        ),
        (change(named(FOUR), named(f"AA:10.0.0.1:10.0.0.2 {B} {C} {D}")), {"AA": "its cluster was called A"}),
        (
            change(named(TWO), named(TWO), "10.0.0.2"),
            {
                "A": "the unit 10.0.0.2 is replaced; its master is rebooted, since a unit of it is new",
                "B": "submits its partners again",
            },
        ),
        (
            change(named(TWO), named(TWO, B={"extra_remote_geo_access": ["192.0.2.1"]})),
            {"B": "its access list changes"},
        ),
        (change(named(FOUR), named(FOUR)), {}),
        (make_plan(named(FOUR)), {}),
    ],
)
def test_each_site_is_told_what_becomes_of_it(plan: Plan, expected: dict[str, str]) -> None:
    assert words(plan) == expected


@given(possible_changes(max_sites=5))
@settings(max_examples=30)
def test_deltas_lead_from_the_old_lists_to_the_new_ones(drawn: tuple[Drawn, Plan]) -> None:
    _, plan = drawn
    assert plan.change
    for delta in deltas_of(plan):
        old, site = plan.change.old_site(delta.site), plan.site(delta.site)
        before = set(old.geo_partners) if old else set()
        assert before - set(delta.partners.removed) | set(delta.partners.added) == set(site.geo_partners)
        assert described(plan, delta)


def test_plan_begins_with_the_change_and_what_it_costs() -> None:
    plan = change(named(TWO, name="two"), named(FOUR, name="four"))
    shown = text.render(plan, width=200)

    assert "Change from two: 18 steps, 2 reboots." in shown
    assert re.search(r"B +gets new partners +\+10\.0\.0\.5 \+10\.0\.0\.6 \+10\.0\.0\.7 +\+10", shown)
    back = text.render(change(named(FOUR, name="four"), named(TWO, name="two")), width=200)
    assert "no reboot." in back
    assert "Delete the cluster: D, 10.0.0.7" in back
    assert "Nothing is rebooted." in back


@pytest.mark.parametrize("render", [text.render, markdown.render, as_markdown])
def test_nothing_to_change_is_said(render: object) -> None:
    plan = change(named(FOUR), named(FOUR))
    assert "nothing to change" in render(plan).lower()  # type: ignore[operator]


def test_markdown_shows_what_changes_in_one_screen_and_folds_the_rest() -> None:
    plan = change(named(FOUR), named(TWO))
    shown = markdown.render(plan)
    first_screen = shown.partition("<details>")[0].splitlines()

    assert len(first_screen) < 20
    assert plan.checksum in shown
    assert plan.change
    assert plan.change.old_checksum in shown
    assert any(line.startswith("| D | leaves for good") for line in first_screen)
    assert shown.count("<details>") == shown.count("</details>") == 2


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_stay_names_in_a_change(name: str) -> None:
    def topology(called: str, *more: Mapping[str, object]) -> Topology:
        own = [{"name": "Plain", "standalone": "10.0.0.1"}, {"name": called, "standalone": "10.0.0.2"}]
        sites = [*own, *more]
        return Topology.model_validate({"name": name, "sites": sites})

    leaving = {"name": f"{name} too", "standalone": "10.0.0.3"}
    plan = change(topology(name, leaving), topology("Renamed"))
    assert parse(as_markdown(plan, picture=False))
    quiet = change(topology("Quiet", {**leaving, "name": "Quiet too"}), topology("Renamed"))
    assert markdown.render(plan).count("\n") == markdown.render(quiet).count("\n")


def test_lists_of_a_change_are_those_that_it_leads_to() -> None:
    shown = lists.render(change(named(FOUR), named(TWO)))

    assert shown.startswith(lists.render(make_plan(named(TWO))))
    assert "D\n10.0.0.7\nRemote GEO LoadMaster Access: 10.0.0.7\nGEO LoadMaster Partners:\n" in shown


MOVES = change(
    named(FOUR, {"x": ["A", "B", "C"], "y": ["D"]}),
    named(f"{A} {C} {D} E:10.0.0.9", {"x": ["A", "E"], "y": ["D", "C"]}),
)


def test_pictures_show_who_leaves_joins_and_moves_in_a_word_and_a_border() -> None:
    picture, flowchart, graph = svg.render(MOVES), mermaid.render(MOVES), dot.render(MOVES)

    for drawn in (picture, flowchart, graph):
        assert all(fate in drawn for fate in ("leaves", "joins", "moves"))
    assert picture.count('stroke-dasharray="6 4"') == 1
    assert "Dashed: leaves for good." in picture
    assert "B (10.0.0.3), leaves" in picture
    assert flowchart.count(" leaves\n") == 1
    assert graph.count('rounded,dashed" color') == 1


def test_pictures_without_a_change_say_nothing_of_one() -> None:
    plan = make_plan(named(FOUR))
    for drawn in (svg.render(plan), mermaid.render(plan), dot.render(plan)):
        assert not re.search("leaves|joins|moves", drawn)
