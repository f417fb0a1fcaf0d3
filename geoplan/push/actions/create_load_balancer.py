"""``create_load_balancer``: no LoadMaster can make its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.push.outcome import Outcome, StepState

if TYPE_CHECKING:
    from geoplan.plan.model import Step
    from geoplan.push.context import Context

BY_HAND = "AWS makes it: geoplan export cloudformation writes the template"


async def leave_to_aws(_context: Context, _step: Step) -> Outcome:
    """Say who makes the load balancer."""
    return Outcome(StepState.BY_HAND, None, BY_HAND)
