"""``probe_unlinked``: the cluster of a site that leaves, deleted there first, and seen to stay everywhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geoplan.live.findings.clusters import addresses_before
from geoplan.live.findings.leaving import shown_at
from geoplan.push import records as models
from geoplan.push.actions.change import Again, find_unit, until_done
from geoplan.push.actions.leaving import (
    active_units,
    clusters_of,
    delete,
    holders,
    left_alone,
    others_of,
    part_of,
    require_told,
)
from geoplan.push.actions.probe_by_adding import first_deleted, try_by_adding, try_own_again
from geoplan.push.change_progress import renewed_units
from geoplan.push.context import StepError
from geoplan.push.deletions import lacks_probe
from geoplan.push.outcome import Outcome, StepState
from geoplan.wording import count, some_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from geoplan.plan.model import SiteSettings, Step
    from geoplan.push.context import Context


async def probe_unlinked(context: Context, step: Step) -> Outcome:
    """Delete a leaving site's own cluster there, and see for the time of a replication that all others keep it.

    Raises :class:`StepError` where one has lost it: a link is alive, and nothing more is deleted.
    """
    if left := await left_alone(context, step, wholly=True):
        return left
    if unlinked(context, step.site):
        ended = Outcome(StepState.RECORDED, None, "the journal has it")
    else:
        ended = await until_done(context, step, _try_probe)
    if step.site in part_of(context, step).keeps:  # it was there before the join that is undone
        await until_done(context, step, try_own_again)
    return ended


def unlinked(context: Context, site: str) -> models.Unlinked | None:
    """Return what says that deletions do not travel from a site, or None where nothing does."""
    found = (record for record in reversed(context.history.records) if isinstance(record, models.Unlinked))
    return next((record for record in found if record.site == site), None)


class _Probe(NamedTuple):
    """A cluster that is deleted on one unit, the sites that are to keep it, and those of their units that have it."""

    unit: str
    others: tuple[SiteSettings, ...]
    having: frozenset[str]


async def _try_probe(context: Context, step: Step) -> Outcome | Again:
    unit = await find_unit(context, step)
    part, plan = part_of(context, step), context.plan
    others = others_of(context, part)
    having, told = await holders(context, others, step.site)
    require_told(step, told, "clusters")
    sent = first_deleted(context, step)
    new = {unit for name in part.stay for unit in renewed_units(plan, plan.site(name))} - having  # it had nothing yet
    staying = {each.address for name in part.stay for each in plan.site(name).units} & told.told.keys() - new
    if not having & staying and not (sent and staying & set(sent.also_on or ())):
        return await try_by_adding(context, step, unit, others)
    expected = staying | set((sent and sent.also_on) or ())
    if lost := (expected - having) & told.told.keys():
        raise _alive(context, step, unit.address, lost) if sent else _differing(step, lost)
    own = shown_at(addresses_before(plan, step.site), await clusters_of(step, unit))
    if own is None and sent is None:  # somebody deleted it there: neither that nor a wait shows anything
        raise _no_probe(context, step, unit.address)
    if own is not None and (again := await delete(context, step, unit, own, having)):
        return again
    await _hold(context, step, _Probe(unit.address, others, having))
    active = (*await active_units(context, step, others), unit.address)
    context.record("unlinked", step, unit.address, active=active)
    return Outcome(StepState.DONE, unit.address, f"deleted there, and kept by {count(len(having), 'other unit')}")


async def _hold(context: Context, step: Step, probe: _Probe) -> None:
    """Look again and again for the time of a replication whether all others keep the cluster."""
    seconds = context.timings.replication_seconds
    silent: dict[str, str] = {}

    async def look() -> frozenset[str] | None:
        now, told = await holders(context, probe.others, step.site)
        silent.clear()
        silent.update({address: why for address, why in told.silent.items() if address in probe.having})
        return (probe.having & told.told.keys()) - now or None

    telling = context.reporter.waiting(step, "looking whether all others keep its cluster", probe.unit)
    every = max(context.timings.poll_seconds, min(5.0, seconds / 10))
    if lost := await context.until(look, within=seconds, every=every, on_wait=telling):
        raise _alive(context, step, probe.unit, lost)
    for address, why in silent.items():
        message = f"it does not tell whether it still has the cluster, and without that nothing is deleted: {why}"
        raise StepError(step, message, unit=address, hint=f"bring {address} up, then go on, which looks again")


def _alive(context: Context, step: Step, unit: str, lost: Collection[str]) -> StepError:
    where, sent = sorted(lost), first_deleted(context, step)
    planned = context.plan.change.old_cluster(step.site) if context.plan.change else None
    address = planned.address if planned else ""  # as others know it: on itself a pair shows another one
    message = (
        f"a link is alive: its own cluster was deleted on {unit} as a probe, and {some_of(where)} lost it, too; "
        "nothing more is deleted"
    )
    cluster = f"'{sent.name}', address {address}, type {sent.type}" if sent else "its cluster"
    if sent and sent.latitude is not None:
        cluster += f", latitude {sent.latitude}, longitude {sent.longitude}"
    hint = (
        f"add the cluster again on {where[0]} or whichever unit of its pair is active ({cluster}); submit "
        f"GEO LoadMaster Partners again on both units of each pair, each while it is active, which cuts the link; "
        "then go on, which probes again"
    )
    return StepError(step, message, unit=unit, hint=hint)


def _no_probe(context: Context, step: Step, unit: str) -> StepError:
    change = context.plan.change
    message, hint = lacks_probe(change.old_cluster(step.site) if change else None)
    return StepError(step, message, unit=unit, hint=f"{hint}, then go on, which probes with it")


def _differing(step: Step, lost: Collection[str]) -> StepError:
    message = f"{some_of(sorted(lost))} lack the cluster of '{step.site}' already, so it proves nothing to delete it"
    hint = "see that those that stay share one GEO configuration (GEO Partners Status), then go on"
    return StepError(step, message, unit=min(lost), hint=hint)
