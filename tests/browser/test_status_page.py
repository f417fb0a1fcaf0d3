"""The live page of a status in a browser: what it shows, that it says when it is old, and a failover of a lab."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Browser, Page, expect

from geoplan.cli.status_page import StatusPage
from geoplan.errors import GeoplanError
from geoplan.live.model import Cause, Failure, Observations
from geoplan.plan.model import Plan
from geoplan.plan.planner import make_plan
from geoplan.status.model import LEFT, UNDER_WAY, PushStep, RunningPush, Seen
from geoplan.topology.model import Topology
from tests.cli.commands.looks import until
from tests.conftest import TOPOLOGIES
from tests.push.support import CREDENTIALS, PASSWORD
from tests.status.made import M1, PLAN, S1, changed, down, failed_over, seen_of, status_of, well

PATIENCE = 60.0  # seconds, so that a failing test ends
HOSTILE = "<script>document.title = 'owned'</script>"
HOSTILE_TOO = '<img src=x onerror="document.title = 1">'


class Served:
    """The page of a watch in a loop of its own, beside the browser's."""

    def __init__(self, plan: Plan) -> None:
        self.page = StatusPage(plan, 5)
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),))

    @property
    def url(self) -> str:
        return self.page.page.server.url

    async def _run(self) -> None:
        async with self.page.page.server.running(0):
            self._ready.set()
            await self._stop.wait()

    def start(self) -> None:
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
            self._loop.close()

    def see(self, seen: Seen) -> None:
        asyncio.run_coroutine_threadsafe(self.page(seen), self._loop).result()

    def look(self, facts: Observations, **fields: Any) -> None:
        self.see(seen_of(facts, **fields))

    def fail(self, why: str) -> None:
        self._loop.call_soon_threadsafe(self.page.fail, GeoplanError(why))


@contextmanager
def serving(plan: Plan = PLAN) -> Iterator[Served]:
    served = Served(plan)
    served.start()
    try:
        yield served
    finally:
        served.stop()


@contextmanager
def opened(chromium: Browser, url: str, **options: Any) -> Iterator[Page]:
    """Open the page; it asks nobody but its own place, and no error is on its console."""
    context = chromium.new_context(reduced_motion="reduce", **options)
    asked: list[str] = []
    errors: list[str] = []
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(url)
    yield page
    context.close()
    assert [each for each in asked if not each.startswith(url) and each != "data:,"] == []
    assert errors == []


def test_what_changes_shows_in_picture_table_and_findings(chromium: Browser) -> None:
    with serving() as served, opened(chromium, served.url) as page:
        expect(page.locator("#verdict")).to_have_text("The units are being looked at for the first time.")
        served.look(well())
        expect(page.locator("#verdict")).to_contain_text("all is well")
        expect(page.locator(f'g[data-unit="{M1}"]')).to_have_class("active")
        expect(page.locator("path.green")).to_have_count(6)
        expect(page.locator("#found")).to_have_text("None.")

        served.look(failed_over(well()))
        expect(page.locator(f'g[data-unit="{S1}"]')).to_have_class("active")
        expect(page.locator(f'g[data-unit="{M1}"]')).to_have_class("standby")
        expect(page.locator('g[data-site="HA Pair 1"]')).to_have_class("troubled")
        expect(page.locator("#found .problem")).to_contain_text("HA Pair 1: Failed over")
        expect(page.locator("#found code")).to_contain_text("geoplan status")
        expect(page.locator("#units tr", has_text=S1)).to_contain_text("active")
        expect(page.locator("#changes")).to_contain_text(f"HA Pair 1: {S1} is active, was standby")

        served.look(down(well(), M1))
        expect(page.locator(f'g[data-unit="{M1}"]')).to_have_class("down")


def test_steps_of_a_push_are_shown_while_it_runs(chromium: Browser) -> None:
    steps = (PushStep(1, "list of A", "done"), PushStep(2, "reboot of A", UNDER_WAY), PushStep(3, "verify", LEFT))
    with serving() as served, opened(chromium, served.url) as page:
        served.look(well(), push=RunningPush("a push of 'x' by ann", steps))
        expect(page.locator("#push-progress")).to_have_text("1 of 3 steps done")
        expect(page.locator("#push-steps .now")).to_contain_text("reboot of A")
        expect(page.locator("#push-steps .left")).to_have_count(1)
        served.look(well())
        expect(page.locator("#push")).to_be_hidden()


def test_old_data_is_shown_as_old(chromium: Browser) -> None:
    with serving() as served, opened(chromium, served.url) as page:
        served.look(well())
        stale = page.locator("#stale")
        expect(page.locator("#verdict")).to_contain_text("all is well")
        expect(stale).to_be_hidden()
        shown = page.locator("#at").inner_text()
        served.fail("the state folder cannot be read")
        expect(stale).to_contain_text("failed: the state folder cannot be read")
        expect(stale).to_contain_text(f"What is shown is of {shown}")
        served.look(well())
        expect(stale).to_be_hidden()
        served.stop()
        expect(stale).to_have_text(f"geoplan status has ended. What is shown is of {shown}.")
        assert page.evaluate("document.body.classList.contains('is-stale')")


def test_a_page_is_old_when_no_look_comes(chromium: Browser) -> None:
    with serving() as served:
        context = chromium.new_context()
        page = context.new_page()
        page.clock.install()
        page.goto(served.url)
        served.look(well())
        expect(page.locator("#verdict")).to_contain_text("all is well")
        page.clock.fast_forward(120_000)
        expect(page.locator("#stale")).to_contain_text("No look for 12")
        context.close()


def faults_of(page: Page) -> list[tuple[str, list[str]]]:
    found = page.evaluate("axe.run().then(results => results.violations)")
    return [(rule["id"], [node["html"][:80] for node in rule["nodes"]]) for rule in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 400])
def test_page_is_accessible(chromium: Browser, scheme: str, width: int) -> None:
    steps = tuple(PushStep(number, f"step {number}", LEFT) for number in range(1, 40))
    with (
        serving() as served,
        opened(chromium, served.url, color_scheme=scheme, viewport={"width": width, "height": 800}) as page,
    ):
        page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8"))
        assert faults_of(page) == []
        served.look(well())
        served.look(failed_over(well()), push=RunningPush("a push of 'x' by ann", steps))
        served.fail("it cannot be read")
        expect(page.locator("#stale")).to_be_visible()
        assert faults_of(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_works_by_keyboard_alone(chromium: Browser) -> None:
    with serving() as served, opened(chromium, served.url) as page:
        served.look(well())
        served.look(failed_over(well()))
        expect(page.locator("#changes p").first).to_be_visible()
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        page.keyboard.press("Enter")
        assert page.url.endswith("#findings")
        page.keyboard.press("Tab")
        expect(page.locator("#changes")).to_be_focused()
        served.look(well())
        expect(page.locator("#changes")).to_be_focused()


def test_words_of_units_and_of_the_topology_are_only_text(chromium: Browser) -> None:
    sites = [{"name": HOSTILE, "standalone": "10.0.0.1"}, {"name": HOSTILE_TOO, "standalone": "10.0.0.2"}]
    topology = Topology.model_validate({"name": HOSTILE, "sites": sites})
    plan = make_plan(topology)
    facts = well(plan)
    says = {"health": HOSTILE + HOSTILE_TOO, "failure": Failure(Cause.UNREADABLE, HOSTILE)}
    with serving(plan) as served, opened(chromium, served.url) as page:
        served.see(Seen(status_of(facts, plan)))
        served.see(Seen(status_of(changed(facts, "10.0.0.1", **says), plan)))
        served.fail(HOSTILE)
        expect(page.locator("#stale")).to_contain_text("<script>")
        expect(page.locator("h1")).to_have_text(HOSTILE)
        expect(page.locator("#units")).to_contain_text(HOSTILE + HOSTILE_TOO)
        expect(page.locator("#found")).to_contain_text(HOSTILE)
        assert page.locator("img").count() == 0
        assert page.locator("script").count() == 1
        assert page.title().startswith(HOSTILE)


def test_times_of_looks_are_no_changes_for_who_listens(chromium: Browser) -> None:
    """A screen reader that hears of every look cannot be used beside the page."""
    with serving() as served, opened(chromium, served.url) as page:
        served.look(well())
        expect(page.locator("#verdict")).to_contain_text("all is well")
        page.evaluate(
            "window.heard = 0; new MutationObserver(() => { window.heard += 1; })"
            ".observe(document.querySelector('.stand [role=status]'), {childList: true, characterData: true,"
            " subtree: true})"
        )
        served.look(well())
        served.look(failed_over(well()))
        expect(page.locator("#verdict")).to_contain_text("1 finding")
        assert page.evaluate("window.heard") == 1


# -- a lab of its own process ------------------------------------------------------------------------------------------


@contextmanager
def running(*words: object, **environment: str) -> Iterator[subprocess.Popen[str]]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GEOPLAN_")}
    credentials = {"GEOPLAN_USER": CREDENTIALS.user, "GEOPLAN_PASSWORD": PASSWORD}
    process = subprocess.Popen(
        [sys.executable, "-m", "geoplan", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=clean | credentials | environment,
    )
    limit = threading.Timer(6 * PATIENCE, process.kill)
    limit.start()
    try:
        yield process
    finally:
        limit.cancel()
        process.kill()
        process.communicate()


def said(process: subprocess.Popen[str], pattern: str) -> str:
    """Return what it says, once it does."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(pattern, line):
            return found[1]
    raise AssertionError(f"it does not say {pattern}")


def test_a_failover_of_a_lab_shows_before_everything_is_asked_again(chromium: Browser, tmp_path: Path) -> None:
    topology, endpoints = TOPOLOGIES / "section-5.3.yaml", tmp_path / "lab.yaml"
    reached = ("--endpoints", endpoints)
    with ExitStack() as stack:
        stack.enter_context(running("lab", topology, *reached, "--quiet"))
        until(endpoints.exists)
        control = yaml.safe_load(endpoints.read_text())["control"]
        # An hour between two looks: what shows earlier was seen by a glimpse at the pair.
        watch = stack.enter_context(
            running("status", topology, *reached, "--serve", "--watch", "3600", GEOPLAN_STATE_DIR=str(tmp_path))
        )
        url = said(watch, r"The live page: (http://127\.0\.0\.1:\d+/)")
        with opened(chromium, url) as page:
            slave = page.locator(f'g[data-unit="{S1}"]')
            expect(slave).to_have_class("standby")
            asked = urllib.request.Request(f"{control}/sites/HA%20Pair%201/fail-over", method="POST")  # noqa: S310
            urllib.request.urlopen(asked).close()  # noqa: S310
            expect(slave).to_have_class("active")
            expect(page.locator("#found")).to_contain_text("Failed over: the slave 172.24.1.6 is active since")
            watch.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                watch.wait(PATIENCE)
            assert watch.returncode == 0
            expect(page.locator("#stale")).to_contain_text("geoplan status has ended. What is shown is of")
