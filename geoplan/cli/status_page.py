"""The live page of a watch: served on loopback while the watch goes on."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from geoplan.errors import PushRefusedError, UnusableFileError
from geoplan.push.steps_now import steps_now
from geoplan.push.summary import name_step
from geoplan.render.status_page import render
from geoplan.serve.page import LivePage
from geoplan.status.model import LEFT, UNDER_WAY, PushStep, RunningPush
from geoplan.status.page import PageContent
from geoplan.status.table import HEADINGS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from geoplan.errors import GeoplanError
    from geoplan.plan.model import Plan
    from geoplan.push.steps_now import StepNow
    from geoplan.push.store import Store
    from geoplan.status.model import Seen


class StatusPage:
    """Shows each look on every page that is open."""

    def __init__(self, plan: Plan, seconds: float) -> None:
        self._content = PageContent(plan)
        self.page = LivePage(render(plan, HEADINGS, seconds), lambda: self._content.whole)

    async def __call__(self, seen: Seen) -> None:
        """Show a look."""
        self.page.tell(self._content.take(seen))

    def fail(self, error: GeoplanError) -> None:
        """Show that a look has failed; what the page showed before stays, as old."""
        click.echo(f"geoplan: warning: a look failed, the next one follows: {error}", err=True)
        self.page.tell(self._content.fail(datetime.now(UTC), str(error)))


@asynccontextmanager
async def showing_page(plan: Plan, port: int, seconds: float) -> AsyncIterator[StatusPage]:
    """Yield what shows each look on a page that is served while the block lasts, at a free port for 0.

    ``seconds`` are between two looks. Raises :class:`GeoplanError` for a port that is taken.
    """
    shown = StatusPage(plan, seconds)
    async with shown.page.server.running(port):
        click.echo(f"The live page: {shown.page.server.url} (Ctrl-C ends it)", err=True)
        yield shown


def running_push(store: Store) -> RunningPush | None:
    """Return the push that runs on any of the units now, with its steps; None where none does or it is not known."""
    try:
        if (holder := store.holder()) is None:
            return None
        history = store.past().unfinished
        return RunningPush(holder, tuple(map(_step, steps_now(history))) if history else ())
    except (UnusableFileError, PushRefusedError):  # whoever looks has been warned of it
        return None


def _step(now: StepNow) -> PushStep:
    state = UNDER_WAY if now.is_under_way else now.ended or LEFT
    return PushStep(now.step.number, name_step(now.step), state)
