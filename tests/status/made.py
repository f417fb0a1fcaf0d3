"""Units as they would say themselves, and what the status makes of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from geoplan.live.findings.collect import NOTHING_SEEN
from geoplan.live.findings.kinds import Finding, FindingKind
from geoplan.live.findings.states import UnitState
from geoplan.live.model import Cause, Failure, Observations, State
from geoplan.plan.model import Phase, Plan
from geoplan.plan.planner import make_plan
from geoplan.status.assess import assess
from geoplan.status.links import site_links
from geoplan.status.model import Seen, Status
from geoplan.topology.loader import load_topology
from tests.conftest import TOPOLOGIES
from tests.push import observations as push_facts

if TYPE_CHECKING:
    from geoplan.live.findings.kinds import Since

AT = datetime(2026, 3, 14, 1, 59, 26, tzinfo=UTC)
M1, S1, M2, S2, A1, A2 = "172.24.1.5", "172.24.1.6", "172.24.1.8", "172.24.1.7", "172.24.1.9", "172.24.1.10"
NO_ANSWER = Failure(Cause.UNREACHABLE, "cannot connect to https://172.24.1.5: connection refused")
DENIED = Failure(Cause.UNAUTHORIZED, "it does not accept the credentials")
NO_API = Failure(Cause.UNREADABLE, "it answers with a web page, not with the API")
HEALTH = {State.ACTIVE: "200", State.STANDBY: "503", State.DOWN: "refused", State.UNKNOWN: "404"}


def plan_of(name: str = "section-5.4") -> Plan:
    return make_plan(load_topology(TOPOLOGIES / f"{name}.yaml"), [Phase.GEO])


PLAN = plan_of()


def well(plan: Plan = PLAN) -> Observations:
    """Return units with which nothing is wrong."""
    facts = push_facts.in_place(plan)
    units = {
        address: replace(unit, health=HEALTH[unit.state] if unit.state else None)
        for address, unit in facts.units.items()
    }
    return Observations(units)


def changed(facts: Observations, *addresses: str, **fields: Any) -> Observations:
    """Return the facts with some units otherwise; a state brings its health check's answer with it."""
    if isinstance(state := fields.get("state"), State):
        fields.setdefault("health", HEALTH[state])
    return push_facts.changed(facts, *addresses, **fields)


def with_ha(facts: Observations, address: str, **fields: Any) -> Observations:
    """Return the facts with some HA parameters of a unit otherwise."""
    ha = facts.units[address].ha
    assert ha is not None
    return push_facts.changed(facts, address, ha=replace(ha, **fields))


def failed_over(facts: Observations) -> Observations:
    """Return the facts with the first pair's slave active and its master the standby."""
    master, slave = facts.units[M1], facts.units[S1]
    swapped = {name: getattr(master, name) for name in ("partner_status", "clusters")}
    facts = changed(facts, M1, state=State.STANDBY, **{name: getattr(slave, name) for name in swapped})
    return changed(facts, S1, state=State.ACTIVE, **swapped)


def down(facts: Observations, address: str) -> Observations:
    """Return the facts with a unit from which nothing comes."""
    unit = facts.units[address]
    bare = type(unit)(unit.address, unit.site, unit.role, failure=NO_ANSWER)
    if unit.role != "standalone":
        bare = replace(bare, state=State.DOWN, health="refused")
    return Observations({**facts.units, address: bare})


def status_of(facts: Observations, plan: Plan = PLAN, since: Since = NOTHING_SEEN) -> Status:
    return assess(plan, facts, AT, since=since)


def seen_of(facts: Observations, **fields: Any) -> Seen:
    """Return what a watch for a page has seen."""
    return Seen(status_of(facts), links=tuple(site_links(PLAN, facts)), states=unit_states(facts), **fields)


def unit_states(facts: Observations) -> dict[str, UnitState]:
    return {unit.address: unit.state for site in status_of(facts).sites for unit in site.units}


# -- failed over -------------------------------------------------------------------------------------------------------


def findings_of(facts: Observations, plan: Plan = PLAN) -> dict[FindingKind, list[Finding]]:
    found: dict[FindingKind, list[Finding]] = {}
    for finding in status_of(facts, plan).findings:
        found.setdefault(finding.kind, []).append(finding)
    return found


def only(facts: Observations, plan: Plan = PLAN) -> Finding:
    """Return the one finding that there is to be."""
    (finding,) = status_of(facts, plan).findings
    return finding
