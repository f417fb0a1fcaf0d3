"""The page that leads to the runbooks of groups in a browser: links, accessibility, small screens, odd names."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from geoplan.plan.planner import make_plan
from geoplan.render.runbook import index
from geoplan.topology.model import Topology
from geoplan.topology.part import each_group
from tests.browser.conftest import Open, violations

NAMES = ["Shop", '<b onclick="x">"A" & B', "\u0627\u0644 right", "x" * 60]


@pytest.fixture(scope="module")
def page_of_groups() -> str:
    sites = [{"name": f"A{number}", "standalone": f"10.0.0.{number}"} for number in range(1, len(NAMES) + 1)]
    groups = {name: [f"A{number}"] for number, name in enumerate(NAMES, 1)}
    topology = Topology.model_validate({"sites": sites, "groups": groups})
    parts = enumerate(each_group(topology), 1)
    return index.html("fleet", [index.entry_of(group, f"{n} ü#.html", make_plan(part)) for n, (group, part) in parts])


def test_each_group_is_a_link_to_its_file(open_html: Open, page_of_groups: str) -> None:
    page = open_html(page_of_groups)
    links = page.get_by_role("link")
    expect(links).to_have_text(NAMES)
    assert links.first.evaluate("link => decodeURIComponent(new URL(link.href).pathname)").endswith("/1 ü#.html")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
def test_the_page_is_accessible_and_no_wider_than_the_screen(
    open_html: Open, page_of_groups: str, width: int, scheme: str
) -> None:
    page = open_html(page_of_groups, color_scheme=scheme, viewport={"width": width, "height": 800})
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
