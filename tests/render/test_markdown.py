"""Plans for a review."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings

from geoplan import Plan, Topology, load_topology, make_plan
from geoplan.plan.model import Action, Phase
from geoplan.render import markdown
from tests.conftest import TOPOLOGIES
from tests.render.runbook.read_markdown import parse, structure
from tests.render.runbooks import HOSTILE_NAMES, two_sites
from tests.topologies import topologies


def example(stem: str = "section-5.4") -> Plan:
    return make_plan(load_topology(TOPOLOGIES / f"{stem}.yaml"))


def test_everything_that_is_planned_stands_there() -> None:
    plan = example()
    text = markdown.render(plan)
    assert f"`{plan.checksum}`" in text
    assert "Masters to reboot, one after the other: HA Pair 1, HA Pair 2." in text
    for site in plan.sites:
        assert f"| {' '.join(site.remote_geo_access)} | {' '.join(site.geo_partners)} |" in text
    for cluster in plan.clusters:
        assert f"| {cluster.name} | {cluster.address} | {cluster.type} |" in text
    numbers = [int(number) for number in re.findall(r"(?m)^(\d+)\. ", text)]
    assert numbers == [step.number for step in plan.steps]
    assert text.count("**Reboot**") == sum(step.action is Action.REBOOT_MASTER for step in plan.steps)


def test_it_is_one_screen_without_what_is_folded_away() -> None:
    shown = markdown.render(example()).partition("<details>")[0]
    assert len(shown.splitlines()) < 24


def test_pairs_alone_have_no_lists() -> None:
    plan = make_plan(load_topology(TOPOLOGIES / "aws-dublin-ohio.yaml"), [Phase.HA])
    assert "| Site |" not in markdown.render(plan)
    assert "Nothing is rebooted." in markdown.render(plan)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_name_changes_its_own_text_alone(name: str) -> None:
    for hostile, plain in (
        (two_sites(name, "Plain"), two_sites("Quiet", "Plain")),
        (two_sites("Quiet", "Plain", name=name), two_sites("Quiet", "Plain")),
        (two_sites("Quiet", "Plain", group=name), two_sites("Quiet", "Plain", group="Group")),
    ):
        assert structure(markdown.render(hostile)) == structure(markdown.render(plain))


@given(topologies(max_sites=6))
@settings(max_examples=40)
def test_names_of_any_topology_bring_no_markup(topology: Topology) -> None:
    text = markdown.render(make_plan(topology)).replace("<br>", " ")
    html = [token.content for token in parse(text) if token.type in {"html_block", "html_inline", "image"}]
    assert all(re.match(r"</?(details|summary)>", each) for each in html)
