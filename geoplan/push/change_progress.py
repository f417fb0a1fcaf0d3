"""How far a change has come: which of its units are new boxes, what is left of it, and what a resumed push has done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.live.findings.ha_changes import pairs_left_to_change
from geoplan.live.findings.leaving import clusters_to_delete
from geoplan.plan.actions import DELETIONS
from geoplan.plan.model import Action
from geoplan.push import records as models
from geoplan.push.outcome import StepState

if TYPE_CHECKING:
    from collections.abc import Collection

    from geoplan.live.model import Observations
    from geoplan.plan.model import Plan, SiteSettings
    from geoplan.push.history import History
    from geoplan.push.ledger import Ledger

_JOINING = frozenset({Action.SET_GEO_PARTNERS, Action.SET_REMOTE_GEO_ACCESS, Action.SEED_GEO_CONFIGURATION})
_LEAVING = frozenset({Action.REMOVE_GEO_PARTNERS, Action.REMOVE_REMOTE_GEO_ACCESS, Action.VERIFY_UNLINKED}) | DELETIONS
_ENDED_WELL = frozenset({StepState.DONE, StepState.IN_PLACE, StepState.RECORDED, StepState.LEFT_OUT})


def renewed_units(plan: Plan, site: SiteSettings) -> frozenset[str]:
    """Return the units of a site that are new: at another address, or replaced where they were."""
    change = plan.change
    old = change.old_site(site.name) if change else None
    if change is None or old is None:
        return frozenset()
    before = {canonical(unit.address) for unit in old.units}
    replaced = {canonical(address) for address in change.replaced}
    units = [unit.address for unit in site.units]
    return frozenset(unit for unit in units if canonical(unit) in replaced or canonical(unit) not in before)


def pairs_to_join(plan: Plan) -> frozenset[str]:
    """Return the pairs that get a new unit: what is wrong with them now is waited for, by a step of its own."""
    return frozenset(step.site for step in plan.steps if step.action is Action.JOIN_HA_PAIR)


def units_to_renew(plan: Plan, ledger: Ledger, resumed: History | None = None) -> frozenset[str]:
    """Return the units that a push takes for new boxes: what is proven of those before them is void then.

    At another address a box is new once: where an earlier push has proven it, it is as any other. A push that is
    resumed has said it when it began.
    """
    if resumed is not None:
        return resumed.renewed
    found: set[str] = set()
    for site in plan.sites:
        units = renewed_units(plan, site)
        named = {canonical(address) for address in plan.change.replaced} if plan.change else set()
        is_said = any(canonical(unit) in named for unit in units)
        if is_said or site.kind != "ha_pair" or not ledger.is_proven_since_renewed(site, units):
            found |= {canonical(unit) for unit in units}
    return frozenset(found)


def pairs_with(renewed: Collection[str], plan: Plan) -> frozenset[str]:
    """Return the pairs whose new unit a push takes for a new box; ``renewed`` are such units, in one spelling."""
    pairs = map(plan.site, pairs_to_join(plan))
    return frozenset(site.name for site in pairs if any(canonical(unit.address) in renewed for unit in site.units))


def is_left_to_change(plan: Plan, facts: Observations, renewed: Collection[str]) -> bool:
    """Return whether a change has something to do that no comparison of lists and clusters shows: what is to go.

    ``renewed`` are the units that it takes for new boxes.
    """
    change = plan.change
    if change is None:
        return False
    if pairs_left_to_change(plan, facts):
        return True
    for step in plan.steps:
        unit, old = facts.active(step.on.site), change.old_cluster(step.site)
        is_cleaned = step.action is Action.DELETE_OTHER_CLUSTERS and step.site in change.leaving
        if unit and is_cleaned and clusters_to_delete(plan, step, unit.clusters or ()):
            return True
        if step.action not in (Action.DELETE_CLUSTER, Action.PROBE_UNLINKED):
            continue
        if unit and old and any(canonical(each.address) == canonical(old.address) for each in unit.clusters or ()):
            return True
    return bool(pairs_with(renewed, plan))


def steps_left_behind(plan: Plan, history: History) -> frozenset[str]:
    """Return the steps of a leave that a push which is resumed has ended before it began what comes after them.

    A site that leaves one group for another has the new partners by now: to take off again what is on its lists would
    undo that.
    """
    if plan.change is None:
        return frozenset()
    steps = {step.id: step for step in plan.steps}
    begun = [record.step for record in history.records if isinstance(record, models.Changing | models.Seeding)]
    to_see = [name for name in dict.fromkeys(begun) if name in steps and steps[name].action in _JOINING]
    before: set[str] = set()
    while to_see:
        fresh = [name for name in steps[to_see.pop()].after if name not in before]
        before.update(fresh)
        to_see += fresh
    return frozenset(
        name for name in before if steps[name].action in _LEAVING and history.step_states.get(name) in _ENDED_WELL
    )
