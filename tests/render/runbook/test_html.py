"""The runbook as one page: what stands in it, and that names from the topology stay text."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan import Plan, Topology, load_topology, make_plan
from geoplan.plan.model import Phase
from tests.conftest import TOPOLOGIES
from tests.render.runbooks import (
    HOSTILE_NAMES,
    as_page,
    behind_balancer,
    eighteen_sites,
    hostile_plan,
    plain_plan,
    two_sites,
)
from tests.topologies import topologies

# Attributes whose value names a site or a step of it; their names count, their values do not.
SPOKEN = {"aria-label", "data-id", "data-checksum", "viewbox", "width", "height", "d", "x", "y", "cx", "cy", "r", "rx"}


class Page(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.inside: dict[str, list[str]] = {"style": [], "script": []}
        self._open: str | None = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in self.inside:
            self._open = tag
            self.inside[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = None if tag == self._open else self._open

    def handle_data(self, data: str) -> None:
        if self._open:
            self.inside[self._open][-1] += data
        else:
            self.texts.append(data)

    def structure(self) -> list[tuple[str, list[tuple[str, str | None]]]]:
        """Return all elements but those of the picture, whose place depends on how wide a name is."""
        return [
            (tag, sorted((name, None if name in SPOKEN else value) for name, value in attributes.items()))
            for tag, attributes in self.elements
            if tag not in {"path", "circle", "rect", "text", "g", "meta"}
        ]


def page_of(plan: Plan) -> Page:
    return Page(as_page(plan))


def attribute(page: Page, name: str) -> list[str]:
    return [attributes[name] or "" for _, attributes in page.elements if name in attributes]


def test_page_has_every_value_of_every_step_to_copy() -> None:
    plan = make_plan(load_topology(TOPOLOGIES / "section-5.4.yaml"))
    text = as_page(plan)
    position = text.index('id="steps"')
    for step in plan.steps:
        values = plan.values(step)
        for value in values if step.action == "add_cluster" else filter(None, [" ".join(values)]):
            found = text.find(f"<code>{value}</code><button", position)
            assert found > position, (step.id, value)
            position = found


def test_page_asks_for_nothing() -> None:
    page = page_of(eighteen_sites())
    assert set(attribute(page, "src")) == set()
    links = [attributes["href"] for tag, attributes in page.elements if tag == "link"]
    assert links == ["data:,"]
    anchors = [attributes for tag, attributes in page.elements if tag == "a"]
    assert all(
        link["href"].startswith(("#", "http://10.", "https://10.", "https://[2001:db8:"))
        for link in anchors
        if link["href"]
    )
    assert all(link.get("rel") == "noopener noreferrer" for link in anchors if not (link["href"] or "").startswith("#"))
    assert not re.search(r"@import|url\(", " ".join(page.inside["style"]))


def test_policy_allows_exactly_what_stands_in_the_page() -> None:
    page = page_of(plain_plan())
    policy = next(a["content"] for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy") or ""
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split("; ")}
    hashes = {
        kind: [f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in texts]
        for kind, texts in page.inside.items()
    }
    assert rules["default-src"] == ["'none'"]
    assert (rules["style-src"], rules["script-src"]) == (hashes["style"], hashes["script"])
    assert not [name for _, attributes in page.elements for name in attributes if name == "style" or name[:2] == "on"]


@pytest.mark.parametrize("index", range(len(HOSTILE_NAMES)), ids=lambda index: HOSTILE_NAMES[index])
def test_hostile_name_changes_its_own_text_alone(index: int) -> None:
    hostile, plain = page_of(hostile_plan(index)), page_of(plain_plan())
    assert hostile.structure() == plain.structure()
    assert hostile.inside["script"] == plain.inside["script"]
    assert HOSTILE_NAMES[index] in "".join(hostile.texts)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_group_changes_its_own_text_alone(name: str) -> None:
    hostile, plain = (page_of(two_sites("Quiet", "Plain", group=group)) for group in (name, "Group"))
    assert hostile.structure() == plain.structure()


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_name_of_a_formed_pair_changes_its_own_text_alone(name: str) -> None:
    hostile, plain = page_of(behind_balancer(name)), page_of(behind_balancer("Quiet"))
    assert hostile.structure() == plain.structure()
    assert hostile.inside["script"] == plain.inside["script"]


@given(topologies(max_sites=5), st.sampled_from([[Phase.GEO], list(Phase)]))
@settings(max_examples=20)
def test_any_topology_shows_its_names(topology: Topology, phases: list[Phase]) -> None:
    page = page_of(make_plan(topology, phases))
    assert {site.name for site in topology.sites} <= set(page.texts)
    assert len(page.inside["script"]) == 1


@pytest.mark.parametrize("plan", [eighteen_sites(), behind_balancer("A"), behind_balancer("A", phases=[Phase.HA])])
def test_headings_stand_in_order_and_ids_are_unique(plan: Plan) -> None:
    page = page_of(plan)
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(deeper <= level + 1 for level, deeper in pairwise(levels))
    ids = attribute(page, "id")
    assert len(ids) == len(set(ids))
    assert {target[1:] for target in attribute(page, "href") if target.startswith("#")} <= set(ids)
    assert set(attribute(page, "for")) <= set(ids)


def test_page_names_its_language() -> None:
    assert ("html", {"lang": "en"}) in page_of(plain_plan()).elements
