"""The picture of a rehearsed push in the runbook's page: accessible, legible and in its own frame on small screens."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from geoplan import load_topology
from geoplan.plan.model import Phase
from geoplan.plan.planner import make_plan
from geoplan.push.options import Options
from geoplan.render.runbook import html
from geoplan.topology.model import Topology
from geoplan.twin.cases import Plays, play_planned
from geoplan.twin.rehearsal_report import timeline_svg
from tests.browser.conftest import Open, violations
from tests.conftest import TOPOLOGIES
from tests.render.runbooks import HOSTILE_NAMES, usual_apis

SMALL = {"width": 400, "height": 800}
WIDE = {"width": 1200, "height": 900}
LOOKS_A_BOOT = 40
FRAME = "Picture of the push over time"


def long_names() -> Topology:
    """Return sites with the longest names and addresses that there are, and names that are no plain text."""
    sites: list[dict[str, object]] = [
        {"name": "W" * 64, "ha_pair": {"master": "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1111", "slave": "10.0.0.2"}},
        {"name": "a-" * 31 + "b", "standalone": {"address": "10.0.0.3", "nat_address": "203.0.113.200"}},
        {"name": HOSTILE_NAMES[0], "standalone": "10.0.0.4"},
    ]
    return Topology.model_validate({"name": "x" * 64, "sites": sites})


def page_of(which: str) -> str:
    """Return the page of a push with its picture."""
    topology = long_names() if which == "long" else load_topology(TOPOLOGIES / f"{which}.yaml")
    plan = make_plan(topology, (Phase.GEO,))
    played = play_planned(Plays(plan, topology, Options()), looks_a_boot=LOOKS_A_BOOT)
    return html.render(plan, usual_apis(plan), timeline=timeline_svg(plan.topology, played.timeline))


@pytest.fixture(scope="module", autouse=True)
def pages() -> dict[str, str]:
    """Return all pages: once the browser runs, no push can be rehearsed in this process."""
    return {which: page_of(which) for which in ("section-5.4", "section-5.1", "long")}


def frame_of(page: Page) -> Any:
    return page.get_by_role("group", name=FRAME)


OUTSIDE = """
svg => {
  const box = svg.viewBox.baseVal
  return [...svg.querySelectorAll('text')].filter(text => {
    const at = text.getBBox()
    return at.x < 0 || at.y < 0 || at.x + at.width > box.width || at.y + at.height > box.height
  }).map(text => text.textContent)
}
"""

OVER_LANES = """
svg => {
  const bars = [...svg.querySelectorAll('g rect')].map(bar => bar.getBBox())
  return [...svg.querySelectorAll('text')].filter(text => {
    const at = text.getBBox()
    return bars.some(bar => at.x < bar.x + bar.width && bar.x < at.x + at.width
      && at.y + 3 < bar.y + bar.height && bar.y < at.y + at.height - 3)
  }).map(text => text.textContent)
}
"""

SMALLEST_TEXT = """
svg => Math.min(...[...svg.querySelectorAll('text')].map(text => parseFloat(getComputedStyle(text).fontSize)))
  * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width
"""

SCROLLED = """
frame => new Promise(done => {
  const look = () => frame.scrollLeft ? done(frame.scrollLeft) : requestAnimationFrame(look);
  look();
})
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["wide", "small"])
def test_page_with_the_picture_is_accessible(open_html: Open, pages: dict[str, str], scheme: str, size: Any) -> None:
    page = open_html(pages["section-5.4"], color_scheme=scheme, viewport=size)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


@pytest.mark.parametrize("which", ["section-5.4", "section-5.1", "long"])
def test_every_text_of_the_picture_is_in_it_and_on_no_lane(open_html: Open, pages: dict[str, str], which: str) -> None:
    picture = frame_of(open_html(pages[which], viewport=WIDE)).locator("svg")
    assert picture.evaluate(OUTSIDE) == []
    assert picture.evaluate(OVER_LANES) == []


@pytest.mark.parametrize("width", [320, 400, 800])
def test_picture_stays_legible_and_scrolls_in_its_own_frame_by_keyboard(
    open_html: Open, pages: dict[str, str], width: int
) -> None:
    page = open_html(pages["long"], viewport={"width": width, "height": 800}, reduced_motion="reduce")
    frame = frame_of(page)
    assert frame.locator("svg").evaluate(SMALLEST_TEXT) >= 10.9
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    frame.focus()
    page.keyboard.press("ArrowRight")
    assert frame.evaluate(SCROLLED) > 0
    assert page.evaluate("scrollX") == 0


def test_picture_is_told_in_words(open_html: Open, pages: dict[str, str]) -> None:
    page = open_html(pages["section-5.4"])
    image = page.get_by_role("img", name="Push of two-pairs-two-standalones over time, as rehearsed")
    described = image.locator("desc").text_content() or ""
    assert "172.24.1.5 of HA Pair 1 is down from" in described
    assert "All links are green from" in described
