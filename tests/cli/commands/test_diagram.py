"""geoplan diagram."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from geoplan import load_topology, make_plan
from geoplan.render.diagram import dot, mermaid, svg
from tests.conftest import TOPOLOGIES, Geoplan

EXAMPLE = TOPOLOGIES / "section-5.4.yaml"
PLAN = make_plan(load_topology(EXAMPLE))
DRAWN = {"svg": svg.render(PLAN), "mermaid": mermaid.render(PLAN), "dot": dot.render(PLAN)}


def test_svg_is_the_default(geoplan: Geoplan) -> None:
    outcome = geoplan("diagram", EXAMPLE)
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, DRAWN["svg"], "")


@pytest.mark.parametrize("name", DRAWN)
def test_format_is_drawn(name: str, geoplan: Geoplan) -> None:
    assert geoplan("diagram", EXAMPLE, "--format", name).stdout == DRAWN[name]


@pytest.mark.parametrize(
    ("file_name", "drawn"),
    [
        ("d.svg", "svg"),
        ("d.SVG", "svg"),
        ("d.mmd", "mermaid"),
        ("d.mermaid", "mermaid"),
        ("d.dot", "dot"),
        ("d.gv", "dot"),
        ("d", "svg"),
    ],
)
def test_ending_of_the_file_picks_the_format(file_name: str, drawn: str, tmp_path: Path, geoplan: Geoplan) -> None:
    outcome = geoplan("diagram", EXAMPLE, "-o", tmp_path / file_name)
    assert (outcome.code, outcome.stdout) == (0, "")
    assert (tmp_path / file_name).read_text() == DRAWN[drawn]


@pytest.mark.parametrize("file_name", ["d.png", "d.PDF", "d.svg.txt", "geo-1.2"])
def test_ending_of_no_format_is_refused(file_name: str, tmp_path: Path, geoplan: Geoplan) -> None:
    outcome = geoplan("diagram", EXAMPLE, "-o", tmp_path / file_name)
    assert (outcome.code, outcome.stdout, list(tmp_path.iterdir())) == (2, "", [])
    for known in (".svg", ".mmd", ".mermaid", ".dot", ".gv", "--format", file_name):
        assert known in outcome.stderr


def test_any_ending_will_do_where_the_format_is_given(tmp_path: Path, geoplan: Geoplan) -> None:
    assert geoplan("diagram", EXAMPLE, "--format", "svg", "-o", tmp_path / "d.xml").code == 0
    assert (tmp_path / "d.xml").read_text() == DRAWN["svg"]


def test_format_given_goes_into_a_file_whose_ending_says_nothing_of_it(tmp_path: Path, geoplan: Geoplan) -> None:
    geoplan("diagram", EXAMPLE, "--format", "dot", "-o", tmp_path / "d.txt")
    assert (tmp_path / "d.txt").read_text() == DRAWN["dot"]


def test_eighteen_sites_show_every_name_and_address(tmp_path: Path, geoplan: Geoplan) -> None:
    path = TOPOLOGIES / "eighteen-sites.yaml"
    assert geoplan("diagram", path, "-o", tmp_path / "d.svg").code == 0
    shown = {element.text for element in ET.parse(tmp_path / "d.svg").iter()}  # noqa: S314 - our own
    sites = load_topology(path).sites
    assert len(sites) == 18
    assert {site.name for site in sites} <= shown
    assert {unit.address for site in sites for unit in site.units} <= shown


def test_topology_comes_from_standard_input(geoplan: Geoplan) -> None:
    outcome = geoplan("diagram", "-", stdin="sites: [{name: Dublin, standalone: 172.24.1.9}]")
    assert outcome.code == 0
    assert "Dublin" in outcome.stdout


def test_unusable_topology_draws_nothing(tmp_path: Path, geoplan: Geoplan) -> None:
    outcome = geoplan("diagram", "-", "-o", tmp_path / "d.svg", stdin="sites: []")
    assert (outcome.code, outcome.stdout) == (2, "")
    assert not (tmp_path / "d.svg").exists()


def test_unknown_format_is_refused(geoplan: Geoplan) -> None:
    outcome = geoplan("diagram", EXAMPLE, "--format", "json")
    assert outcome.code == 2
    assert "'svg', 'mermaid', 'dot'" in outcome.stderr
