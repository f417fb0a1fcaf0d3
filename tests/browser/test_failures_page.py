"""The page of what-if in a browser: choosing a failure by table and picture, keys, accessibility, small screens."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from geoplan.plan.model import Phase
from geoplan.plan.planner import make_plan
from geoplan.topology.loader import load_topology
from geoplan.topology.model import Topology
from geoplan.twin import whatif_html
from geoplan.twin.whatif import what_if
from geoplan.twin.world import World, planned_world
from tests.browser.conftest import Open, violations
from tests.conftest import TOPOLOGIES

SMALL = {"width": 400, "height": 800}


def page_of(of: Topology, forgetful: str | None = None) -> str:
    """Return the page of a topology as planned, or of one on a unit of which nothing was submitted."""
    plan = make_plan(of, (Phase.GEO,))
    world = planned_world(of, plan)
    if forgetful:
        world.network.forget_partners(world.network.unit(forgetful))
        world = World(world.network, world.clock, world.groups)
    return whatif_html.render(what_if(of, world), plan)


@pytest.fixture(scope="module")
def example() -> str:
    return page_of(load_topology(TOPOLOGIES / "section-5.4.yaml"), forgetful="172.24.1.6")


def card(page: Page, site: str) -> Any:
    return page.locator(f'g[data-site="{site}"]')


def test_a_failure_that_is_pressed_shows_in_the_picture_and_in_words(open_html: Open, example: str) -> None:
    page = open_html(example)
    page.get_by_role("button", name="Standalone LoadMaster 1: 172.24.1.9 off", exact=True).click()
    expect(page.locator("g.gone")).to_have_count(1)
    expect(card(page, "Standalone LoadMaster 1")).to_have_class("gone")
    expect(page.locator("text.off")).to_have_text("172.24.1.9")
    expect(page.get_by_role("status")).to_contain_text("bring back 172.24.1.9")
    page.get_by_role("button", name="HA Pair 1: 172.24.1.5 off", exact=True).click()
    expect(page.locator("g.gone")).to_have_count(0)
    expect(card(page, "HA Pair 1")).to_have_class("cut brief")
    expect(page.get_by_role("status")).to_contain_text("HA Pair 1: cut off, though it has a unit left")


def test_units_and_sites_of_the_picture_can_be_clicked(open_html: Open, example: str) -> None:
    page = open_html(example)
    card(page, "HA Pair 2").get_by_text("172.24.1.8", exact=True).click()
    expect(page.locator("tr.chosen")).to_have_count(1)
    expect(page.locator("tr.chosen button")).to_have_text("HA Pair 2: 172.24.1.8 off")
    title = card(page, "HA Pair 1").locator("text").first
    chosen = set()
    for _ in range(6):
        title.click()
        chosen.add(page.locator("tr.chosen button").inner_text())
    assert len(chosen) == 6


def test_it_works_by_keyboard_alone(open_html: Open, example: str) -> None:
    page = open_html(example)
    first = page.locator(".case").first
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(first).to_be_focused()
    page.keyboard.press("Space")
    expect(first).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Enter")
    expect(first).to_have_attribute("aria-pressed", "false")
    expect(page.locator("tr.chosen")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [None, SMALL], ids=["wide", "small"])
def test_page_is_accessible(open_html: Open, example: str, scheme: str, size: Any) -> None:
    page = open_html(example, color_scheme=scheme, viewport=size or {"width": 1200, "height": 900})
    page.locator(".case").first.click()
    assert violations(page) == []
    width = page.viewport_size["width"] if page.viewport_size else 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_names_of_any_kind_are_only_text(open_html: Open) -> None:
    names = ['<b onclick="x">"A" & \'B\'', "]]>", "\u0627\u0644 right"]
    sites = [{"name": name, "standalone": f"10.0.0.{number}"} for number, name in enumerate(names, 1)]
    page = open_html(page_of(Topology.model_validate({"sites": sites})))
    for number in range(1, len(names) + 1):
        page.locator("g[data-site]").get_by_text(f"10.0.0.{number}", exact=True).click()
        expect(page.locator("g.gone")).to_have_count(1)


def test_without_scripts_it_is_a_table(open_html: Open, example: str) -> None:
    page = open_html(example, java_script_enabled=False)
    expect(page.locator(".failures tbody tr").first).to_be_visible()
    expect(page.locator("#said")).to_be_hidden()
