"""``verify_updated_pair``: both units run the new version, one is active, and the standby holds what it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.errors import UnitError
from geoplan.push.between_sites import wait_between_sites
from geoplan.push.firmware_progress import is_version
from geoplan.push.outcome import Outcome, StepState
from geoplan.push.whole_pairs import until_whole

if TYPE_CHECKING:
    from geoplan.plan.model import Step
    from geoplan.push.context import Context


async def verify_updated_pair(context: Context, step: Step) -> Outcome:
    """See that a pair is whole after its update. Raises :class:`StepError` where it is not: nothing goes on then."""
    to = context.plan.firmware.to if context.plan.firmware else ""

    async def of_versions() -> list[str]:
        return await _other_versions(context, step, to)

    told = await until_whole(context, step, "its update", more=of_versions)
    await wait_between_sites(context, step)
    return Outcome(StepState.DONE, None, f"both run {to}; {told}")


async def _other_versions(context: Context, step: Step, to: str) -> list[str]:
    """Return which units of a pair do not run the new version."""
    found = []
    for planned in context.plan.site(step.site).units:
        unit = context.fleet.unit(planned.address)
        try:
            version = await unit.firmware()
        except UnitError as error:
            found.append(f"{unit.address} does not tell its version: {error.reason}")
        else:
            found += [] if is_version(version, to) else [f"{unit.address} runs {version}"]
    return found
