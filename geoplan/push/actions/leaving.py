"""What the steps share that take sites out of a group: who answers, what all units hold, and what is written down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from geoplan.addresses import canonical
from geoplan.errors import UnitError, UnitRefusedError
from geoplan.live.findings import NoteKind
from geoplan.live.findings.clusters import addresses_before
from geoplan.live.findings.leaving import in_use, shown_at, unlike_before, using
from geoplan.live.fleet import answers
from geoplan.live.model import State
from geoplan.push.actions.change import Again, not_applied, read_back, try_change
from geoplan.push.context import StepError
from geoplan.push.outcome import Outcome, StepState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping

    from geoplan.live.model import GeoCluster
    from geoplan.live.unit import Unit
    from geoplan.loadmaster.model import GeoFqdn
    from geoplan.plan.model import LeavingPart, SiteSettings, Step
    from geoplan.push.context import Context

Value = TypeVar("Value")


def part_of(context: Context, step: Step) -> LeavingPart:
    """Return the part of a group that a step takes out of it. Raises :class:`StepError` where the plan has none."""
    part = context.plan.change.part_of(step.site) if context.plan.change else None
    if part is None:
        raise StepError(step, "the plan does not say what it leaves")
    return part


def others_of(context: Context, part: LeavingPart) -> tuple[SiteSettings, ...]:
    """Return the sites that a part leaves, but those that leave, too, and were left alone."""
    return tuple(context.plan.site(name) for name in part.others if name not in context.left_alone)


def leaves_for_good(context: Context, site: str) -> bool:
    """Return whether a site is in no group any more."""
    return context.plan.change is not None and site in context.plan.change.leaving


async def left_alone(context: Context, step: Step, *, wholly: bool = False) -> Outcome | None:
    """Return how a step ends at a site that leaves for good and does not answer; None where it is to be done.

    With ``wholly`` every unit of the site has to answer, else one is enough. Who did not answer once in a push is not
    asked again by it.
    """
    site = context.plan.site(step.site)
    if not leaves_for_good(context, site.name):
        return None
    if site.name not in context.left_alone:
        up = [await answers(context.fleet.unit(unit.address)) for unit in site.units]
        silent = [unit.address for unit, is_up in zip(site.units, up, strict=True) if not is_up]
        if not silent or (len(silent) < len(up) and not wholly):
            return None
        context.left_alone[site.name] = silent[0]
    unit = context.left_alone[site.name]
    return Outcome(StepState.LEFT_OUT, unit, f"{unit} leaves and does not answer: it is left alone")


# -- what all units of some sites hold ---------------------------------------------------------------------------------


@dataclass
class Told(Generic[Value]):
    """What each unit told, by its address, and who did not."""

    told: dict[str, Value] = field(default_factory=dict)
    refusing: dict[str, str] = field(default_factory=dict)
    """The standbys that explicitly refuse to tell, each with what it said: they have what their active unit has."""
    silent: dict[str, str] = field(default_factory=dict)
    """Those that gave no answer that tells anything, each with the reason."""


async def ask_units(
    context: Context, sites: Iterable[SiteSettings], read: Callable[[Unit], Awaitable[Value]]
) -> Told[Value]:
    """Ask every unit of some sites; a refusal counts of a standby alone, as before a reboot."""
    found: Told[Value] = Told()

    async def ask(asked: tuple[SiteSettings, str]) -> None:
        site, address = asked
        unit = context.fleet.unit(address)
        try:
            found.told[address] = await read(unit)
        except UnitRefusedError as error:
            looks = await context.fleet.look(site, is_last=True) if site.kind == "ha_pair" else {}
            is_standby = address in looks and looks[address].health is State.STANDBY
            (found.refusing if unit.is_trusted and is_standby else found.silent)[address] = error.reason
        except UnitError as error:
            found.silent[address] = error.reason

    await context.fleet.ask_each([(site, unit.address) for site in sites for unit in site.units], ask)
    return found


def require_told(step: Step, found: Told[Value], what: str) -> None:
    """Stop where a unit does not tell what it holds: nothing is deleted then."""
    for address, reason in found.silent.items():
        message = f"it does not tell its {what}, and without that nothing is deleted: {reason}"
        raise StepError(step, message, unit=address, hint=f"bring {address} up, then go on")


async def active_units(context: Context, step: Step, sites: Iterable[SiteSettings]) -> tuple[str, ...]:
    """Return the one active unit of each site. Raises :class:`StepError` where a site has not exactly one."""
    found = []
    for site in sites:
        active = [unit.address for unit in site.units if await context.fleet.is_active_now(site, unit.address)]
        if len(active) != 1:
            hint = "see that one unit of the pair is active and the other its standby, then go on"
            raise StepError(step, f"'{site.name}' has not exactly one active unit", hint=hint)
        found += active
    return tuple(found)


# -- one deletion ------------------------------------------------------------------------------------------------------


async def clusters_of(step: Step, unit: Unit) -> tuple[GeoCluster, ...]:
    """Read a unit's clusters. Raises :class:`StepError` where it does not tell them."""
    try:
        return await unit.clusters()
    except UnitError as error:
        raise StepError(step, f"its clusters cannot be read: {error.reason}", unit=unit.address) from None


async def fqdns_of(
    context: Context, step: Step, unit: Unit, clusters: Collection[GeoCluster]
) -> tuple[GeoFqdn, ...] | None:
    """Read a unit's FQDNs with their maps just before clusters are deleted there.

    Raises :class:`StepError` where one uses a cluster, or they cannot be read, unless the operator accepts that.
    """
    accepts = context.options.accept_fqdn_loss
    try:
        fqdns = await unit.fqdn_maps()
    except UnitError as error:
        if accepts:
            return None
        message = f"it does not tell which clusters its FQDNs use, so none is deleted: {error.reason}"
        hint = "see that it answers, then go on; or give --accept-fqdn-loss"
        raise StepError(step, message, unit=unit.address, hint=hint) from None
    for cluster in clusters:
        if not accepts and (names := using(fqdns, cluster)):
            hint = "give its maps another cluster, then go on; or give --accept-fqdn-loss"
            raise StepError(step, in_use(cluster, names), unit=unit.address, hint=hint)
    return fqdns


async def delete(
    context: Context, step: Step, unit: Unit, cluster: GeoCluster, also_on: Collection[str]
) -> Again | None:
    """Record a cluster with all that uses it, look, delete it on the site's active unit, and see it gone there.

    Return None once it is gone. ``also_on`` are the units of others that have it just before.
    """
    if fault := unlike_before(context.plan, cluster):
        message = f"the cluster at {cluster.address} is not the one to delete: {fault}"
        raise StepError(step, message, unit=unit.address, hint="find out who changed it, then go on")
    fqdns = await fqdns_of(context, step, unit, [cluster])
    before = {
        **cluster.definition,
        "checker": cluster.checker,
        "enabled": cluster.enabled,
        "fqdns": None if fqdns is None else [_written(fqdn) for fqdn in fqdns],
        "also_on": sorted(also_on),
    }
    action, site = step.action.value, context.plan.site(step.on.site)
    context.record("changing", step, unit.address, action=action, what="cluster", before=before, after=None)
    if not await context.fleet.is_active_now(site, unit.address):
        return Again("the other unit took over meanwhile", unit.address)
    problem = await try_change(unit.delete_cluster(cluster.address))
    after = await read_back(step, unit, unit.clusters, problem)
    if not await context.fleet.is_active_now(site, unit.address):
        message = f"{unit.address}: '{cluster.name}' was deleted while the other unit took over; looking there"
        context.note(NoteKind.TOOK_OVER, message, site=site.name, unit=unit.address)
        return Again("the other unit took over meanwhile", unit.address)
    if shown_at({canonical(cluster.address)}, after):
        failure = not_applied(step, unit, problem, f"the cluster '{cluster.name}' is there")
        if problem and problem.may_pass:
            return Again(str(failure), unit.address)
        raise failure
    context.record("changed", step, unit.address, action=action)
    return None


def _written(fqdn: GeoFqdn) -> Mapping[str, object]:
    return {"name": fqdn.name, "maps": [[each.address, each.cluster] for each in fqdn.maps]}


async def holders(
    context: Context, sites: Iterable[SiteSettings], of: str
) -> tuple[frozenset[str], Told[tuple[GeoCluster, ...]]]:
    """Return the units of some sites that have the cluster of a site, and what all of them told."""
    found = await ask_units(context, sites, lambda unit: unit.clusters())
    known = addresses_before(context.plan, of)
    return frozenset(unit for unit, clusters in found.told.items() if shown_at(known, clusters)), found
