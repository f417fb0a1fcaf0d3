"""HA parameters as units tell them, compared with the plan: which pairs are still to be formed, what prevents it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from geoplan.addresses import canonical, is_address
from geoplan.live.activity import Look, may_be_at_work
from geoplan.live.findings.kinds import FindingKind
from geoplan.live.model import HaFacts, Observations, State
from geoplan.plan.model import Action

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from geoplan.live.model import Observation
    from geoplan.plan.model import Plan
    from geoplan.plan.pairs import HaPairSettings, HaParameters

SINGLE = "single"
PREFERRED_SERVER = "Switch to Preferred Server"
ALL_INTERFACES = "Health Check on All Interfaces"


@dataclass(frozen=True, slots=True)
class Drift:
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


def drifts(found: HaFacts, wanted: HaParameters) -> Iterator[Drift]:
    """Yield what differs from the plan, the mode first. What a unit does not tell differs from nothing."""
    if found.mode not in (None, wanted.mode):
        yield Drift("HA mode", str(found.mode), wanted.mode, found.mode == SINGLE)
    is_told = found.partner is not None and not is_by_name(found)  # what a name stands for is the unit's to say
    if is_told and canonical(found.partner or "") != canonical(wanted.partner):
        yield Drift("partner", found.partner or "unset", wanted.partner, not found.partner)
    if found.health_check_port not in (None, wanted.health_check_port):
        port = found.health_check_port
        yield Drift("health check port", str(port or "unset"), str(wanted.health_check_port), not port)
    prefers_master = wanted.preferred_host == "master"
    if found.prefers_master not in (None, prefers_master):
        names = {True: "Prefer Master", False: "No Preferred Host"}
        yield Drift(PREFERRED_SERVER, names[not prefers_master], names[prefers_master])
    if bool(found.all_interfaces) is not wanted.all_interfaces:  # units leave it out where it is off
        names = {True: "on", False: "off"}
        yield Drift(ALL_INTERFACES, names[not wanted.all_interfaces], names[wanted.all_interfaces])


def is_by_name(found: HaFacts) -> bool:
    """Return whether a unit gives its partner by a name."""
    return bool(found.partner) and not is_address(found.partner or "")


def has_no_pair(found: HaFacts) -> bool:
    """Return whether a unit says that it has no partner, or no health check port: it is in no pair then."""
    return found.partner == "" or found.health_check_port == 0


def untold(found: HaFacts) -> tuple[str, ...]:
    """Return the names of the parameters that a unit does not tell, of those that make a pair."""
    told = {"HA mode": found.mode, "partner": found.partner, "health check port": found.health_check_port}
    return tuple(name for name, value in told.items() if value is None)


def is_at_work(units: Iterable[Observation]) -> bool:
    """Return whether two units work as a pair: one is active and the other its standby, or both have a partner."""
    pair = tuple(units)
    return _look_at_work(pair) or all(unit.ha is not None and unit.ha.partner for unit in pair)


def _look_at_work(units: Iterable[Observation]) -> bool:
    return may_be_at_work(unit.look or Look(State.UNKNOWN) for unit in units)


def is_to_be_formed(pair: HaPairSettings, facts: Observations, *, is_begun: bool = False) -> bool:
    """Return whether a unit says that it is single, or has no partner or no health check port, in a pair not at work.

    ``is_begun`` means that a push is known to have begun to form it: both units may have a partner then, and one no
    mode yet.
    """
    units = facts.of_site(pair.site)
    if _look_at_work(units) or (is_at_work(units) and not is_begun):
        return False
    return any(unit.ha is not None and (unit.ha.mode == SINGLE or has_no_pair(unit.ha)) for unit in units)


def sites_to_form(plan: Plan, facts: Observations, begun: Collection[str] = ()) -> frozenset[str]:
    """Return the sites whose pairs this push forms; ``begun`` are those that a push is known to have begun."""
    return frozenset(
        pair.site for pair in planned_pairs(plan) if is_to_be_formed(pair, facts, is_begun=pair.site in begun)
    )


def as_if_formed(facts: Observations, sites: frozenset[str]) -> Observations:
    """Return the facts as they will be once pairs are formed: the master active, the slave its standby."""
    states = {"master": State.ACTIVE, "slave": State.STANDBY}
    units = {
        address: replace(unit, state=states.get(unit.role), by_health=None, ha_status=None)
        if unit.site in sites and not unit.failure
        else unit
        for address, unit in facts.units.items()
    }
    return Observations(units, facts.only)


def left_as_is(found: HaFacts, wanted: HaParameters) -> tuple[Drift, ...]:
    """Return what differs on a unit of a pair at work and is neither a reason to stop nor changed by a push."""
    return tuple(
        deviation
        for deviation in drifts(found, wanted)
        if deviation.name == ALL_INTERFACES or (deviation.name == PREFERRED_SERVER and wanted.mode != "master")
    )


class UnitProblem(NamedTuple):
    """What a push must not change on a unit, what to do about it, and what it is about where programs ask."""

    message: str
    hint: str
    kind: FindingKind | None = None


def problems_of_unit(unit: Observation, wanted: HaParameters, *, is_formed: bool = True) -> Iterator[UnitProblem]:
    """Yield what a push must not change on a unit, with what to do about it; ``is_formed`` where it forms the pair.

    What a unit has no value for yet is set. A unit in single mode is no part of a pair, so all of its parameters are.
    What another value stands for is for a person to judge: to change the mode, partner or port of a pair at work
    makes both of its units active at once. What is not told is never taken for *single* or *unset*.
    """
    if unit.ha is None:
        if unit.failure is None:
            yield UnitProblem("it does not tell its HA parameters, so they cannot be set", "push with --phase geo")
        return
    is_in_pair = bool(unit.ha.partner) and bool(unit.ha.health_check_port)
    if is_formed and (missing := untold(unit.ha)):
        message = f"it does not tell its {' and '.join(missing)}, so its pair cannot be formed"
        yield UnitProblem(message, "set its HA parameters by hand (section 6.2), and push with --phase geo")
        return
    if unit.ha.mode == SINGLE:
        if not is_formed:
            message = "its HA mode is single, though both units have a partner: it is not known to be no pair at work"
            hint = "look at both units; set HA mode and parameters by hand, or clear the partners, and push"
            yield UnitProblem(message, hint)
        return
    for deviation in drifts(unit.ha, wanted):
        if deviation.is_unset or deviation.name == ALL_INTERFACES:
            continue
        if deviation.name == PREFERRED_SERVER:
            if is_in_pair and wanted.mode == "master":  # section 6.2 sets it on the master, and the slave's follows
                hint = "correct preferred_host in the topology, or change it on the unit by hand"
                yield UnitProblem(str(deviation), hint, FindingKind.PREFERRED_HOST_DIFFERS)
            continue
        hint = "correct the topology; or set the unit to single mode by hand, in a maintenance window, and push"
        yield UnitProblem(str(deviation), hint)
