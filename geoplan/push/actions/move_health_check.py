"""``move_health_check``: the target groups of a pair ask at its new port, which a person sees to in AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.live.findings import NoteKind
from geoplan.plan.ha_change import consequences_of
from geoplan.push.context import StepError
from geoplan.push.outcome import Outcome, StepState

if TYPE_CHECKING:
    from geoplan.plan.model import Step
    from geoplan.push.context import Context

SAID = "it was said to be done"


async def move_health_check(context: Context, step: Step) -> Outcome:
    """Wait until somebody says that the load balancer asks at the new port: no unit tells of that.

    To go on with a push that has stopped here says it as well. Raises :class:`StepError` where nobody says it.
    """
    said = consequences_of(context.plan, step)
    what = said.what if said else "in AWS: change the health check of its target groups"
    context.reporter.waiting(step, f"by hand: {what}")(0.0)
    if context.fleet.is_on_paper:
        return Outcome(StepState.BY_HAND, None, what)
    was_asked = context.history.step_states.get(step.id) == StepState.FAILED.value
    if was_asked or context.reporter.may_go_on(f"{what}. Done?"):
        context.note(NoteKind.BY_HAND, f"{step.site}: {what}: {SAID}", site=step.site, step=step)
        return Outcome(StepState.BY_HAND, None, f"{what}: {SAID}")
    hint = "change it in AWS now; then go on, which says that it is done"
    raise StepError(step, f"nobody has said that this is done {what}", hint=hint)
