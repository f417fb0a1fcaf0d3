"""A headless Chromium in which pages are opened from a file, and what they say and ask for is noted."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from geoplan import Plan
from tests.render.runbooks import as_page

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 120_000  # milliseconds; a busy machine is no fault of the page
NAMES = ("chromium", "chromium-browser", "google-chrome")

Open = Callable[..., Page]

expect.set_options(timeout=PATIENCE)


def violations(page: Page, within: str = ":root") -> list[tuple[str, list[str]]]:
    """Return each rule of accessibility that axe-core finds broken within an element, with what breaks it."""
    page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("within => axe.run(within).then(results => results.violations)", within)
    return [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in found]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start Chromium, or skip; where GEOPLAN_REQUIRE_BROWSER is 1 there has to be one.

    It lasts for one module alone: while Playwright runs, no other test of the process can run an event loop.
    """
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        reason = f"no Chromium found: none of {', '.join(NAMES)} is on the PATH"
        if os.environ.get("GEOPLAN_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_html(chromium: Browser, tmp_path: Path) -> Iterator[Open]:
    """Open a page from a file; a message on the console, an error or a request fails the test."""
    context: list[Any] = []
    complaints: list[str] = []

    def open_content(content: str, name: str = "page", **options: Any) -> Page:
        if not context:
            context.append(chromium.new_context(**options))
            context[0].set_default_timeout(PATIENCE)
        file = tmp_path / f"{name}.html"
        file.write_text(content, encoding="utf-8")
        page: Page = context[0].new_page()
        page.on("console", lambda message: complaints.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("request", lambda request: complaints.append(f"request: {request.url}") if asks(request.url) else None)
        page.goto(file.as_uri())
        return page

    def asks(url: str) -> bool:
        return not (url.startswith("file:") and url.endswith(".html")) and url != "data:,"

    yield open_content
    for opened in context:
        opened.close()
    assert complaints == []


@pytest.fixture
def open_page(open_html: Open) -> Open:
    """Open a plan's page, likewise."""

    def open_plan(plan: Plan, **options: Any) -> Page:
        return open_html(as_page(plan), plan.checksum[7:15], **options)

    return open_plan
