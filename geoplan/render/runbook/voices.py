"""What a runbook says of one kind of step: each action has a voice, and the steps join them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from geoplan.plan.model import Plan, Step
    from geoplan.render.runbook.context import RunbookContext
    from geoplan.render.runbook.model import Login, Move, Trouble
    from geoplan.render.runbook.prose import Prose
    from geoplan.render.runbook.wui import Screen


def nothing(_step: Step, _bearings: RunbookContext) -> Iterable[Prose]:
    """Return no line: such a step waits for nothing."""
    return ()


def no_time(_step: Step, _plan: Plan) -> float:
    """Return 0 seconds: such a step takes no longer than any step does by hand."""
    return 0


class Voice(NamedTuple):
    """All that depends on what a step does; each function is given the step and where everything is by then."""

    heading: str
    """Under which the step stands, with its neighbours of the same heading."""
    title: str
    """What the step does; ``{}`` is the site whose step it is."""
    screen: Screen
    login: Callable[[Step, RunbookContext], Login]
    moves: Callable[[Step, RunbookContext], Iterable[Move]]
    expect: Callable[[Step, RunbookContext], Prose]
    trouble: Callable[[RunbookContext], Trouble]
    """What to do when such a step goes wrong; once in a runbook, however many steps do it."""
    wait_before: Callable[[Step, RunbookContext], Iterable[Prose]] = nothing
    wait_after: Callable[[Step, RunbookContext], Iterable[Prose]] = nothing
    waiting_seconds: Callable[[Step, Plan], float] = no_time
    """What such a step takes besides the work by hand and the health check of the load balancer."""
