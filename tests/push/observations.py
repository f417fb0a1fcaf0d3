"""Units as they would say themselves, all in place: tests then spoil one thing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from geoplan.live.model import REMOTE_LM, GeoCluster, HaFacts, Observation, Observations, State
from geoplan.plan.model import Phase, Plan
from geoplan.plan.planner import make_plan
from geoplan.topology.loader import load_topology
from tests.conftest import TOPOLOGIES


def plan_of(section: str = "5.4", phases: Collection[Phase] | None = None) -> Plan:
    return make_plan(load_topology(TOPOLOGIES / f"section-{section}.yaml"), phases)


def in_place(plan: Plan) -> Observations:
    """Return units that hold the plan, with every master active."""
    units = {}
    for site in plan.sites:
        is_pair = site.kind == "ha_pair"
        group = [cluster for cluster in plan.clusters if cluster.group == site.group]
        for number, unit in enumerate(site.units):
            takes_settings = number == 0
            ha = (
                HaFacts(site.units[1 - number].address, 8444, prefers_master=True, mode="slave" if number else "master")
                if is_pair
                else None
            )
            units[unit.address] = Observation(
                address=unit.address,
                site=site.name,
                role=unit.role,
                state=(State.ACTIVE if takes_settings else State.STANDBY) if is_pair else None,
                firmware="7.2.59.4.22642.RELEASE",
                geo_enabled=True,
                ssh_access=True,
                ha=ha,
                remote_geo_access=site.remote_geo_access,
                geo_partners=site.geo_partners,
                partner_status=dict.fromkeys(site.geo_partners, True) if takes_settings else None,
                clusters=tuple(GeoCluster(c.address, c.name, REMOTE_LM) for c in group),
                fqdns=() if takes_settings else None,
            )
    return Observations(units)


def untouched(plan: Plan) -> Observations:
    """Return fresh units: no lists, no clusters."""
    facts = in_place(plan)
    return changed(
        facts,
        *facts.units,
        remote_geo_access=(),
        geo_partners=(),
        partner_status={},
        clusters=(),
    )


def changed(facts: Observations, *addresses: str, **fields: Any) -> Observations:
    """Return the facts with some units otherwise."""
    units = {**facts.units, **{address: replace(facts.units[address], **fields) for address in addresses}}
    return Observations(units, facts.only)
