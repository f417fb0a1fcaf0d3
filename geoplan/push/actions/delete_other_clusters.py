"""``delete_other_clusters``: what is left on a site that left of the group that it left, deleted one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.errors import UnitError
from geoplan.live.findings.leaving import clusters_to_delete
from geoplan.plan.model import Action
from geoplan.push.actions.change import Again, find_unit, until_done
from geoplan.push.actions.leaving import (
    active_units,
    ask_units,
    clusters_of,
    delete,
    fqdns_of,
    leaves_for_good,
    left_alone,
    others_of,
    part_of,
    require_told,
)
from geoplan.push.actions.probe_unlinked import unlinked
from geoplan.push.context import StepError
from geoplan.push.deletions import is_proved, probe_state
from geoplan.push.outcome import Outcome, StepState
from geoplan.wording import count, some_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geoplan.plan.model import SiteSettings, Step
    from geoplan.push.context import Context

Names = frozenset[str]


async def delete_other_clusters(context: Context, step: Step) -> Outcome:
    """Delete the other sites' clusters where a site has left them, and see after each that those keep theirs.

    A site that goes on in another group keeps them where there are FQDNs: what it is seeded with replaces all of it.
    """
    if left := await left_alone(context, step, wholly=True):
        return left
    if leaves_for_good(context, step.site) and not _can_be_proved(context, step):
        unit = await find_unit(context, step)
        if not clusters_to_delete(context.plan, step, await clusters_of(step, unit)):
            return Outcome(StepState.IN_PLACE, unit.address, "none is there")
        message = "its clusters are left there: its own was not on both sides, so nothing proves that it is apart"
        return Outcome(StepState.LEFT_OUT, None, message)
    if not leaves_for_good(context, step.site) and (names := await _fqdns(context, step)):
        is_seeded = any(
            each.action is Action.SEED_GEO_CONFIGURATION and each.site == step.site for each in context.plan.steps
        )
        why = "what it is seeded with replaces them" if is_seeded else "they are left to you"
        return Outcome(StepState.NOT_NEEDED, None, f"there is the FQDN {names[0]}: {why}")
    return await until_done(context, step, _try_deletions)


def _can_be_proved(context: Context, step: Step) -> bool:
    """Return whether there was a cluster to probe with at each site that goes together, or is nothing to delete."""
    ended = {
        site: probe_state(context.plan, context.history, site)
        for site in part_of(context, step).sites
        if not is_proved(context.history, site)
    }
    return StepState.NOT_NEEDED.value not in ended.values()


async def _fqdns(context: Context, step: Step) -> tuple[str, ...]:
    """Return the FQDNs on either side of a site that goes on in another group."""
    joined = context.plan.change.joined_by(step.site) if context.plan.change else None
    sides = dict.fromkeys((step.site, *((joined.reference,) if joined else ())))
    found: list[str] = []
    for name in sides:
        site = context.plan.site(name)
        for address in await active_units(context, step, [site]):
            try:
                found += await context.fleet.unit(address).fqdns()
            except UnitError as error:
                message = f"its FQDNs cannot be read, so no cluster is deleted: {error.reason}"
                raise StepError(step, message, unit=address) from None
    return tuple(found)


async def _try_deletions(context: Context, step: Step) -> Outcome | Again:
    unit = await find_unit(context, step)
    part = part_of(context, step)
    others = others_of(context, part)
    going = clusters_to_delete(context.plan, step, await clusters_of(step, unit))
    if not going:
        return Outcome(StepState.IN_PLACE, unit.address, "none is there")
    await fqdns_of(context, step, unit, going)
    for cluster in going:
        await _require_proved(context, step, unit.address, others)
        before = await _held(context, step, others)
        if again := await delete(context, step, unit, cluster, [each for each, names in before.items() if names]):
            return again
        _require_kept(step, unit.address, cluster.name, before, await _held(context, step, others))
    await _hold(context, step, unit.address, others, before)
    return Outcome(StepState.DONE, unit.address, f"{count(len(going), 'cluster')} deleted; all others keep theirs")


async def _require_proved(context: Context, step: Step, unit: str, others: tuple[SiteSettings, ...]) -> None:
    """See that the units are active now between which the probes have shown that no deletion travels."""
    proofs = [unlinked(context, site) for site in part_of(context, step).sites]
    now = {unit, *await active_units(context, step, others)}
    for proof in proofs:
        if proof is None:
            message = "nothing has proved that deletions do not travel: its own cluster was not on both sides"
            hint = f"add {_own_clusters(context, step)} by hand, on it and on those that stay, as far as they lack it; "
            hint += "then go on, which probes with it"
            raise StepError(step, message, unit=unit, hint=hint)
        if not now <= set(proof.active):
            message = "nothing has proved that deletions do not travel between the units that are active now"
            hint = "make the units active again that were so at the probe, then go on; or leave these clusters there"
            raise StepError(step, message, unit=unit, hint=hint)


def _own_clusters(context: Context, step: Step) -> str:
    """Name the clusters of the sites that go together, which would be the probe."""
    change, sites = context.plan.change, part_of(context, step).sites
    known = [cluster for site in sites if change and (cluster := change.old_cluster(site))]
    return " and ".join(f"the cluster '{cluster.name}' ({cluster.address})" for cluster in known)


async def _held(context: Context, step: Step, others: tuple[SiteSettings, ...]) -> dict[str, Names]:
    found = await ask_units(context, others, lambda unit: unit.clusters())
    require_told(step, found, "clusters")
    return {address: frozenset(each.name for each in clusters) for address, clusters in found.told.items()}


async def _hold(
    context: Context, step: Step, unit: str, others: tuple[SiteSettings, ...], before: Mapping[str, Names]
) -> None:
    """Look for the time of a replication whether all others keep what they have."""
    seconds = context.timings.replication_seconds

    async def look() -> None:
        _require_kept(step, unit, "the last one", before, await _held(context, step, others))

    telling = context.reporter.waiting(step, "looking whether all others keep their clusters", unit)
    await context.until(look, within=seconds, every=max(context.timings.poll_seconds, seconds / 10), on_wait=telling)


def _require_kept(step: Step, unit: str, deleted: str, before: Mapping[str, Names], now: Mapping[str, Names]) -> None:
    for address, names in before.items():
        if address in now and (lost := names - now[address]):
            message = (
                f"a link is alive: '{deleted}' was deleted on {unit}, and {address} has lost "
                f"{some_of(sorted(lost))} since; nothing more is deleted"
            )
            hint = f"add it again on {address} as the journal has it (geoplan push --status), and cut the link first"
            raise StepError(step, message, unit=unit, hint=hint)
