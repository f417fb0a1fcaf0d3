"""A stopped push in words."""

from __future__ import annotations

from geoplan.plan.model import Action
from geoplan.push.context import StepError
from geoplan.push.executor import Progress
from geoplan.push.outcome import Outcome, StepState
from geoplan.push.summary import stopped_because
from tests.push.observations import plan_of

PLAN = plan_of("5.3")


def test_what_was_left_out_is_not_said_to_be_in_place() -> None:
    progress = Progress()
    *before, last = PLAN.steps[:-1]
    for step in before:
        is_left_out = step.action in (Action.REBOOT_MASTER, Action.RESUBMIT_GEO_PARTNERS)
        state = StepState.LEFT_OUT if is_left_out else StepState.DONE
        progress.outcomes[step.id] = Outcome(state, None, "")
    progress.failures.append(StepError(last, "it does not answer", unit="172.24.1.5"))
    said = stopped_because(PLAN, progress).splitlines()
    assert said[-3:] == ["  in place  steps 1-4", "  left out  steps 5-7", "  not yet   step 9"]
    assert f"step {last.number}" in said[1]
