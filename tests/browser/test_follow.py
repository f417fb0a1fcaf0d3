"""The page of ``geoplan follow`` in a browser: steps tick themselves, and a tick by hand is asked for first."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http import HTTPStatus

import pytest
from playwright.sync_api import Browser, Page, expect

from geoplan import load_topology, make_plan
from geoplan.render.runbook.html import render
from geoplan.serve.loopback import Events, LoopbackServer, Request, Response
from tests.browser.conftest import violations
from tests.conftest import TOPOLOGIES
from tests.render.runbooks import usual_apis

PLAN = make_plan(load_topology(TOPOLOGIES / "section-5.4.yaml"))


def told(number: int, state: str, message: str) -> str:
    step = {"id": PLAN.steps[number - 1].id, "state": state, "message": message}
    return json.dumps({"steps": [step], "number": number, "message": message, "warning": state != "done"})


class Served:
    """A server in a loop of its own, beside the browser's."""

    def __init__(self) -> None:
        self.events = Events()
        self.loop = asyncio.new_event_loop()
        self.ticks: list[str] = []
        self.server = LoopbackServer(self.answer, self.events, lambda: json.dumps({"steps": []}))
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self.loop.run_until_complete, args=(self._run(),))

    async def answer(self, request: Request) -> Response:
        if request.path == "/tick":
            self.ticks.append(request.body.decode())
            return Response("step 2 ticks itself once it is seen", HTTPStatus.CONFLICT)
        page = render(PLAN, usual_apis(PLAN), is_followed=True)
        return Response(page, content_type="text/html; charset=utf-8")

    async def _run(self) -> None:
        async with self.server.running(0):
            self._ready.set()
            await self._stop.wait()

    def start(self) -> None:
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self.loop.close()

    def send(self, data: str) -> None:
        self.loop.call_soon_threadsafe(self.events.send, data)


@pytest.fixture
def served() -> Iterator[Served]:
    server = Served()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def page(chromium: Browser, served: Served) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 400, "height": 800}, reduced_motion="reduce")
    asked: list[str] = []
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(served.server.url)
    expect(page.locator("#followed")).to_have_text("geoplan follow is watching the units.")
    yield page
    context.close()
    assert [url for url in asked if not url.startswith(served.server.url) and url != "data:,"] == []


def test_steps_tick_themselves_and_warnings_are_shown(page: Page, served: Served) -> None:
    served.send(told(1, "done", "Seen: 172.24.1.5 holds the list"))
    expect(page.locator("#tick-1")).to_be_checked()
    expect(page.locator("#done")).to_contain_text("1 of 18 steps done")
    served.send(told(2, "wrong", "the list of 172.24.1.5 lacks 172.24.1.7"))
    expect(page.locator("#step-2 .seen")).to_have_text("the list of 172.24.1.5 lacks 172.24.1.7")
    expect(page.locator("#followed")).to_contain_text("Step 2: the list of 172.24.1.5 lacks")

    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    assert violations(page) == []


def test_a_tick_by_hand_that_is_refused_is_taken_back(page: Page, served: Served) -> None:
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Space")
    expect(page.locator("#step-2 .seen")).to_have_text("step 2 ticks itself once it is seen")
    expect(page.locator("#tick-2")).not_to_be_checked()
    assert json.loads(served.ticks[0]) == {"id": PLAN.steps[1].id}
