"""When a push may delete a cluster: once nothing links who leaves with who stays, and a probe has shown it."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from geoplan.addresses import canonical
from geoplan.live.findings.clusters import addresses_before
from geoplan.live.findings.leaving import shown_at, unlike_before
from geoplan.live.model import ClusterType, GeoCluster
from geoplan.plan.model import Action
from geoplan.push import records as models
from geoplan.push import values
from geoplan.push.outcome import StepState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from geoplan.live.model import Observations
    from geoplan.plan.model import ClusterDefinition, LeavingPart, Plan
    from geoplan.push.history import History


class Lists(NamedTuple):
    """What both lists of a unit were seen to hold in this push; None for one that it did not tell."""

    held: tuple[tuple[str, ...] | None, ...]
    has_refused: bool
    """Whether it explicitly refuses reads as a standby, and has for the full time of a replication."""


def deletion_fault(plan: Plan, history: History, unit: str, cluster: str, sights: Mapping[str, Lists]) -> str | None:
    """Return why a cluster must not be deleted on a unit now, or None where it may be.

    ``sights`` are by the addresses of all units.
    """
    record = _last_change(history, unit)
    before = record.before if isinstance(record, models.Changing) and record.after is None else None
    if record is None or not isinstance(before, values.ClusterValue) or canonical(before.address) != canonical(cluster):
        return "the journal does not have it"
    if fault := unlike_before(plan, GeoCluster(before.address, before.name, ClusterType(before.type))):
        return fault
    host = next(site.name for site in plan.sites if any(each.address == unit for each in site.units))
    part = plan.change.departure_of(record.site) if plan.change else None
    if part is None:  # its cluster at an address that it does not have any more
        return None if record.action is Action.DELETE_CLUSTER else "the plan does not have it"
    is_leaver = host in part.sites
    if is_leaver is (record.action is Action.DELETE_CLUSTER):
        return "it would be gone from a group's last site" if is_leaver else "it is no cluster of who stays"
    for site, other in (*product(part.sites, part.others), *product(part.others, part.sites)):
        may_be_silent = site not in part.stay and not (is_leaver and site in part.sites) and _leaves(plan, site)
        if fault := _not_without(plan, site, other, sights, may_be_silent=may_be_silent):
            return fault
    if record.action is Action.PROBE_UNLINKED:
        return None
    return _unproved(plan, history, part, record)


def _last_change(history: History, unit: str) -> models.Changing | None:
    """Return the last record about a change of a unit, where it is one of a change that is about to be sent."""
    changes = models.Changing | models.Resubmitting | models.Rebooting | models.Changed
    found = (record for record in reversed(history.records) if isinstance(record, changes))
    last = next((record for record in found if canonical(record.unit) == canonical(unit)), None)
    return last if isinstance(last, models.Changing) else None


def _leaves(plan: Plan, site: str) -> bool:
    return plan.change is not None and site in plan.change.leaving


def _not_without(plan: Plan, site: str, other: str, sights: Mapping[str, Lists], *, may_be_silent: bool) -> str | None:
    """Return which unit of a site was not seen with lists that do not name another site."""
    unwanted = addresses_before(plan, other)
    for unit in plan.site(site).units:
        seen = sights[unit.address]
        if any(canonical(address) in unwanted for held in seen.held for address in held or ()):
            return f"{unit.address} still lists a unit of '{other}'"
        if None in seen.held and not seen.has_refused and not may_be_silent:
            return f"the lists of {unit.address} were not seen without '{other}'"
    return None


def _unproved(plan: Plan, history: History, part: LeavingPart, record: models.Changing) -> str | None:
    is_of_all = record.action is Action.DELETE_OTHER_CLUSTERS
    sites: Iterable[str] = part.sites if is_of_all else (record.site,)
    for site in sites:
        # Who leaves and does not answer is left alone: its cluster goes on those that stay alone.
        ended = {StepState.NOT_NEEDED.value} | ({StepState.LEFT_OUT.value} if _leaves(plan, site) else set())
        if not is_proved(history, site) and (is_of_all or probe_state(plan, history, site) not in ended):
            return f"no probe has held at '{site}'"
    return None


def is_proved(history: History, site: str) -> bool:
    """Return whether a probe has shown that no deletion travels from a site."""
    return any(isinstance(record, models.Unlinked) and record.site == site for record in history.records)


def probe_state(plan: Plan, history: History, site: str) -> str | None:
    """Return how the probe at a site ended last, or None where it has not."""
    probes = (step for step in plan.steps if step.action is Action.PROBE_UNLINKED and step.site == site)
    return next((state for step in probes if (state := history.step_states.get(step.id))), None)


def without_probe(plan: Plan, facts: Observations) -> Iterator[tuple[str, ClusterDefinition]]:
    """Yield who leaves without its own cluster although those that stay have that: it is what a leave is probed with.

    Each is the active unit of its site, with the cluster as others know it.
    """
    change = plan.change
    for step in plan.steps:
        part = change.part_of(step.site) if change and step.action is Action.PROBE_UNLINKED else None
        unit, own = facts.active(step.site), change.old_cluster(step.site) if change else None
        if part is None or own is None or unit is None or unit.clusters is None:
            continue
        known = addresses_before(plan, step.site)
        staying = [found for name in part.stay if (found := facts.active(name))]
        if not shown_at(known, unit.clusters) and any(shown_at(known, each.clusters or ()) for each in staying):
            yield unit.address, own


def lacks_probe(own: ClusterDefinition | None) -> tuple[str, str]:
    """Say that a site that leaves lacks its own cluster, and what to do."""
    cluster = f"the cluster '{own.name}' ({own.address})" if own else "its own cluster"
    message = f"it leaves and lacks {cluster}: without that nothing shows whether deletions travel from it"
    return message, f"add {cluster} by hand there, of type Remote LM"
