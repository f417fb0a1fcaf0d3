"""The picture as SVG."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from syrupy.assertion import SnapshotAssertion

from geoplan import Plan, load_topology, make_plan
from geoplan.render.diagram import svg
from geoplan.render.diagram.svg import xml_text
from tests.conftest import TOPOLOGIES
from tests.render.pictures import HOSTILE_NAMES, hostile_plan, plan_of_size, plans

SVG = "{http://www.w3.org/2000/svg}"
ALLOWED = {"svg", "title", "desc", "style", "g", "rect", "path", "circle", "text"}

MARKS = ("data-site", "data-place", "data-unit", "data-link")


def parsed(plan: Plan) -> ET.Element:
    return ET.fromstring(svg.render(plan))  # noqa: S314 - our own


def texts(root: ET.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def cards(root: ET.Element) -> dict[str, list[str]]:
    """Return the lines of each card by the full name of its site."""
    groups = [group for group in root.iter(f"{SVG}g") if group.find(f"{SVG}title") is not None]
    return {group.findtext(f"{SVG}title", ""): texts(group) for group in groups}


@pytest.mark.parametrize("stem", ["section-5.1", "section-5.2", "section-5.3", "section-5.4"])
def test_svg(stem: str, snapshot: SnapshotAssertion) -> None:
    assert svg.render(make_plan(load_topology(TOPOLOGIES / f"{stem}.yaml"))) == snapshot


@pytest.mark.parametrize("path", sorted(TOPOLOGIES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_name_and_address_is_shown(path: Path) -> None:
    plan = make_plan(load_topology(path))
    shown = cards(parsed(plan))
    assert list(shown) == [name for group in plan.groups for name in group.sites]
    for site in plan.sites:
        assert "".join(shown[site.name]).startswith(site.name)
        for unit in site.units:
            assert unit.address in shown[site.name]
            assert unit.nat_address is None or unit.nat_address in shown[site.name]


@settings(max_examples=20)
@given(plans())
def test_any_plan_gives_well_formed_xml_with_every_name(plan: Plan) -> None:
    shown = cards(parsed(plan))
    for site in plan.sites:
        assert "".join(shown[site.name]).startswith(site.name)


def test_hostile_names_are_text_and_nothing_else() -> None:
    root = parsed(hostile_plan())
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == ALLOWED
    assert not [name for element in root.iter() for name in element.attrib if name.startswith("on") or "href" in name]
    assert set(map(xml_text, HOSTILE_NAMES)) <= set(cards(root))


def test_master_is_marked() -> None:
    root = parsed(plan_of_size(4, 2))
    assert texts(root).count("master") == texts(root).count("slave") == 2
    marks = [element for element in root.iter() if element.get("class") == "geoplan-diagram-master-mark"]
    assert len(marks) == 2


def test_eighteen_sites_have_153_partnerships() -> None:
    root = parsed(plan_of_size(18, 12))
    (path,) = root.iter(f"{SVG}path")
    assert path.get("d", "").count("M") == 18 * 17 // 2
    assert "18 sites, partners all with all" in texts(root)


def test_groups_are_named_and_a_lone_group_without_a_name_is_not() -> None:
    assert "default" not in texts(parsed(plan_of_size(3, 0)))
    assert {"all", "end!"} <= set(texts(parsed(hostile_plan())))


def test_it_says_what_it_shows_to_those_who_do_not_see_it() -> None:
    root = parsed(make_plan(load_topology(TOPOLOGIES / "section-5.4.yaml")))
    assert root.get("role") == "img"
    referenced = (root.get("aria-labelledby") or "").split()
    assert [element.get("id") for element in (root[0], root[1])] == referenced
    assert "HA Pair 1 (master 172.24.1.5, slave 172.24.1.6)" in (root[1].text or "")


def test_it_loads_nothing_and_keeps_its_styles_and_ids_to_itself() -> None:
    drawn = svg.render(plan_of_size(18, 12))
    assert re.findall(r"https?://[^\"]*", drawn) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"@import|@font-face|url\(|<script|<foreignObject", drawn)
    assert all(name.startswith("geoplan-diagram-") for name in re.findall(r'\bid="([^"]*)"', drawn))
    style = ET.fromstring(drawn).findtext(f"{SVG}style", "")  # noqa: S314 - our own
    selectors = re.findall(r"(?:^|\{ )([.\w@][^{};]*) \{", style, re.MULTILINE)
    assert len(selectors) > 10
    assert all(selector.startswith((".geoplan-diagram", "@media")) for selector in selectors)


@pytest.mark.parametrize("name", ["ink", "paper", "line", "accent", "area"])
def test_a_page_sets_the_colours_in_light_and_dark(name: str) -> None:
    drawn = svg.render(plan_of_size(1, 1))
    assert drawn.count(f"var(--diagram-{name}, #") == 2
    assert f"var(--geoplan-diagram-{name})" in drawn


def test_the_same_plan_gives_the_same_bytes() -> None:
    assert svg.render(hostile_plan()) == svg.render(hostile_plan())


def test_marked_picture_names_sites_units_and_links() -> None:
    plan = make_plan(load_topology(TOPOLOGIES / "section-5.4.yaml"))
    root = ET.fromstring(svg.render(plan, is_marked=True))  # noqa: S314 - our own
    marks = {name: [each.get(name) for each in root.iter() if each.get(name)] for name in MARKS}
    assert marks["data-site"] == [site.name for site in plan.sites]
    assert marks["data-place"] == ["0", "1", "2", "3"]
    assert marks["data-unit"] == [unit.address for site in plan.sites for unit in site.units]
    assert marks["data-link"] == ["0 1", "0 2", "0 3", "1 2", "1 3", "2 3"]
    assert not any(name in svg.render(plan) for name in MARKS)
