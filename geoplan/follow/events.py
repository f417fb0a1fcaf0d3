"""What there is to tell once steps stand otherwise than before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.follow.model import Event, EventKind, StepState
from geoplan.plan.actions import ACTIONS
from geoplan.plan.model import Action
from geoplan.wording import join_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.follow.model import Progress, StepStatus, Window
    from geoplan.plan.model import Plan, Step

_KINDS = {
    StepState.DONE: EventKind.DONE,
    StepState.WRONG: EventKind.WRONG,
    StepState.ASKS: EventKind.ASKS,
    StepState.TOO_LATE: EventKind.TOO_LATE,
}


def events_between(plan: Plan, before: Progress, after: Progress) -> Iterator[Event]:
    """Yield what is new, in the order of the steps."""
    for step in plan.steps:
        yield from _of_step(step, before.status(step.id), after.status(step.id))
        if step.action is Action.RESUBMIT_GEO_PARTNERS and step.site in after.pairs:
            was = before.pairs[step.site].window if step.site in before.pairs else None
            if not after.status(step.id).is_done:
                yield from _of_window(plan, step, was, after.pairs[step.site].window)


def _of_step(step: Step, was: StepStatus, now: StepStatus) -> Iterator[Event]:
    if (was.state, was.said) == (now.state, now.said) and was.not_before == now.not_before:
        return
    if now.state is not StepState.OPEN and (now.state is not was.state or now.state is not StepState.DONE):
        yield _event(_KINDS[now.state], step, now.said)
    elif now.state is StepState.OPEN and was.is_done:
        yield _event(EventKind.UNDONE, step, now.said or "it has to be done again")
    if now.not_before and now.not_before != was.not_before:
        steps = join_words(map(str, now.not_before))
        yield _event(EventKind.OUT_OF_ORDER, step, f"done before step {steps}, which should come first")


def _of_window(plan: Plan, step: Step, was: Window | None, now: Window | None) -> Iterator[Event]:
    if now is None or not now.counts or now.is_closed:
        return
    master, slave = (unit.address for unit in plan.site(step.site).units)
    if was is None or was.opened != now.opened:
        how_long = (
            f"about {now.closes - now.opened:.0f} s, until {master} takes over again" if now.closes else "any time"
        )
        yield _event(EventKind.WINDOW_OPEN, step, f"{slave} is active: submit its partners there now; {how_long}")
    elif now.is_closing and not was.is_closing:
        yield _event(EventKind.WINDOW_CLOSING, step, f"submit on {slave} at once: {master} is about to take over again")


def _event(kind: EventKind, step: Step, message: str) -> Event:
    return Event(kind, step.number, step.id, message)


def title(step: Step) -> str:
    """Return what a step does, and where, in a few words."""
    return f"{ACTIONS[step.action].short} {step.site}"
