"""HA parameters of pairs at work that a change makes others: which units hold them already, and which not."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geoplan import vendor
from geoplan.addresses import canonical
from geoplan.live.findings import Difference, Kind, Mend
from geoplan.live.model import HA_SUBJECT
from geoplan.loadmaster.model import HaRequest
from geoplan.plan.ha_change import PREFERRED, new_partner_of
from geoplan.plan.model import Action

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from geoplan.live.model import HaFacts, Observations
    from geoplan.plan.ha_values import HaChange, HaValues
    from geoplan.plan.model import Plan, SiteSettings

Value = bool | int


class Parameter(NamedTuple):
    """One HA parameter that both units of a pair hold alike."""

    name: str
    held: Callable[[HaFacts], Value | None]
    """What a unit tells of it; None where it does not."""
    planned: Callable[[HaValues], Value]
    request: Callable[[str, Value], HaRequest]
    """Returns what sets it, beside the partner."""
    shown: Callable[[Value], str]


PARAMETERS: Mapping[Action, Parameter] = {
    Action.SET_PREFERRED_HOST: Parameter(
        vendor.PREFERRED_SERVER,
        lambda found: found.prefers_master,
        lambda values: values.preferred_host == "master",
        lambda partner, value: HaRequest(partner, prefers_master=bool(value)),
        lambda value: PREFERRED["master" if value else "none"],
    ),
    Action.SET_ALL_INTERFACES: Parameter(
        vendor.ALL_INTERFACES,
        lambda found: bool(found.all_interfaces),  # units leave it out where it is off
        lambda values: bool(values.all_interfaces),
        lambda partner, value: HaRequest(partner, all_interfaces=bool(value)),
        lambda value: "on" if value else "off",
    ),
    Action.SET_HEALTH_CHECK_PORT: Parameter(
        vendor.HEALTH_CHECK_PORT,
        lambda found: found.health_check_port,
        lambda values: values.health_check_port,
        lambda partner, value: HaRequest(partner, health_check_port=int(value)),
        str,
    ),
}
"""By the action that changes it."""


def changed_parameters(change: HaChange) -> Iterator[Parameter]:
    """Yield the parameters of a pair that a change makes others."""
    yield from (PARAMETERS[action] for action in change.actions if action in PARAMETERS)


def ha_change_differences(plan: Plan, site: SiteSettings, facts: Observations) -> Iterator[Difference]:
    """Yield what the units of a pair still hold as it was before a change. What is not told differs from nothing."""
    change = plan.ha_change(site.name)
    if change is None:
        return
    for unit in facts.of_site(site.name):
        for parameter in changed_parameters(change):
            held, wanted = parameter.held(unit.ha) if unit.ha else None, parameter.planned(change.after)
            if held in (None, wanted):
                continue
            message = f"{unit.address}: its {parameter.name} is {parameter.shown(held)}, "
            message += f"where {parameter.shown(wanted)} is planned"
            yield Difference(site.name, unit.address, Kind.DIFFERENT, HA_SUBJECT, message, (parameter.name,), Mend.STEP)


def pairs_left_to_change(plan: Plan, facts: Observations) -> tuple[str, ...]:
    """Return the pairs with a unit that was not seen to hold what a change makes of its HA parameters, in order."""
    sites = dict.fromkeys(step.site for step in plan.steps if step.action in PARAMETERS)
    left = [site for site in sites if not _is_changed(plan, site, facts)]
    joining = dict.fromkeys(step.site for step in plan.steps if step.action is Action.SET_HA_PARTNER)
    return (*left, *(site for site in joining if not _has_new_partner(plan, site, facts)))


def _is_changed(plan: Plan, site: str, facts: Observations) -> bool:
    change = plan.ha_change(site)
    return change is None or all(
        unit.ha is not None and parameter.held(unit.ha) == parameter.planned(change.after)
        for unit in facts.of_site(site)
        for parameter in changed_parameters(change)
    )


def _has_new_partner(plan: Plan, site: str, facts: Observations) -> bool:
    found = new_partner_of(plan, site)
    unit = facts.unit(found.stays) if found else None
    return bool(found and unit and unit.ha and canonical(unit.ha.partner or "") == canonical(found.comes))


def are_ports_apart(change: HaChange | None, held: Iterable[HaFacts | None]) -> bool:
    """Return whether one unit of a pair has its new health check port, and the other still the old one."""
    if change is None or Action.SET_HEALTH_CHECK_PORT not in change.actions:
        return False
    ports = {found.health_check_port for found in held if found}
    return ports == {change.before.health_check_port, change.after.health_check_port}


def pairs_with_ports_apart(plan: Plan, facts: Observations) -> frozenset[str]:
    """Return the pairs that a change of the health check port has left half done: they are mended by its own step."""
    return frozenset(
        change.site
        for change in plan.ha_changes
        if are_ports_apart(change, [unit.ha for unit in facts.of_site(change.site)])
    )
