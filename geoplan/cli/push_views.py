"""How a push shows itself: lines in a pipe, lines and a bar on a terminal, JSON for programs."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Protocol

import click

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from rich.progress import Progress, TaskID

    from geoplan.plan.model import Plan, Step
    from geoplan.push.events import Event
    from geoplan.push.waits import Timings


class View(Protocol):
    """Shows events while its ``with`` block lasts."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def show(self, event: Event) -> None:
        """Show one event."""

    def say(self, text: str) -> None:
        """Show a text that is no event; a program does not get it."""


class JsonView:
    """One event a line."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return None

    def show(self, event: Event) -> None:
        """Write an event as one line of JSON."""
        click.echo(json.dumps(event.as_plain(), ensure_ascii=False))
        sys.stdout.flush()

    def say(self, text: str) -> None:
        """Keep standard output for events; people read it on standard error."""
        click.echo(text, err=True)


class PlainView:
    """One line a step."""

    def __init__(self, plan: Plan) -> None:
        self._total = len(plan.steps)
        self._width = max((len(_title(step)) for step in plan.steps), default=0)
        self._unit_width = max(len(unit.address) for site in plan.sites for unit in site.units)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return None

    def show(self, event: Event) -> None:
        """Write the line of an event, where it has one."""
        if line := self.line(event):
            self.say(line)

    def say(self, text: str) -> None:
        """Write a text."""
        click.echo(text)
        sys.stdout.flush()

    def line(self, event: Event) -> str | None:
        """Return the line of an event, or nothing for what is only under way."""
        from geoplan.push.events import EventKind

        match event.kind:
            case EventKind.STEP_ENDED if event.step:
                number = f"{event.step.number:>{len(str(self._total))}}/{self._total}"
                unit = (event.unit or "").ljust(self._unit_width)
                seconds = event.step_seconds or 0.0
                state = str(event.state or "")
                words = _title(event.step).ljust(self._width)
                return f"{number}  {words}  {unit}  {state:<11} {seconds:6.1f} s  {event.message}".rstrip()
            case EventKind.BACKUP if event.unit is None:
                return f"backup: {event.message}"
            case EventKind.NOTE:
                return f"note: {event.message}"
            case EventKind.PREFLIGHT:
                notes = event.details.get("notes")
                shown = [f"note: {note}" for note in notes] if isinstance(notes, list) else []
                return "\n".join([f"preflight: {event.message}", *shown])
            case EventKind.VERIFYING:
                return f"verifying: {event.message}"
            case _:
                return None


class DryRunView(PlainView):
    """What would be done, and below each step the requests that would do it."""

    def line(self, event: Event) -> str | None:
        """Return the line of an event: a step before its requests, and how it ended only where it needs none."""
        from geoplan.push.events import EventKind, StepState

        match event.kind:
            case EventKind.STEP_STARTED if event.step:
                return f"{event.step.number:>{len(str(self._total))}}/{self._total}  {_title(event.step)}"
            case EventKind.STEP_ENDED if event.state not in (StepState.DONE, None):
                return f"    {event.state}: {event.message}"
            case EventKind.PREFLIGHT | EventKind.NOTE:
                return super().line(event)
            case _:
                return None


class TerminalView(PlainView):
    """The same lines, and below them what is under way, a bar and the time left."""

    def __init__(self, plan: Plan, timings: Timings) -> None:
        super().__init__(plan)
        self._seconds = {step.id: _seconds_of(step.action.value, timings) for step in plan.steps}
        self._left = dict(self._seconds)
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._progress:
            self._progress.stop()

    def show(self, event: Event) -> None:
        """Write the line of an event and move the bar."""
        from geoplan.push.events import EventKind

        if event.kind in (EventKind.STEP_STARTED, EventKind.STEP_WAITING, EventKind.STEP_ENDED):
            progress, task = self._bar()
            if event.kind is EventKind.STEP_ENDED and event.step:
                self._left.pop(event.step.id, None)
            under_way = f"{_title(event.step)}: {event.message or 'begins'}" if event.step else event.message
            done = self._total - len(self._left)
            progress.update(task, completed=done, under_way=under_way, left=_clock(sum(self._left.values())))
        super().show(event)

    def say(self, text: str) -> None:
        """Write a text above the bar."""
        if self._progress:
            self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            super().say(text)

    def _bar(self) -> tuple[Progress, TaskID]:
        if self._progress is None or self._task is None:
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

            self._progress = Progress(
                BarColumn(bar_width=30),
                MofNCompleteColumn(),
                TextColumn("about {task.fields[left]} left"),
                TextColumn("{task.fields[under_way]}", markup=False),
                transient=True,
            )
            self._task = self._progress.add_task("push", total=self._total, under_way="", left="")
            self._progress.start()
        return self._progress, self._task


def view_of(plan: Plan, timings: Timings, output_format: str, *, dry_run: bool) -> View:
    """Return the view for where standard output leads."""
    if output_format == "json":
        return JsonView()
    if dry_run:
        return DryRunView(plan)
    return TerminalView(plan, timings) if sys.stdout.isatty() else PlainView(plan)


def _title(step: Step) -> str:
    from geoplan.push.summary import say_step

    return say_step(step)


def _seconds_of(action: str, timings: Timings) -> float:
    return timings.boot_seconds + timings.sync_seconds if action == "reboot_master" else 0.5


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"
