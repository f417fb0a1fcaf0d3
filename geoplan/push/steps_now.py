"""How the steps of a push stand at the moment, as its journal tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geoplan.push import records as models

if TYPE_CHECKING:
    from geoplan.plan.model import Step
    from geoplan.push.history import History


class StepNow(NamedTuple):
    """A step, and how it stands."""

    step: Step
    ended: str | None
    """How it ended, as :class:`~geoplan.push.outcome.StepState` says it; None where it has not."""
    is_under_way: bool


def steps_now(history: History) -> tuple[StepNow, ...]:
    """Return all steps of a push that runs.

    A step is under way if it has written something since it ended last. Where none has, it is the first one left:
    looks and waits are not written down. Raises :class:`UnusableFileError` where the plan cannot be read.
    """
    begun: set[str] = set()
    for record in history.records:
        match record:
            case models.Resumed():
                begun.clear()
            case models.StepEnded():
                begun.discard(record.id)
            case _:
                step = getattr(record, "step", None)
                begun |= {step} if isinstance(step, str) else set()
    left = [step.id for step in history.plan.steps if step.id not in history.step_states]
    begun = begun & {step.id for step in history.plan.steps} or set(left[:1])
    return tuple(
        StepNow(step, None if step.id in begun else history.step_states.get(step.id), step.id in begun)
        for step in history.plan.steps
    )
