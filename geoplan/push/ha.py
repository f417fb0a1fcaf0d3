"""HA parameters as units tell them, held against the plan: which pairs are yet to be formed, what is in the way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from geoplan.plan.model import Action
from geoplan.push.addresses import canonical
from geoplan.push.facts import Facts, HaFacts, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.plan.ha_model import HaPairSettings, HaParameters
    from geoplan.plan.model import Plan
    from geoplan.push.facts import UnitFacts

SINGLE = "single"
PREFERRED_SERVER = "Switch to Preferred Server"
ALL_INTERFACES = "Health Check on All Interfaces"


@dataclass(frozen=True, slots=True)
class Deviation:
    """One HA parameter of a unit that is not as planned."""

    name: str
    found: str
    """``unset`` where the unit has none."""
    wanted: str
    is_unset: bool = False

    def __str__(self) -> str:
        return f"its {self.name} is {self.found}, where {self.wanted} is planned"


def planned_pairs(plan: Plan) -> tuple[HaPairSettings, ...]:
    """Return the pairs that the plan forms, and not only describes."""
    formed = {step.site for step in plan.steps if step.action is Action.VERIFY_HA_PAIR}
    return tuple(pair for pair in plan.ha_pairs if pair.site in formed)


def deviations(found: HaFacts, wanted: HaParameters) -> Iterator[Deviation]:
    """Yield what differs from the plan, the mode first."""
    if found.mode != wanted.mode:
        yield Deviation("HA mode", found.mode or "unknown", wanted.mode, found.mode == SINGLE)
    if canonical(found.partner or "") != canonical(wanted.partner):
        yield Deviation("partner", found.partner or "unset", wanted.partner, found.partner is None)
    if found.health_check_port != wanted.health_check_port:
        unset = found.health_check_port is None
        yield Deviation(
            "health check port", str(found.health_check_port or "unset"), str(wanted.health_check_port), unset
        )
    prefers_master = wanted.preferred_host == "master"
    if found.prefers_master is not prefers_master:
        names = {True: "Prefer Master", False: "No Preferred Host", None: "unset"}
        yield Deviation(
            PREFERRED_SERVER,
            names[found.prefers_master],
            names[prefers_master],
            found.prefers_master is None,
        )
    if bool(found.all_interfaces) is not wanted.all_interfaces:
        names = {True: "on", False: "off", None: "off"}
        yield Deviation(ALL_INTERFACES, names[found.all_interfaces], names[wanted.all_interfaces])


def is_to_be_formed(pair: HaPairSettings, facts: Facts) -> bool:
    """Tell whether a pair does not work yet: a unit without a mode, a partner or a health check port."""
    return any(
        unit.ha is not None and (unit.ha.mode == SINGLE or unit.ha.partner is None or unit.ha.health_check_port is None)
        for unit in facts.of_site(pair.site)
    )


def sites_to_form(plan: Plan, facts: Facts) -> frozenset[str]:
    """Return the sites whose pairs this push forms."""
    return frozenset(pair.site for pair in planned_pairs(plan) if is_to_be_formed(pair, facts))


def once_formed(facts: Facts, sites: frozenset[str]) -> Facts:
    """Return the facts as they will be once pairs are formed: the master active, the slave its standby."""
    states = {"master": State.ACTIVE, "slave": State.STANDBY}
    return Facts(
        {
            address: replace(unit, state=states.get(unit.role)) if unit.site in sites and not unit.failure else unit
            for address, unit in facts.units.items()
        }
    )


def problems_of_unit(unit: UnitFacts, wanted: HaParameters) -> Iterator[tuple[str, str]]:
    """Yield what a push must not change on a unit, with what to do about it.

    What a unit has no value for yet is set. A unit in single mode is no part of a pair, so all of its parameters are.
    What another value stands for is for a person to judge: to change the mode, partner or port of a pair at work
    makes both of its units active at once.
    """
    if unit.ha is None:
        if unit.failure is None:
            yield "it does not tell its HA parameters, so they cannot be set", "push with --phase geo"
        return
    if unit.ha.mode == SINGLE:
        return
    is_in_pair = unit.ha.partner is not None and unit.ha.health_check_port is not None
    for deviation in deviations(unit.ha, wanted):
        if deviation.is_unset or deviation.name == ALL_INTERFACES:
            continue
        if deviation.name == PREFERRED_SERVER:
            if is_in_pair and wanted.mode == "master":  # section 6.2 sets it on the master, and the slave's follows
                hint = "correct preferred_host in the topology, or change it on the unit by hand"
                yield str(deviation), hint
            continue
        hint = "correct the topology; or set the unit to single mode by hand, in a maintenance window, and push"
        yield str(deviation), hint
