"""The steps: where each is done, what is entered, what to wait for, what is seen, and what if it is not."""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from geoplan.plan.actions import LOOKS
from geoplan.plan.ha_change import consequences_of
from geoplan.plan.model import UPDATE_ACTIONS, Action
from geoplan.render.runbook import content, ec2, wui
from geoplan.render.runbook.model import Button, Choice, Field, Login, Phase, RunbookStep, Task, Trouble
from geoplan.render.runbook.prose import Label, Name, Prose, Span, StepNumber, Url, Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from geoplan.plan.model import Plan, Step
    from geoplan.render.runbook.content import Section
    from geoplan.render.runbook.context import RunbookContext
    from geoplan.render.runbook.model import Move

_OF_EC2 = [screen for screen in vars(ec2).values() if isinstance(screen, wui.Screen)]
_SCREENS = {screen.path: screen for screen in (*wui.SCREENS, *_OF_EC2)}
_OF_STEP = ("Under", "Title", "Log in", "Go to", "Do", "You see")
_OF_TROUBLE = ("If it goes wrong", "In place now", "To go on", "To go back")
_OPTIONAL = ("Wait first", "Then")


class WrittenStep(NamedTuple):
    """A step, and what the file of its action says of it, by heading."""

    step: Step
    sections: Mapping[str, Section]

    def lines(self, heading: str) -> tuple[Prose, ...]:
        """Return the items under a heading, which need not be there."""
        return self.sections[heading].items if heading in self.sections else ()


def write_steps(context: RunbookContext) -> tuple[WrittenStep, ...]:
    """Fill the file of its action in for every step of a plan, in order."""
    return tuple(WrittenStep(step, _sections(step, context)) for step in context.plan.steps)


def _sections(step: Step, context: RunbookContext) -> Mapping[str, Section]:
    sections = content.render(
        step.action.value,
        {
            "runbook": context,
            "plan": context.plan,
            "step": step,
            "following": StepNumber(step.number + 1),
            "site": Name(step.site),
            "pair": context.pairs.get(step.site),
            "settings": context.ha_pairs.get(step.site),
            "said": consequences_of(context.plan, step),
        },
    )
    needed = {*_OF_STEP, *_OF_TROUBLE}
    if not needed <= set(sections) <= needed.union(_OPTIONAL):
        raise ValueError(f"what is said of {step.action.value} has other headings: {', '.join(sections)}")
    return sections


def phases_of(context: RunbookContext, written: Sequence[WrittenStep]) -> Iterator[Phase]:
    """Yield the steps in order, under a heading for each part of each group."""
    several = len(context.plan.groups) > 1

    def heading(each: WrittenStep) -> Prose:
        words = each.sections["Under"].text
        return Prose((Name(context.group_of(each.step)), f": {words}".lower())) if several else words

    for title, steps in groupby(written, key=heading):
        yield Phase(title, tuple(_runbook_step(each, context.plan) for each in steps))


def _runbook_step(written: WrittenStep, plan: Plan) -> RunbookStep:
    step, sections = written
    (path,) = sections["Go to"].text
    return RunbookStep(
        number=step.number,
        id=step.id,
        action=step.action,
        title=sections["Title"].text,
        wait_before=written.lines("Wait first"),
        login=_login(sections["Log in"]),
        screen=_SCREENS[Label(path)],
        moves=tuple(map(_move, written.lines("Do"))),
        expect=sections["You see"].text,
        wait_after=written.lines("Then"),
        why=step.why,
        note=step.note,
        section=step.section,
        seconds=seconds_of(step, plan),
    )


def _login(section: Section) -> Login:
    (url,), *tell = section.items
    return Login(section.text, Url(url), *tell)


def _move(item: Prose) -> Move:
    """Return what an item asks for: ``field: LABEL VALUE REMARK``, ``choice:`` likewise, ``press: LABEL``, or words."""
    match item:
        case ("press: ", Label() as label):
            return Button(label)
        case ("field: ", Label() as label, " ", Value() as value, *remark):
            return Field(label, value, _remark(remark))
        case ("choice: ", Label() as label, " ", Span() as option, *remark):
            return Choice(label, option, _remark(remark))
    return Task(item)


def _remark(parts: Sequence[str]) -> Prose | None:
    """Return the sentence that follows a value after a blank."""
    if not parts:
        return None
    blank, *rest = parts
    return Prose((blank.removeprefix(" "), *rest)) if blank.strip() else Prose(rest)


def troubles_of(written: Sequence[WrittenStep]) -> Iterator[Trouble]:
    """Yield what to do when something goes wrong, once for each kind of step that there is."""
    first_of = {each.step.action: each for each in reversed(written)}
    for action in Action:
        if action in first_of:
            each = first_of[action]
            title = str(each.sections["If it goes wrong"].text)
            yield Trouble(action, title, *map(each.lines, _OF_TROUBLE[1:]))


def seconds_of(step: Step, plan: Plan) -> int:
    """Return what a step adds to the window when it is done by hand."""
    times = plan.estimates
    waiting: float = times.boot_seconds if step.action in UPDATE_ACTIONS else 0
    if step.action is Action.REBOOT_MASTER:
        waiting = times.sync_seconds + times.boot_seconds
    elif step.action in LOOKS:
        waiting = times.sync_seconds
    return math.ceil(times.manual_step_seconds + (waiting + plan.health_check_seconds(step)))
