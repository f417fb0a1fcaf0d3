"""``deregister_targets`` and ``register_targets``: instances out of the target groups, or into them, in AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.live.findings import NoteKind
from geoplan.plan.model import Action
from geoplan.push.outcome import Outcome, StepState

if TYPE_CHECKING:
    from geoplan.plan.model import Step
    from geoplan.push.context import Context

IN_AWS = {
    Action.DEREGISTER_TARGETS: "in AWS: take its instances out of the target groups before they are terminated",
    Action.REGISTER_TARGETS: "in AWS: put its new instances into the target groups once they answer the health check",
}


async def leave_targets_to_aws(context: Context, step: Step) -> Outcome:
    """Say what is to be done in AWS, and note it, so that it is not forgotten."""
    message = IN_AWS[step.action]
    context.note(NoteKind.BY_HAND, f"{step.site}: {message}", site=step.site, step=step)
    return Outcome(StepState.BY_HAND, None, message)
