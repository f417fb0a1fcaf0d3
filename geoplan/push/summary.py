"""A stopped push in the words that an operator needs at three in the morning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.plan.actions import ACTIONS
from geoplan.plan.drill import drilled_site
from geoplan.push.outcome import StepState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geoplan.plan.model import Plan, Step
    from geoplan.push.executor import Progress
    from geoplan.push.history import History


def name_step(step: Step) -> str:
    """Name a step as briefly as a line on a terminal wants it."""
    return f"{ACTIONS[step.action].short} {step.site}"


def say_step(step: Step) -> str:
    """Say a step in a few words."""
    return f"{ACTIONS[step.action].sentence} {step.site}"


def stopped_because(plan: Plan, progress: Progress) -> str:
    """Say what failed, on which unit, what is in place and what is not."""
    what = "push" if drilled_site(plan) is None else "drill"
    lines = [f"the {what} stopped part-way" if progress.failures else f"the {what} was stopped before its last step"]
    for error in progress.failures:
        where = f" on {error.unit}" if error.unit else ""
        lines.append(f"  failed    step {error.step.number}{where}, {say_step(error.step)}: {error}")
        if error.hint:
            lines.append(f"            {error.hint}")
    failed = {error.step.id for error in progress.failures}
    ended = [step for step in plan.steps if step.id in progress.outcomes]
    left_out = [step for step in ended if progress.outcomes[step.id].state is StepState.LEFT_OUT]
    done = [step for step in ended if step not in left_out]
    left = [step for step in plan.steps if step.id not in progress.outcomes and step.id not in failed]
    lines.append(f"  in place  {_numbers(done)}")
    if left_out:
        lines.append(f"  left out  {_numbers(left_out)}")
    lines.append(f"  not yet   {_numbers(left)}")
    return "\n".join(lines)


def not_done(history: History) -> tuple[Step, ...]:
    """Return the steps that a push has not done. Raises :class:`UnusableFileError` where its plan cannot be read."""
    undone = (None, StepState.FAILED.value, StepState.LEFT_OUT.value)
    return tuple(step for step in history.plan.steps if history.step_states.get(step.id) in undone)


def _numbers(steps: Iterable[Step]) -> str:
    """Return the numbers of steps, runs shortened, with the words of the first few."""
    listed = list(steps)
    if not listed:
        return "nothing"
    runs: list[list[int]] = []
    for step in listed:
        if runs and step.number == runs[-1][-1] + 1:
            runs[-1].append(step.number)
        else:
            runs.append([step.number])
    numbers = ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
    return f"{'step' if len(listed) == 1 else 'steps'} {numbers}"
