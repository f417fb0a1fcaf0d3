"""From what units say to what it means: a pure function."""

from __future__ import annotations

from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING

from geoplan.live.links import NO_SIGHTS
from geoplan.status.fleet_findings import Fleet, fleet_findings
from geoplan.status.model import FindingKind, Severity, SiteStatus, Status, UnitStatus
from geoplan.status.pair_settings import setting_findings
from geoplan.status.pair_states import Pair, state_findings
from geoplan.status.unit_state import Wanted, cluster_count, differing, partner_count, unit_state
from geoplan.status.wording import generic_command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from geoplan.live.links import Sights
    from geoplan.live.model import Observation, Observations
    from geoplan.plan.model import Plan, SiteSettings
    from geoplan.status.model import Finding
    from geoplan.status.wording import Command, Since

NOTHING_SEEN: Since = MappingProxyType({})


def assess(  # noqa: PLR0913 - options
    plan: Plan,
    facts: Observations,
    at: datetime,
    *,
    since: Since = NOTHING_SEEN,
    command: Command = generic_command,
    sights: Sights = NO_SIGHTS,
) -> Status:
    """Say how all units stand and what is wrong with that.

    ``sights`` are the partners that units saw green while they were active, as journals of pushes hold them: a standby
    that is red to them is explained by that. ``since`` says when units were seen to come into their present state.
    ``command`` returns a command of geoplan about this topology as it is to be typed: it takes the command's name and
    further words.
    """
    pairs = [_pair(plan, site, facts, since, command) for site in plan.sites if site.kind == "ha_pair"]
    found = chain(
        (finding for pair in pairs for finding in _pair_findings(plan, pair)),
        fleet_findings(Fleet(plan, facts, command, sights)),
    )
    findings = tuple(sorted(found, key=lambda finding: finding.severity is Severity.NOTE))
    failed_over = {name for each in findings if each.kind is FindingKind.FAILED_OVER for name in each.sites}
    sites = tuple(_site(plan, site, facts, since, failed_over=site.name in failed_over) for site in plan.sites)
    return Status(plan.topology, plan.checksum, at, sites, findings)


def _pair(plan: Plan, site: SiteSettings, facts: Observations, since: Since, command: Command) -> Pair:
    master, slave = facts.of_site(site.name)
    return Pair(site, master, slave, plan.health_check_port_of(site.name), since, command)


def _pair_findings(plan: Plan, pair: Pair) -> Iterator[Finding]:
    yield from state_findings(pair)
    yield from setting_findings(plan, pair)


def _site(plan: Plan, site: SiteSettings, facts: Observations, since: Since, *, failed_over: bool) -> SiteStatus:
    units = facts.of_site(site.name)
    active = facts.active(site.name)
    shown = tuple(_unit(plan, site, unit, since) for unit in units)
    return SiteStatus(site.name, site.kind, site.group, active.address if active else None, failed_over, shown)


def _unit(plan: Plan, site: SiteSettings, unit: Observation, since: Since) -> UnitStatus:
    is_paired = site.kind == "ha_pair"
    return UnitStatus(
        address=unit.address,
        role=unit.role,
        state=unit_state(unit),
        since=since.get(unit.address),
        health=unit.health,
        firmware=unit.firmware,
        ha=unit.ha,
        ha_differs=differing(Wanted.of(plan, site, unit), unit.ha) if is_paired and unit.ha else (),
        geo_enabled=unit.geo_enabled,
        ssh_access=unit.ssh_access,
        partners=partner_count(site, unit),
        clusters=cluster_count(plan, site, unit),
        failure=unit.failure,
        unread=unit.unread,
    )
