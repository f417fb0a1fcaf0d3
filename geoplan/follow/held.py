"""Steps that are seen by what units hold: lists, clusters, HA parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.addresses import canonical, same_addresses, without
from geoplan.follow.model import StepState, StepStatus
from geoplan.live.activity import AT_WORK
from geoplan.live.findings.clusters import ClusterState, addresses_before, state_of
from geoplan.live.findings.pairs import SINGLE, drifts, is_by_name, untold
from geoplan.live.model import LIST_NAMES, State
from geoplan.plan.model import Action
from geoplan.wording import some_of

if TYPE_CHECKING:
    from geoplan.follow.model import Look, Progress
    from geoplan.live.model import Observation, Subject
    from geoplan.plan.model import Plan, Step

_LISTS: dict[Action, Subject] = {
    Action.SET_REMOTE_GEO_ACCESS: "remote_geo_access",
    Action.REMOVE_REMOTE_GEO_ACCESS: "remote_geo_access",
    Action.SET_GEO_PARTNERS: "geo_partners",
    Action.REMOVE_GEO_PARTNERS: "geo_partners",
}
_CLUSTERS = frozenset({Action.ADD_CLUSTER, Action.MODIFY_CLUSTER, Action.DELETE_CLUSTER})


def status_of_held(plan: Plan, step: Step, progress: Progress, look: Look, *, is_due: bool) -> StepStatus:
    """Return how a step stands by what its unit holds now; what is not told leaves it as it was."""
    before = progress.status(step.id)
    if step.action is Action.VERIFY_HA_PAIR:
        return _of_pair(step, look, before, is_due=is_due)
    unit = _unit_of(plan, step, look)
    if unit is None or unit.failure is not None or (unit.state is State.DOWN and unit.ha is None):
        return before
    if step.action in _LISTS:
        found = _of_list(plan, step, unit, progress, before)
    elif step.action in _CLUSTERS:
        found = _of_cluster(plan, step, unit)
    else:
        found = _of_ha(plan, step, unit)
    if found is not None:
        return found
    if before.state is StepState.OPEN and is_due:
        return StepStatus(StepState.ASKS, f"{unit.address} does not tell what would show it: tick step {step.number}")
    return before


def _unit_of(plan: Plan, step: Step, look: Look) -> Observation | None:
    """Return the unit that a step is done on, or None where nobody knows which that is now."""
    if step.on.unit in ("master", "slave"):
        return look.facts.unit(plan.site(step.on.site).units[0 if step.on.unit == "master" else 1].address)
    return look.facts.active(step.on.site)


def _of_list(plan: Plan, step: Step, unit: Observation, progress: Progress, before: StepStatus) -> StepStatus | None:
    subject = _LISTS[step.action]
    held: tuple[str, ...] | None = getattr(unit, subject)
    if held is None:
        return None
    wanted, final = plan.values(step), getattr(plan.site(step.site), subject)
    if same_addresses(held, wanted) or same_addresses(held, final):
        return StepStatus(StepState.DONE, f"{unit.address} holds the {LIST_NAMES[subject]} of the plan")
    first = progress.first.get(step.site)
    untouched = (getattr(first, subject) if first else None, _interim(plan, step, subject))
    is_untouched = any(list_ is not None and same_addresses(held, list_) for list_ in untouched)
    said = _difference(unit.address, LIST_NAMES[subject], held, wanted)
    return StepStatus(StepState.WRONG if before.is_done or not is_untouched else StepState.OPEN, said)


def _interim(plan: Plan, step: Step, subject: Subject) -> tuple[str, ...] | None:
    lists = plan.change.interim_lists(step.site) if plan.change else None
    return getattr(lists, subject) if lists else None


def _difference(unit: str, name: str, held: tuple[str, ...], wanted: tuple[str, ...]) -> str:
    if not held:
        return f"the {name} of {unit} is empty"
    missing, extra = without(wanted, held), without(held, wanted)
    parts = [f"lacks {some_of(missing)}"] if missing else []
    parts += [f"has {some_of(extra)}, which the plan does not have"] if extra else []
    return f"the {name} of {unit} {' and '.join(parts)}"


def _of_cluster(plan: Plan, step: Step, unit: Observation) -> StepStatus | None:
    if unit.clusters is None:
        return None
    if step.action is Action.DELETE_CLUSTER:
        addresses = addresses_before(plan, step.site)
        shown = [cluster.name for cluster in unit.clusters if canonical(cluster.address) in addresses]
        if shown:
            return StepStatus(StepState.OPEN, f"{unit.address} has the cluster '{shown[0]}'")
        return StepStatus(StepState.DONE, f"{unit.address} has no such cluster")
    cluster = plan.cluster(step.site)
    state = state_of(plan, cluster, unit.clusters)
    if state is ClusterState.IN_PLACE:
        return StepStatus(StepState.DONE, f"{unit.address} has the cluster '{cluster.name}' ({cluster.address})")
    said = f"the cluster '{cluster.name}' ({cluster.address}) on {unit.address}: {state}"
    is_begun = state not in (ClusterState.MISSING, ClusterState.UNFINISHED) and step.action is Action.ADD_CLUSTER
    return StepStatus(StepState.WRONG if is_begun else StepState.OPEN, said)


def _of_ha(plan: Plan, step: Step, unit: Observation) -> StepStatus | None:
    if unit.ha is None or unit.ha.mode is None:
        return None
    pair = plan.ha_pair(step.site)
    found = list(drifts(unit.ha, pair.master if step.action is Action.SET_MASTER_HA_PARAMETERS else pair.slave))
    if not found:
        if untold(unit.ha) or is_by_name(unit.ha) or unit.ha.prefers_master is None:
            return None  # what is not told differs from nothing, and proves nothing
        return StepStatus(StepState.DONE, f"{unit.address} has the HA parameters of the plan")
    is_unset = any(drift.name == "HA mode" or drift.is_unset for drift in found)
    return StepStatus(StepState.OPEN if is_unset else StepState.WRONG, f"{unit.address}: {found[0]}")


def _of_pair(step: Step, look: Look, before: StepStatus, *, is_due: bool) -> StepStatus:
    units = look.facts.of_site(step.site)
    if before.is_done or not is_due:
        return before
    if sorted(unit.state for unit in units if unit.state) == AT_WORK:
        return StepStatus(StepState.DONE, "one unit is active, the other its standby")
    said = "; ".join(f"{unit.address} {unit.condition}" for unit in units)
    if any(unit.failure is None and not _tells_who_it_is(unit) for unit in units):
        said = f"{said}: tick step {step.number} if the load balancer sees one unit active, and the other its standby"
        return StepStatus(StepState.ASKS, said)
    return StepStatus(StepState.OPEN, said)


def _tells_who_it_is(unit: Observation) -> bool:
    """Return whether a unit that answers tells its place in its pair: its health check may be open to others alone."""
    return unit.state not in (None, State.UNKNOWN, State.DOWN) or (unit.ha is not None and unit.ha.mode == SINGLE)
