"""The runbook as Markdown, read as GitHub reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from geoplan import Plan, Topology, load_topology, make_plan
from geoplan.plan.model import Action, Phase
from geoplan.render.runbook import markdown as md
from tests.conftest import TOPOLOGIES
from tests.render.runbook.read_markdown import WORDS, MarkdownFile, parse, structure
from tests.render.runbooks import (
    HOSTILE_NAMES,
    as_markdown,
    behind_balancer,
    eighteen_sites,
    hostile_plan,
    plain_plan,
    two_sites,
)
from tests.topologies import topologies


def words(text: str) -> str:
    """Return the words that a reader sees, without the structure."""
    return "".join(token.content for token in parse(text) if token.type in WORDS | {"fence"})


def in_order(text: str, parts: Iterator[str]) -> None:
    position = 0
    for part in parts:
        found = text.find(part, position)
        assert found >= 0, f"{part!r} does not come after what was before it"
        position = found + len(part)


@pytest.mark.parametrize("stem", ["aws-dublin-ohio", "section-5.4"])
def test_runbook(stem: str, snapshot: SnapshotAssertion) -> None:
    plan = make_plan(load_topology(TOPOLOGIES / f"{stem}.yaml"))
    assert as_markdown(plan) == snapshot(extension_class=MarkdownFile)


PATHS = {
    Action.SET_REMOTE_GEO_ACCESS: "`Certificates & Security > Remote Access`",
    Action.SET_GEO_PARTNERS: "`Certificates & Security > Remote Access`",
    Action.RESUBMIT_GEO_PARTNERS: "`Certificates & Security > Remote Access`",
    Action.REBOOT_MASTER: "`System Configuration > System Administration > System Reboot`",
    Action.ADD_CLUSTER: "`Global Balancing > Manage Clusters`",
}
FIELDS = {
    Action.SET_REMOTE_GEO_ACCESS: ["Remote GEO LoadMaster Access"],
    Action.SET_GEO_PARTNERS: ["GEO LoadMaster Partners"],
    Action.RESUBMIT_GEO_PARTNERS: ["GEO LoadMaster Partners"],
    Action.REBOOT_MASTER: [],
    Action.ADD_CLUSTER: ["IP address", "Name", "Type"],
}
BUTTONS = {
    Action.SET_REMOTE_GEO_ACCESS: "Set GEO LoadMaster access",
    Action.SET_GEO_PARTNERS: "Set GEO LoadMaster Partners",
    Action.RESUBMIT_GEO_PARTNERS: "Set GEO LoadMaster Partners",
    Action.REBOOT_MASTER: "Reboot",
    Action.ADD_CLUSTER: "Add Cluster",
}


def expected_of(plan: Plan) -> Iterator[str]:
    """Yield what the steps of a plan have to show, in order: number, path, each field with its value, button."""
    for step in plan.steps:
        yield f"- [ ] **{step.number}. {step.site}: "
        yield PATHS[step.action]
        values = plan.values(step)
        pasted = values if step.action is Action.ADD_CLUSTER else (" ".join(values),)
        for label, value in zip(FIELDS[step.action], pasted, strict=False):
            if label == "Type":
                break
            yield f"- Set **{label}** to:"
            yield f"    ```text\n    {value}\n    ```"
        yield f"- Press **{BUTTONS[step.action]}**"
        if step.action is Action.ADD_CLUSTER:
            yield "- Set **Type** to:"
            yield "    ```text\n    Remote LM\n    ```"
        yield f"(section {step.section})"


def test_every_action_of_5_4_stands_in_order_with_its_values_and_path() -> None:
    plan = make_plan(load_topology(TOPOLOGIES / "section-5.4.yaml"))
    steps = as_markdown(plan).partition("## The steps")[2]
    in_order(steps, expected_of(plan))
    assert steps.count("- [ ] **") - steps.partition("## Verify")[2].count("- [ ] **") == len(plan.steps)


def test_eighteen_sites_stand_in_order_with_their_values_and_paths() -> None:
    plan = eighteen_sites()
    in_order(as_markdown(plan).partition("## The steps")[2], expected_of(plan))


@given(topologies(max_sites=6), st.sampled_from([[Phase.GEO], list(Phase)]))
@settings(max_examples=40)
def test_any_topology_shows_its_names_and_nothing_else_of_them(topology: Topology, phases: list[Phase]) -> None:
    text = as_markdown(make_plan(topology, phases))
    assert not [token for token in parse(text) if token.type in {"html_block", "html_inline", "image"}]
    shown = re.sub(r"\s+", " ", words(text))
    for site in topology.sites:
        assert re.sub(r"\s+", " ", site.name) in shown


@pytest.mark.parametrize("index", range(len(HOSTILE_NAMES)), ids=lambda index: HOSTILE_NAMES[index])
def test_hostile_name_changes_its_own_text_alone(index: int) -> None:
    hostile, plain = as_markdown(hostile_plan(index)), as_markdown(plain_plan())
    assert structure(hostile) == structure(plain)
    # The picture is left out: its source is Mermaid's, which has its own way to escape.
    without = (as_markdown(plan, picture=False) for plan in (hostile_plan(index), plain_plan()))
    hostile_words, plain_words = map(words, without)
    assert blank_checksum(hostile_words) == blank_checksum(plain_words).replace("Quiet", HOSTILE_NAMES[index])


def blank_checksum(text: str) -> str:
    return re.sub("sha256:[0-9a-f]{64}", "sha256:…", text)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_group_changes_its_own_text_alone(name: str) -> None:
    hostile = as_markdown(two_sites("Quiet", "Plain", group=name))
    assert structure(hostile) == structure(as_markdown(two_sites("Quiet", "Plain", group="Group")))


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_name_of_a_formed_pair_changes_its_own_text_alone(name: str) -> None:
    assert structure(as_markdown(behind_balancer(name))) == structure(as_markdown(behind_balancer("Quiet")))


@pytest.mark.parametrize("name", [name for name in HOSTILE_NAMES if re.search(r"[@:]|www\.", name)])
def test_what_github_would_link_or_turn_into_a_picture_stands_in_code(name: str) -> None:
    assert md.name(name).startswith("`")


@pytest.mark.parametrize("name", ["HA Pair 1", "eu-west-1", "Clinic Tromsø", "R/D (old)", "lb1.eu.example", "a_b"])
def test_ordinary_name_stays_plain(name: str) -> None:
    assert md.name(name) == name


def test_line_break_in_a_plan_from_elsewhere_stays_in_its_line() -> None:
    assert md.name("a\n# b") == "`a # b`"


def test_without_the_picture_there_is_no_mermaid() -> None:
    plan = plain_plan()
    assert "```mermaid" in as_markdown(plan)
    assert "mermaid" not in as_markdown(plan, picture=False)
