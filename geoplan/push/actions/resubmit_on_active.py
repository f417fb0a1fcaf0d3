"""``resubmit_on_active``: partners submitted again where a unit of the group is new and knows nobody yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.push.actions.resubmit_geo_partners import NotSubmittedError, submit_unchanged
from geoplan.push.context import StepError
from geoplan.push.outcome import Outcome, StepState
from geoplan.wording import count

if TYPE_CHECKING:
    from geoplan.plan.model import Step
    from geoplan.push.context import Context


async def resubmit_on_active(context: Context, step: Step) -> Outcome:
    """Submit a site's unchanged partners again on its active unit: it is sent although nothing differs."""
    site = context.plan.site(step.on.site)
    try:
        unit, sent = await submit_unchanged(context, site, step_id=step.id)
    except NotSubmittedError as error:
        raise StepError(step, str(error), unit=error.unit, hint=error.hint) from None
    context.record("changed", step, unit.address, action=step.action.value)
    return Outcome(StepState.DONE, unit.address, f"{count(len(sent), 'partner')} submitted again")
