"""``delete_cluster``: the cluster of a site that has left, deleted once for all that stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.live.findings.leaving import clusters_to_delete
from geoplan.push.actions.change import Again, find_unit, until_done
from geoplan.push.actions.leaving import clusters_of, delete, holders, require_told
from geoplan.push.context import StepError
from geoplan.push.deletions import is_proved, probe_state
from geoplan.push.outcome import Outcome, StepState
from geoplan.wording import some_of

if TYPE_CHECKING:
    from geoplan.plan.model import SiteSettings, Step
    from geoplan.push.context import Context


async def delete_cluster(context: Context, step: Step) -> Outcome:
    """Delete a site's former cluster on the first site that stays, and see it gone on the others."""
    part = context.plan.change.departure_of(step.site) if context.plan.change else None
    if part and step.on.site in part.sites:
        raise StepError(step, "this would delete the cluster of a group's last site, which never happens")
    if part and step.site not in context.left_alone and not _is_proved(context, step.site):
        message = f"nothing has proved that deletions do not travel from '{step.site}'"
        raise StepError(step, message, hint="go on, which probes it first")
    return await until_done(context, step, _try_deletion)


def _is_proved(context: Context, site: str) -> bool:
    """Return whether the probe at a site has held, or there was nothing to probe with and is nothing to delete."""
    state = probe_state(context.plan, context.history, site)
    return is_proved(context.history, site) or state == StepState.NOT_NEEDED.value


def _staying(context: Context, step: Step) -> list[SiteSettings]:
    """Return the sites from which it goes: those that stay, or all of a group that is still one."""
    part = context.plan.change.part_of(step.site) if context.plan.change else None
    host = context.plan.site(step.on.site)
    names = part.stay or (*part.sites, *part.others) if part else ()
    return [context.plan.site(name) for name in names] or list(context.plan.sites_of(host.group))


async def _try_deletion(context: Context, step: Step) -> Outcome | Again:
    unit = await find_unit(context, step)
    staying = _staying(context, step)
    having, told = await holders(context, staying, step.site)
    require_told(step, told, "clusters")
    going = clusters_to_delete(context.plan, step, await clusters_of(step, unit))
    for cluster in going:
        if again := await delete(context, step, unit, cluster, having):
            return again
    await _until_gone(context, step, staying)
    if not going:
        return Outcome(StepState.IN_PLACE, unit.address, "it was not there any more")
    return Outcome(StepState.DONE, unit.address, f"'{going[0].name}' deleted, and seen gone on all that stay")


async def _until_gone(context: Context, step: Step, staying: list[SiteSettings]) -> None:
    seen: list[str] = []

    async def look() -> bool | None:
        told = (await holders(context, staying, step.site))[1]
        seen[:] = [address for address, live in told.told.items() if clusters_to_delete(context.plan, step, live)]
        return None if seen or told.silent else True

    telling = context.reporter.waiting(step, "waiting until it is gone on all that stay")
    every = max(context.timings.poll_seconds, 1.0)
    if not await context.until(look, within=context.timings.replication_deadline, every=every, on_wait=telling):
        message = f"it is deleted, and {some_of(seen) or 'units that do not answer'} may still have it"
        raise StepError(step, message, hint="see that those that stay see each other green, then go on")
