"""The picture as DOT, read by Graphviz itself."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from syrupy.assertion import SnapshotAssertion

from geoplan import Plan, load_topology, make_plan
from geoplan.render.diagram import dot
from geoplan.render.diagram.svg import xml_text
from tests.conftest import TOPOLOGIES
from tests.render.pictures import HOSTILE_NAMES, hostile_plan, plan_of_size, require

SVG = "{http://www.w3.org/2000/svg}"
EXAMPLES = sorted(TOPOLOGIES.glob("*.yaml"))


def drawn_by_graphviz(plan: Plan) -> ET.Element:
    """Have Graphviz draw a plan; a warning is as bad as an error."""
    program = shutil.which("dot")
    require(program, "Graphviz (dot)", "GEOPLAN_REQUIRE_GRAPHVIZ")
    assert program
    result = subprocess.run(
        [program, "-Tsvg"], input=dot.render(plan).encode(), capture_output=True, check=False, timeout=60
    )
    assert (result.returncode, result.stderr.decode()) == (0, "")
    return ET.fromstring(result.stdout)  # noqa: S314 - Graphviz's


def shown(root: ET.Element) -> str:
    return "".join(element.text or "" for element in root.iter(f"{SVG}text")).replace("\u00a0", " ")


@pytest.mark.parametrize("stem", ["section-5.3", "section-5.4"])
def test_dot(stem: str, snapshot: SnapshotAssertion) -> None:
    assert dot.render(make_plan(load_topology(TOPOLOGIES / f"{stem}.yaml"))) == snapshot


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_graphviz_shows_every_name_and_address(path: Path) -> None:
    plan = make_plan(load_topology(path))
    text = shown(drawn_by_graphviz(plan))
    for site in plan.sites:
        assert site.name in text
        for unit in site.units:
            assert unit.address in text
            assert (unit.nat_address or "") in text


def test_graphviz_shows_hostile_names_unchanged() -> None:
    text = shown(drawn_by_graphviz(hostile_plan()))
    for name in HOSTILE_NAMES:
        assert xml_text(name).replace("\u00a0", " ") in text


@pytest.mark.parametrize("count", [1, 2, 3, 4, 40])
def test_graphviz_draws_every_site(count: int) -> None:
    text = shown(drawn_by_graphviz(plan_of_size(count, count // 2)))
    assert all(f"Site {number}" in text for number in range(1, count + 1))


@pytest.mark.parametrize(("count", "lines"), [(1, 0), (2, 1), (3, 3), (4, 4), (18, 18)])
def test_sites_are_joined_one_by_one_while_that_is_readable(count: int, lines: int) -> None:
    drawn = dot.render(plan_of_size(count, 1))
    assert drawn.count(" -- ") == lines
    assert ("partners, all with all" in drawn) == (count > 3)
