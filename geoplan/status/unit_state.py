"""What one unit shows at a glance: its state, its HA parameters against the topology, its partners and clusters."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.live.findings.clusters import ClusterState, state_of
from geoplan.live.model import Cause, State
from geoplan.status.model import Count, UnitState

if TYPE_CHECKING:
    from geoplan.live.model import HaFacts, Observation, Observations
    from geoplan.plan.model import Plan, SiteSettings

SINGLE = "single"
_BY_HEALTH = {State.ACTIVE: UnitState.ACTIVE, State.STANDBY: UnitState.STANDBY}


def unit_state(unit: Observation) -> UnitState:
    """Say what a unit is: its health check goes before its API, which tells whether a silent unit is up."""
    if unit.state in _BY_HEALTH:
        return _BY_HEALTH[unit.state]
    if unit.failure is not None:
        is_silent = unit.failure.cause is Cause.UNREACHABLE and unit.state in (State.DOWN, None)
        return UnitState.DOWN if is_silent else UnitState.UNKNOWN
    if unit.role == "standalone" or has_mode(unit, SINGLE):
        return UnitState.ALONE
    return UnitState.UNCONNECTED if unit.state is State.DOWN else UnitState.UNKNOWN


def has_mode(unit: Observation, mode: str) -> bool:
    """Tell whether a unit says that this is its HA mode."""
    return unit.ha is not None and unit.ha.mode == mode


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the topology has of the HA parameters of one unit; nothing where it does not say."""

    mode: str
    partner: str
    partner_addresses: frozenset[str]
    health_check_port: int
    prefers_master: bool
    all_interfaces: bool | None

    @classmethod
    def of(cls, plan: Plan, site: SiteSettings, unit: Observation) -> Wanted:
        """Return what a unit of a pair should have."""
        other = next(each for each in site.units if canonical(each.address) != canonical(unit.address))
        described = next((pair for pair in plan.ha_pairs if pair.site == site.name), None)
        return cls(
            mode=unit.role,
            partner=other.address,
            partner_addresses=frozenset(canonical(known) for known in (other.address, other.nat_address) if known),
            health_check_port=plan.health_check_port_of(site.name),
            prefers_master=site.preferred_host != "none",
            all_interfaces=described.master.all_interfaces if described else None,
        )

    def is_partner(self, name: str) -> bool:
        """Tell whether that is the pair's other unit; a name that is no address is not looked up."""
        try:
            ip_address(name)
        except ValueError:
            return True
        return canonical(name) in self.partner_addresses


def differing(wanted: Wanted, ha: HaFacts) -> tuple[str, ...]:
    """Name what of a unit's HA parameters is not as the topology has it; in mode single nothing else counts."""
    if ha.mode == SINGLE:
        return (SINGLE,)
    differs = {
        "mode": ha.mode is not None and ha.mode != wanted.mode,
        "partner": ha.partner is not None and not wanted.is_partner(ha.partner),
        "port": ha.health_check_port not in (None, wanted.health_check_port),
        "preferred": ha.prefers_master is not None and ha.prefers_master != wanted.prefers_master,
        "interfaces": wanted.all_interfaces is not None and bool(ha.all_interfaces) != wanted.all_interfaces,
    }
    return tuple(name for name, does in differs.items() if does)


def partner_count(site: SiteSettings, unit: Observation) -> Count | None:
    """Count the planned partners that a unit sees green; a site without partners has nothing to count."""
    if not site.geo_partners:
        return None
    if unit.partner_status is None:
        return Count(None, len(site.geo_partners))
    green = {canonical(address) for address, is_green in unit.partner_status.items() if is_green}
    return Count(sum(canonical(partner) in green for partner in site.geo_partners), len(site.geo_partners))


def cluster_count(plan: Plan, site: SiteSettings, unit: Observation) -> Count:
    """Count the planned clusters that a unit has as planned."""
    planned = [cluster for cluster in plan.clusters if cluster.group == site.group]
    if unit.clusters is None:
        return Count(None, len(planned))
    in_place = [state_of(plan, cluster, unit.clusters) is ClusterState.IN_PLACE for cluster in planned]
    return Count(sum(in_place), len(planned))


def unit_at(plan: Plan, facts: Observations, address: str) -> Observation | None:
    """Return the unit that an address stands for, its own or its NATed one."""
    for site in plan.sites:
        for unit in site.units:
            if canonical(address) in {canonical(known) for known in (unit.address, unit.nat_address) if known}:
                return facts.unit(unit.address)
    return None
