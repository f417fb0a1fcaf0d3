"""How a push shows itself: lines in a pipe, lines and a bar on a terminal, JSON for programs."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from shutil import get_terminal_size
from textwrap import wrap
from time import monotonic
from typing import TYPE_CHECKING, Protocol

import click
from rich.cells import cell_len

from geoplan.cli.output import Appending, Showing, own_console
from geoplan.plan.model import Action
from geoplan.push.events import EventKind
from geoplan.push.outcome import StepState
from geoplan.push.summary import name_step
from geoplan.wording import count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from rich.console import RenderableType
    from rich.progress import Progress, TaskID

    from geoplan.live.polling import Timings
    from geoplan.plan.model import Plan, Step
    from geoplan.push.events import Event

MIN_TITLE = 20
LONGEST_STATE = len("done before")
LONGEST_LINE = 120


class View(Showing, Protocol):
    """Shows events while its ``with`` block lasts."""

    def show(self, event: Event) -> None:
        """Show one event."""

    def say(self, text: str) -> None:
        """Show a text that is no event; a program does not get it."""


class JsonView(Appending):
    """One event a line; in a dry run each says so."""

    def __init__(self, *, dry_run: bool = False) -> None:
        self._more: dict[str, object] = {"dry_run": True} if dry_run else {}

    def show(self, event: Event) -> None:
        """Write an event as one line of JSON."""
        click.echo(json.dumps(event.as_plain() | self._more, ensure_ascii=False))
        sys.stdout.flush()

    def say(self, text: str) -> None:
        """Keep standard output for events; people read it on standard error."""
        click.echo(text, err=True)


def _wrapped(line: str) -> str:
    """Return a line that is too long to be read as one in several; commands to type are never in such a line."""
    if cell_len(line) <= LONGEST_LINE:
        return line
    return "\n".join(
        wrap(line, LONGEST_LINE, subsequent_indent=" " * 7, break_long_words=False, break_on_hyphens=False)
    )


class PlainView(Appending):
    """One line a step, and one for each wait that is not over at once."""

    def __init__(self, plan: Plan) -> None:
        self._total = len(plan.steps)
        self._width = max((cell_len(_title(step)) for step in plan.steps), default=0)
        self._unit_width = max(len(unit.address) for site in plan.sites for unit in site.units)

    def show(self, event: Event) -> None:
        """Write the line of an event, where it has one."""
        if line := self.line(event):
            self.say(line)

    def say(self, text: str) -> None:
        """Write a text."""
        click.echo(text)
        sys.stdout.flush()

    def line(self, event: Event) -> str | None:
        """Return the line of an event, or None for what is only under way."""
        match event.kind:
            case EventKind.STEP_ENDED if event.step:
                return self.of_step(event.step, event)
            case EventKind.STEP_WAITING if event.step:
                unit = f" ({event.unit})" if event.unit else ""
                return _wrapped(
                    f"{self._number(event.step)}  {event.step.site}: {event.message}{unit}{_at_most(event)}"
                )
            case EventKind.PAIR_HEALTHY if event.step:
                return f"{self._number(event.step)}  {event.step.site}: {event.message}"
            case EventKind.BACKUP if event.unit is None:
                return f"backup: {event.message}"
            case EventKind.NOTE | EventKind.VERIFYING:
                return f"{event.kind}: {event.message}"
            case EventKind.PREFLIGHT:
                shown = [f"note: {note}" for note in event.verdict.notes] if event.verdict else []
                return "\n".join([f"preflight: {event.message}", *shown])
            case EventKind.DESTINATION:
                return event.message
            case _:
                return None

    def of_step(self, step: Step, event: Event, *, width: int | None = None) -> str:
        """Return the line of a step that has ended; a message that no longer fits into a width is left out."""
        words = _title(step)
        unit = (event.unit or "").ljust(self._unit_width)
        ended = f"{unit}  {event.step_seconds or 0.0:5.1f} s  {event.state or ''}"
        room = self._width
        if width is not None:
            room = min(room, max(MIN_TITLE, width - cell_len(f"{self._number(step)}    {unit}  12345.7  not needed ")))
        line = f"{self._number(step)}  {_fitted(words, room)}  {ended}"
        whole = f"{line:<{len(line) + LONGEST_STATE - len(str(event.state or ''))}}  {event.message}".rstrip()
        if width is None or cell_len(whole) <= width:
            return whole
        return f"{line}\n       {event.message}" if event.state in ("failed", "by hand") else line

    def _number(self, step: Step) -> str:
        return f"{step.number:>{len(str(self._total))}}/{self._total}"


class DryRunView(PlainView):
    """What would be done, and below each step the requests that would do it."""

    def line(self, event: Event) -> str | None:
        """Return the line of an event: a step before its requests, and how it ended only where it needs none."""
        match event.kind:
            case EventKind.STEP_STARTED if event.step:
                return f"{event.step.number:>{len(str(self._total))}}/{self._total}  {_title(event.step)}"
            case EventKind.REQUEST:
                return f"    {event.request}"
            case EventKind.STEP_ENDED if event.state not in (StepState.WOULD_DO, None):
                return f"    {event.state}: {event.message}"
            case EventKind.DESTINATION | EventKind.PREFLIGHT | EventKind.NOTE:
                return super().line(event)
            case _:
                return None


class TerminalView(PlainView):
    """Lines that fit the terminal, and below them a bar, the time left and what is under way."""

    def __init__(self, plan: Plan, timings: Timings) -> None:
        super().__init__(plan)
        self._left = TimeLeft(plan, timings)
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._progress:
            self._progress.stop()

    def show(self, event: Event) -> None:
        """Write the line of an event and move the bar."""
        self._left.see(event)
        if event.kind in (EventKind.STEP_STARTED, EventKind.STEP_WAITING) and event.step:
            progress, task = self._bar()
            progress.update(
                task, under_way=f"{event.step.site}: {event.message}" if event.message else _title(event.step)
            )
        elif event.kind is EventKind.VERIFYING and self._progress and self._task is not None:
            self._progress.update(self._task, under_way=event.message)
        super().show(event)

    def line(self, event: Event) -> str | None:
        """Return the line of an event; what is waited for stands beside the bar."""
        if event.kind is EventKind.STEP_WAITING and event.is_by_hand:
            return super().line(event)  # what a person has to do does not fit there
        if event.kind in (EventKind.STEP_WAITING, EventKind.PAIR_HEALTHY):
            return None
        if event.kind is EventKind.STEP_ENDED and event.step:
            return self.of_step(event.step, event, width=get_terminal_size().columns)
        return super().line(event)

    def say(self, text: str) -> None:
        """Write a text above the bar."""
        if self._progress:
            self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            super().say(text)

    def _bar(self) -> tuple[Progress, TaskID]:
        if self._progress is None or self._task is None:
            from rich.constrain import Constrain
            from rich.progress import BarColumn, Progress, TextColumn
            from rich.table import Column

            left, console = self._left, own_console()

            class Countdown(Progress):
                def get_renderables(self) -> Iterable[RenderableType]:
                    for task in self.tasks:
                        seconds = left.seconds
                        task.completed = left.whole - seconds
                        task.fields |= {"left": _clock(seconds), "done": left.ended}
                    # A terminal echoes ^C behind the bar: at the edge it would wrap, and the bar stay where it is.
                    room = max(1, console.width - len("^C"))
                    yield from (Constrain(renderable, room) for renderable in super().get_renderables())

            self._progress = Countdown(
                BarColumn(bar_width=15),
                TextColumn(f"{{task.fields[done]}}/{self._total}", table_column=Column(no_wrap=True)),
                TextColumn("{task.fields[left]} left", table_column=Column(no_wrap=True)),
                TextColumn(
                    "{task.fields[under_way]}",
                    markup=False,
                    table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1),
                ),
                console=console,
                transient=True,
                expand=True,
            )
            self._task = self._progress.add_task("push", total=left.whole, under_way="", left="", done=0)
            self._progress.start()
        return self._progress, self._task


def view_of(plan: Plan, timings: Timings, output_format: str, *, dry_run: bool) -> View:
    """Return the view for where standard output leads."""
    if output_format == "json":
        return JsonView(dry_run=dry_run)
    if dry_run:
        return DryRunView(plan)
    return TerminalView(plan, timings) if sys.stdout.isatty() else PlainView(plan)


class TimeLeft:
    """How long a push still takes, by the times that the topology gives."""

    def __init__(self, plan: Plan, timings: Timings, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._estimates = {step.id: _seconds_of(step, timings) for step in plan.steps}
        self._left = dict(self._estimates)
        self._reboots = {step.site: step.id for step in plan.steps if step.action is Action.REBOOT_MASTER}
        self._begun: dict[str, float] = {}
        self._ended: set[str] = set()
        self.whole = sum(self._left.values())

    @property
    def seconds(self) -> float:
        """The seconds that are left."""
        now = self._now()
        spent = {step: now - begun for step, begun in self._begun.items()}
        return sum(max(0.0, seconds - spent.get(step, 0.0)) for step, seconds in self._left.items())

    @property
    def ended(self) -> int:
        """How many steps have ended."""
        return len(self._ended)

    def see(self, event: Event) -> None:
        """Take note of an event. A pair takes its time until both of its units are up again, whose steps end before."""
        if event.step is None:
            return
        step = event.step.id
        if event.kind is EventKind.STEP_STARTED:
            self._begun[step] = self._now()
            self._left[step] = self._estimates[step]
            self._ended.discard(step)
        elif event.kind is EventKind.PAIR_HEALTHY:
            self._left.pop(self._reboots[event.step.site], None)
        elif event.kind is EventKind.STEP_ENDED:
            self._ended.add(step)
            if event.step.action is not Action.REBOOT_MASTER or event.state is not StepState.DONE:
                self._left.pop(step, None)


def _title(step: Step) -> str:
    return name_step(step)


def _fitted(words: str, room: int) -> str:
    """Return words as wide as there is room, in the cells that they take on a terminal."""
    from rich.cells import set_cell_size

    return set_cell_size(words, room) if cell_len(words) <= room else set_cell_size(words, room - 1) + "…"


def _at_most(event: Event) -> str:
    return "" if event.at_most_seconds is None else f", at most {event.at_most_seconds:.0f} s"


def _seconds_of(step: Step, timings: Timings) -> float:
    return timings.boot_seconds + timings.sync_seconds if step.action is Action.REBOOT_MASTER else 0.5


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"


def as_if(event: Event, backed_up: int) -> Event:
    """Return an event of a dry run as what would be: nothing was backed up, and nothing done."""
    if event.kind is EventKind.BACKUP:
        who = "" if event.unit else f"{count(backed_up, 'unit')} "
        return replace(event, message=f"{who}would be backed up", details={})
    if event.state is StepState.DONE:
        return replace(event, state=StepState.WOULD_DO, message="a push would do this")
    return event
