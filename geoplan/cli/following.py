"""Follows what people do by hand: one look at the units after the other, told as text, as JSON and on a page."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import replace
from http import HTTPStatus
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import click

from geoplan.cli.connection import live_fleet
from geoplan.cli.output import end_if_unread, terminal
from geoplan.cli.signals import on_signals
from geoplan.cli.status_watch import TIMEOUTS
from geoplan.follow.events import events_between, title
from geoplan.follow.judge import advance, ticked
from geoplan.follow.model import EventKind, Look, Progress, StepState
from geoplan.live.model import Cause
from geoplan.live.polling import SystemClock, Timings
from geoplan.live.survey import observe_for_follow
from geoplan.plan.model import Action
from geoplan.serve.loopback import Response
from geoplan.serve.page import LivePage
from geoplan.wording import count, join_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from geoplan.follow.model import Event, StepStatus
    from geoplan.live.model import Failure, Observations
    from geoplan.loadmaster.connection import UnitConnection
    from geoplan.plan.model import Plan, Step

LEFT_UNDONE = 1
MAX_LINE_BYTES = 1024
MIN_UNIT_SECONDS = 1.0
_WORDS = {
    EventKind.DONE: "done",
    EventKind.WRONG: "WRONG",
    EventKind.UNDONE: "UNDONE",
    EventKind.OUT_OF_ORDER: "OUT OF ORDER",
    EventKind.ASKS: "TICK IT",
    EventKind.WINDOW_OPEN: "NOW",
    EventKind.WINDOW_CLOSING: "HURRY",
    EventKind.TOO_LATE: "TOO LATE",
}
WARNINGS = frozenset(EventKind) - {EventKind.DONE}


class Follower:
    """Watches the units of a plan until every step is done, or somebody ends it."""

    def __init__(self, plan: Plan, timings: Timings, *, seconds: float, as_json: bool) -> None:
        self.plan = plan
        self.progress = Progress()
        self._timings = timings
        self._seconds = seconds
        self._as_json = as_json
        self._clock = SystemClock()
        self._page: LivePage | None = None
        self._failures: dict[str, Failure] = {}

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        return all(self.progress.status(step.id).is_done for step in self.plan.steps)

    async def run(self, accesses: dict[str, UnitConnection], *, jobs: int, page: str | None, port: int) -> None:
        """Follow until all is done or a signal comes; serve a page on loopback where there is one."""
        task = asyncio.current_task()

        def end(_number: int) -> None:
            if task:
                task.cancel()

        with on_signals(end), suppress(asyncio.CancelledError):
            async with AsyncExitStack() as running:
                if page is not None:
                    self._page = LivePage(page, self._snapshot, {"/tick": self._tick_of})
                    await running.enter_async_context(self._page.server.running(port))
                    click.echo(f"The runbook, ticking itself: {self._page.server.url}", err=True)
                fleet = await running.enter_async_context(
                    live_fleet(self.plan, accesses, self._clock, jobs=jobs, timings=self._timings)
                )
                running.enter_context(_lines_of_stdin(self._typed))
                while not self.is_done:
                    facts = await observe_for_follow(fleet, unit_seconds=self._unit_seconds)
                    self._tell_failures(facts)
                    self.take(
                        advance(self.plan, self.progress, Look(facts, self._clock.now()), self._timings.boot_seconds)
                    )
                    if page is None:
                        end_if_unread()
                    if not self.is_done:
                        await self._clock.sleep(self._pause())

    @property
    def _unit_seconds(self) -> float:
        """How long one answer is waited for: a unit that goes down during a look must not hide the window it opens."""
        return max(MIN_UNIT_SECONDS, self._timings.boot_seconds / 10)

    def tick(self, step_id: str) -> str:
        """Tick a step by hand; return why that is refused, if it is."""
        progress, refusal = ticked(self.plan, self.progress, step_id)
        if not refusal:
            self.take(progress)
        return refusal

    def say_end(self) -> None:
        """Say what is done and what is left."""
        left = [step for step in self.plan.steps if not self.progress.status(step.id).is_done]
        done = len(self.plan.steps) - len(left)
        text = f"{done} of {count(len(self.plan.steps), 'step')} done"
        if left:
            numbers = join_words(str(step.number) for step in left)
            text += f"; left: {numbers}. Next: step {left[0].number}, {title(left[0])}"
        click.echo(text, err=True)

    def _tell_failures(self, facts: Observations) -> None:
        """Say once which unit cannot be read, and why: of one that only boots its steps say what is to be known."""
        failures = {address: unit.failure for address, unit in facts.units.items() if unit.failure}
        for address, failure in failures.items():
            has_answered = address in self.progress.last
            if self._failures.get(address) != failure and not (failure.cause is Cause.UNREACHABLE and has_answered):
                hint = f"\n  hint: {failure.hint}" if failure.hint else ""
                told = f"{address} cannot be read, so none of its steps ticks itself: {failure.message}{hint}"
                click.echo(told, err=True)
        self._failures = failures

    def _pause(self) -> float:
        """Return the seconds until the next look: fewer in the window of a reboot, and just before one."""
        following = next(step for step in self.plan.steps if not self.progress.status(step.id).is_done)
        is_tight = following.action in (Action.REBOOT_MASTER, Action.RESUBMIT_GEO_PARTNERS)
        return min(self._seconds, 2 * self._timings.poll_seconds) if is_tight else self._seconds

    def take(self, progress: Progress) -> None:
        """Take how steps stand now, and tell what is new."""
        before, self.progress = self.progress, progress
        for event in events_between(self.plan, before, progress):
            self._show(event)
            step = self.plan.steps[event.number - 1]
            told = {"steps": [_of_step(step, progress.status(step.id))], "number": event.number}
            warning = event.kind in WARNINGS
            if self._page:
                self._page.tell({**told, "message": event.message, "warning": warning})

    def _show(self, event: Event) -> None:
        step = self.plan.steps[event.number - 1]
        at = self._clock.wall()
        if self._as_json:
            told = {
                "format": "geoplan/follow/1",
                "at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "event": event.kind.value,
                "step": event.step,
                "number": event.number,
                "message": event.message,
                "by_hand": self.progress.status(event.step).by_hand,
            }
            click.echo(json.dumps(told, ensure_ascii=False))
        else:
            width = len(str(len(self.plan.steps)))
            word = _WORDS[event.kind]
            line = f"{at.astimezone():%H:%M:%S}  {event.number:>{width}}  {word:<12}  {title(step)}: {event.message}"
            click.echo("\n".join(_broken(line, columns())))
        sys.stdout.flush()

    def _snapshot(self) -> dict[str, Any]:
        steps = [_of_step(step, self.progress.status(step.id)) for step in self.plan.steps]
        return {"steps": steps}

    def _typed(self, line: str) -> None:
        word = line.strip().rstrip(".")
        if not word:
            return
        step = next((step for step in self.plan.steps if word in (str(step.number), step.id)), None)
        refusal = self.tick(step.id) if step else "type the number of a step that you have done, then Enter"
        if refusal:
            click.echo(refusal, err=True)

    def _tick_of(self, body: bytes) -> Response:
        try:
            given = json.loads(body)
        except (ValueError, RecursionError):
            given = None
        if not isinstance(given, dict) or not isinstance(given.get("id"), str):
            return Response("the body is no JSON object with an id", HTTPStatus.BAD_REQUEST)
        refusal = self.tick(given["id"])
        return Response(refusal or "ticked", HTTPStatus.CONFLICT if refusal else HTTPStatus.OK)


def follow_units(  # noqa: PLR0913 - options
    plan: Plan,
    accesses: dict[str, UnitConnection],
    *,
    is_lab: bool,
    seconds: float,
    jobs: int,
    as_json: bool,
    page: str | None,
    port: int,
) -> int:
    """Follow until all is done or Ctrl-C; return the exit code."""
    follower = Follower(plan, Timings.of(plan.estimates, is_lab=is_lab), seconds=seconds, as_json=as_json)
    patient = {address: replace(access, timeouts=TIMEOUTS) for address, access in accesses.items()}
    asyncio.run(follower.run(patient, jobs=jobs, page=page, port=port))
    follower.say_end()
    return 0 if follower.is_done else LEFT_UNDONE


def columns() -> int | None:
    """Return how wide the terminal is; None where lines go elsewhere, to be searched and kept whole."""
    return terminal()[0] if sys.stdout.isatty() else None


def _broken(line: str, width: int | None) -> list[str]:
    return [line] if width is None else wrap(line, width, subsequent_indent=" " * 10, break_on_hyphens=False)


def _of_step(step: Step, status: StepStatus) -> dict[str, str]:
    words = {StepState.OPEN: "", StepState.DONE: "Seen: "}
    message = f"{words.get(status.state, '')}{status.said}" if status.state is not StepState.OPEN else ""
    return {"id": step.id, "state": status.state.value, "message": "Ticked by hand." if status.by_hand else message}


@contextmanager
def _lines_of_stdin(typed: Callable[[str], None]) -> Iterator[None]:
    """Hand on every line that is typed while the block lasts; where nobody can type, none comes."""
    loop = asyncio.get_running_loop()
    waiting = b""

    def read() -> None:
        nonlocal waiting
        try:
            part = os.read(number, MAX_LINE_BYTES)
        except OSError:
            part = b""
        if not part:
            loop.remove_reader(number)
            return
        *lines, waiting = (waiting + part).split(b"\n")
        waiting = waiting[-MAX_LINE_BYTES:]
        _each(lines, typed)

    try:
        number = sys.stdin.fileno()
        loop.add_reader(number, read)
    except (AttributeError, OSError, ValueError, NotImplementedError):
        yield
        return
    try:
        yield
    finally:
        loop.remove_reader(number)


def _each(lines: Iterable[bytes], typed: Callable[[str], None]) -> None:
    for line in lines:
        typed(line.decode(errors="replace"))
