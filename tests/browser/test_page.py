"""The runbook's page in a browser: ticking, keeping, copying, keys, printing, small screens."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from geoplan import Plan, Topology, load_topology, make_plan
from tests.browser.conftest import Open, violations
from tests.conftest import TOPOLOGIES
from tests.render.runbooks import HOSTILE_NAMES, behind_balancer, eighteen_sites, two_sites

SMALL = {"width": 400, "height": 800}
CLIPBOARD = ["clipboard-read", "clipboard-write"]


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make_plan(load_topology(TOPOLOGIES / "section-5.4.yaml"))


def expect_ticked(page: Page, ids: list[str]) -> None:
    """See that these steps are ticked, and no others, once the page has what its browser keeps.

    After a reload that may come late: the browser writes what it keeps on its own time, and then tells the page.
    """
    expect(page.locator(".step .tick:checked")).to_have_count(len(ids))
    found = page.eval_on_selector_all(".step .tick", "ticks => ticks.filter(t => t.checked).map(t => t.id)")
    assert found == ids


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id"))


def test_ticks_stay_after_a_reload(open_page: Open, plan: Plan) -> None:
    page = open_page(plan)
    for number in (1, 2, 3):
        page.check(f"#tick-{number}")
    page.check("#before-1")
    page.reload()
    expect_ticked(page, ["tick-1", "tick-2", "tick-3"])
    expect(page.locator("#before-1")).to_be_checked()
    page.uncheck("#tick-3")
    page.reload()
    expect_ticked(page, ["tick-1", "tick-2"])


def test_items_of_a_check_are_ticked_each_by_itself(open_page: Open) -> None:
    plan = behind_balancer("A")
    page = open_page(plan)
    page.get_by_label("Hostname").check()
    page.reload()
    expect(page.get_by_label("Hostname")).to_be_checked()
    expect(page.get_by_label("Name server")).not_to_be_checked()
    expect(page.get_by_label("A: what HA does not synchronise")).not_to_be_checked()
    expect_ticked(page, [])
    expect(page.locator(".check.done")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pairs_fit_a_small_screen(open_page: Open, scheme: str) -> None:
    page = open_page(behind_balancer("A" * 40), viewport=SMALL, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= SMALL["width"]


def test_what_is_written_down_stays_too(open_page: Open, plan: Plan) -> None:
    page = open_page(plan)
    page.get_by_label("GEO configuration taken from").fill("jack of HA Pair 1")
    page.reload()
    expect(page.get_by_label("GEO configuration taken from")).to_have_value("jack of HA Pair 1")


def test_another_plan_starts_afresh(open_page: Open, plan: Plan) -> None:
    page = open_page(plan)
    page.check("#tick-1")
    renumbered = two_sites("HA Pair 1", "Standalone LoadMaster 1")
    assert renumbered.steps[0].id == plan.steps[0].id
    expect_ticked(open_page(renumbered), [])
    expect_ticked(open_page(plan), ["tick-1"])


def test_second_window_follows_the_first(open_page: Open, plan: Plan) -> None:
    first, second = open_page(plan), open_page(plan)
    first.check("#tick-1")
    expect(second.locator("#tick-1")).to_be_checked()
    expect(second.locator("#done")).to_contain_text("1 of 18 steps done")


def test_progress_counts_steps_and_time(open_page: Open, plan: Plan) -> None:
    page = open_page(plan)
    done, bar = page.locator("#done"), page.get_by_role("progressbar")
    expect(done).to_have_text("0 of 18 steps done, about 26 minutes left")
    page.check("#tick-9")  # a reboot: 1 minute by hand, 2 to replicate, 2 to boot
    expect(done).to_have_text("1 of 18 steps done, about 21 minutes left")
    assert bar.evaluate("bar => bar.value / bar.max") == pytest.approx(1 / 18)
    for number in range(1, 19):
        page.check(f"#tick-{number}")
    expect(done).to_have_text("18 of 18 steps done")
    expect(page.get_by_role("link", name="All steps are done: verify")).to_be_visible()


def test_progress_counts_no_time_where_there_is_none(open_page: Open) -> None:
    sites = [{"name": name, "standalone": f"10.0.0.{number}"} for number, name in enumerate("AB", start=1)]
    topology = {"name": "untimed", "sites": sites, "timing": {"manual_step_seconds": 0}}
    page = open_page(make_plan(Topology.model_validate(topology)))
    expect(page.locator("#done")).to_have_text("0 of 6 steps done")


def test_first_step_without_a_tick_stands_out(open_page: Open, plan: Plan) -> None:
    page = open_page(plan)
    current = page.locator("[aria-current=step]")
    expect(current).to_have_id("step-1")
    page.check("#tick-1")
    page.check("#tick-3")
    expect(current).to_have_count(1)
    expect(current).to_have_id("step-2")
    border = "step => getComputedStyle(step).borderColor"
    assert current.evaluate(border) != page.locator("#step-5").evaluate(border)


def test_ticked_step_folds_and_can_be_shown(open_page: Open, plan: Plan) -> None:
    page = open_page(plan)
    page.check("#tick-1")
    expect(page.locator("#body-1")).to_be_hidden()
    page.get_by_role("button", name="Show step 1", exact=True).click()
    expect(page.locator("#body-1")).to_be_visible()
    expect(page.get_by_role("button", name="Hide step 1", exact=True)).to_have_attribute("aria-expanded", "true")


def test_start_afresh_removes_every_tick(open_page: Open, plan: Plan) -> None:
    page = open_page(plan)
    page.check("#tick-1")
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Start afresh").click()
    expect_ticked(page, ["tick-1"])
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Start afresh").click()
    page.reload()
    expect_ticked(page, [])


def test_blocked_storage_leaves_a_working_page(open_page: Open, plan: Plan) -> None:
    page = open_page(plan)
    page.context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } })"
    )
    page.reload()
    page.check("#tick-1")
    expect(page.locator("#done")).to_contain_text("1 of 18 steps done")
    expect(page.locator("#kept")).to_contain_text("keeps nothing")


def test_page_without_script_is_a_plain_document(open_page: Open, plan: Plan) -> None:
    page = open_page(plan, java_script_enabled=False)
    expect(page.locator("#body-9")).to_be_visible()
    expect(page.locator(".copy").first).to_be_hidden()
    expect(page.locator("footer")).to_be_hidden()
    page.check("#tick-1")
    expect(page.locator("#tick-1")).to_be_checked()


def test_every_value_is_copied_to_the_letter(open_page: Open, plan: Plan) -> None:
    page = open_page(plan, permissions=CLIPBOARD)
    values = page.locator(".value")
    assert values.count() == page.locator(".copy").count() > 18
    for index in range(0, values.count(), 7):
        value = values.nth(index)
        value.locator("button").click()
        expect(value.locator("button")).to_have_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == value.locator("code").text_content()


def test_copying_works_where_the_clipboard_is_refused(open_page: Open, plan: Plan) -> None:
    page = open_page(plan, permissions=CLIPBOARD)
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('refused')) }")
    button = page.locator("#step-1 .field .copy")
    button.click()
    expect(button).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "172.24.1.7 172.24.1.8 172.24.1.5 172.24.1.9 172.24.1.10"
    expect(button).to_be_focused()


def test_value_is_selected_where_nothing_can_copy(open_page: Open, plan: Plan) -> None:
    page = open_page(plan)
    page.evaluate(
        "() => { navigator.clipboard.writeText = () => Promise.reject(); document.execCommand = () => false }"
    )
    page.locator("#step-1 .field .copy").click()
    expect(page.get_by_role("status")).to_contain_text("the value is selected")
    assert page.evaluate("getSelection().toString().trim()").startswith("172.24.1.7 172.24.1.8")


def test_keys_go_through_the_steps_tick_and_copy(open_page: Open, plan: Plan) -> None:
    page = open_page(plan, permissions=CLIPBOARD)
    page.keyboard.press("j")
    assert focused(page) == "tick-1"
    page.keyboard.press("Space")
    page.keyboard.press("j")
    assert focused(page) == "tick-2"
    page.keyboard.press("c")
    expect(page.locator("#step-2 .field .copy")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "172.24.1.7 172.24.1.8 172.24.1.9 172.24.1.10"
    page.keyboard.press("k")
    assert focused(page) == "tick-1"
    page.keyboard.press("n")
    assert focused(page) == "tick-2"
    expect_ticked(page, ["tick-1"])


def test_copy_key_goes_through_the_values_of_a_step(open_page: Open, plan: Plan) -> None:
    page = open_page(plan, permissions=CLIPBOARD)
    page.locator("#tick-16").focus()
    copied = []
    for _ in range(4):
        page.keyboard.press("c")
        copied.append(page.evaluate("navigator.clipboard.readText()"))
    assert copied == ["172.24.1.8", "HA Pair 2", "Remote LM", "172.24.1.8"]


def test_keys_leave_typing_and_the_browser_alone(open_page: Open, plan: Plan) -> None:
    page = open_page(plan)
    field = page.get_by_label("GEO configuration taken from")
    field.press_sequentially("jack nick")
    expect(field).to_have_value("jack nick")
    page.locator("#tick-3").focus()
    for chord in ("Control+j", "Alt+n", "Meta+k"):
        page.keyboard.press(chord)
        assert focused(page) == "tick-3"
    page.uncheck("#keys")
    page.locator("#tick-3").focus()
    page.keyboard.press("j")
    assert focused(page) == "tick-3"


def test_focus_is_seen_and_the_skip_link_leads_to_the_work(open_page: Open, plan: Plan) -> None:
    page = open_page(plan)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the step to do now")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("j")
    outline = page.locator("#tick-1").evaluate("tick => getComputedStyle(tick).outlineStyle")
    assert outline == "solid"


@pytest.mark.parametrize("number", [1, 60])
def test_step_reached_by_key_is_not_hidden_under_the_bar(open_page: Open, number: int) -> None:
    page = open_page(eighteen_sites(), reduced_motion="reduce")
    page.locator(f"#tick-{number + 1}").focus()
    page.keyboard.press("k")
    expect(page.locator(f"#tick-{number}")).to_be_in_viewport()
    bar = page.locator(".progress").bounding_box()
    step = page.locator(f"#step-{number}").bounding_box()
    assert bar
    assert step
    assert step["y"] >= bar["y"] + bar["height"] - 1


def test_print_has_ticks_and_values_and_no_buttons(open_page: Open, plan: Plan) -> None:
    page = open_page(plan, color_scheme="dark")
    page.check("#tick-1")
    page.emulate_media(media="print")
    assert page.locator("button:visible").count() == 0
    assert page.locator("nav, footer, .progress, .skip").locator("visible=true").count() == 0
    assert page.locator(".tick:visible").count() == page.locator(".tick").count()
    assert page.locator(".value code:visible").count() == page.locator(".value code").count()
    expect(page.locator("#tick-1")).to_be_checked()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_colours_follow_the_system(open_page: Open, plan: Plan) -> None:
    page = open_page(plan, color_scheme="light")
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(background)
    brightness = [sum(map(int, re.findall(r"\d+", color)[:3])) for color in (light, dark)]
    assert brightness[0] > 700
    assert brightness[1] < 120


def test_reduced_motion_is_respected(open_page: Open, plan: Plan) -> None:
    page = open_page(plan, reduced_motion="reduce")
    scrolling = "getComputedStyle(document.documentElement).scrollBehavior"
    assert page.evaluate(scrolling) == "auto"
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(scrolling) == "smooth"


def long_names() -> Plan:
    ipv6 = [f"2001:db8:1111:2222:3333:4444:5555:{number:04x}" for number in range(1, 4)]
    sites: list[dict[str, object]] = [
        {"name": "W" * 64, "ha_pair": {"master": ipv6[0], "slave": ipv6[1]}},
        {"name": "a-" * 31 + "b", "standalone": {"address": ipv6[2], "nat_address": "203.0.113.200"}},
    ]
    groups = {"g" * 64: [str(site["name"]) for site in sites]}
    return make_plan(Topology.model_validate({"name": "x" * 64, "sites": sites, "groups": groups}))


@pytest.mark.parametrize("which", ["four", "eighteen", "long"])
def test_nothing_is_wider_than_the_page(open_page: Open, plan: Plan, which: str) -> None:
    page = open_page({"four": plan, "eighteen": eighteen_sites(), "long": long_names()}[which], viewport=SMALL)
    for width in (400, 320, 700, 800, 1100):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        wide = page.eval_on_selector_all(
            ".value, td, th, h1, h2, h3, h4, dd, li, p",
            "(all, width) => all.filter(e => e.getBoundingClientRect().right > width + 1).map(e => e.outerHTML)",
            width,
        )
        assert wide == []


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


@pytest.mark.parametrize("width", [320, 400, 800])
def test_picture_stays_legible_and_scrolls_in_its_own_frame(open_page: Open, width: int) -> None:
    page = open_page(eighteen_sites(), viewport={"width": width, "height": 800}, reduced_motion="reduce")
    frame = page.get_by_role("group", name="Picture of the topology")
    assert frame.locator("svg").evaluate(SMALLEST_TEXT) >= 10.9
    assert frame.evaluate("frame => frame.scrollWidth > frame.clientWidth")
    assert page.get_by_text("scroll it sideways").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    frame.focus()
    page.keyboard.press("ArrowRight")
    assert frame.evaluate(SCROLLED) > 0
    assert page.evaluate("scrollX") == 0
    assert violations(page, within="[role=group]") == []


def test_small_picture_needs_no_scrolling_on_a_phone(open_page: Open) -> None:
    page = open_page(make_plan(load_topology(TOPOLOGIES / "section-5.1.yaml")), viewport=SMALL)
    frame = page.get_by_role("group", name="Picture of the topology")
    assert frame.evaluate("frame => frame.scrollWidth <= frame.clientWidth")
    assert not page.get_by_text("scroll it sideways").is_visible()


def test_hostile_names_are_text(open_page: Open) -> None:
    sites = [{"name": name, "standalone": f"10.0.0.{number}"} for number, name in enumerate(HOSTILE_NAMES, start=1)]
    groups = {name: [name] for name in HOSTILE_NAMES}
    page = open_page(make_plan(Topology.model_validate({"name": HOSTILE_NAMES[0], "sites": sites, "groups": groups})))
    page.on("dialog", lambda _: pytest.fail("a name ran as a script"))
    assert page.locator("h1").text_content() == HOSTILE_NAMES[0]
    assert page.locator("#lists ~ table tbody th").all_text_contents() == list(HOSTILE_NAMES)
    assert page.locator("script").count() == 1
    page.check("#tick-1")
    page.reload()
    expect_ticked(page, ["tick-1"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [{"width": 1100, "height": 900}, SMALL], ids=["wide", "small"])
def test_page_is_accessible(open_page: Open, plan: Plan, scheme: str, viewport: dict[str, int]) -> None:
    page = open_page(plan, color_scheme=scheme, viewport=viewport, reduced_motion="reduce")
    page.check("#tick-1")
    page.check("#before-1")
    assert violations(page) == []


def test_page_of_eighteen_sites_is_accessible(open_page: Open) -> None:
    assert violations(open_page(eighteen_sites())) == []
