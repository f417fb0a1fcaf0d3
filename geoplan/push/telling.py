"""When steps begin and end, told as it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.push.events import EventKind

if TYPE_CHECKING:
    from geoplan.plan.model import Step
    from geoplan.push.context import Context
    from geoplan.push.steps import Outcome


class Telling:
    """Tells that a step begins or has ended, and how long it took. A pair's steps may do so more than once."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._began: dict[str, float] = {}

    def begin(self, step: Step) -> None:
        """Say that a step begins now."""
        self._began[step.id] = self._context.clock.now()
        self._context.say(EventKind.STEP_STARTED, "", step=step)

    def end(self, step: Step, outcome: Outcome) -> None:
        """Say how a step ended."""
        now = self._context.clock.now()
        self._context.say(
            EventKind.STEP_ENDED,
            outcome.message,
            step=step,
            unit=outcome.unit,
            state=outcome.state,
            step_seconds=now - self._began.get(step.id, now),
        )
