"""From what units say to what it means: a pure function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.live.findings.clusters import ClusterState, state_of
from geoplan.live.findings.collect import NOTHING_SEEN, examine
from geoplan.live.findings.kinds import FindingKind, generic_command
from geoplan.live.findings.settings import differing, not_compared
from geoplan.live.findings.states import unit_state
from geoplan.live.links import NOTHING_KNOWN
from geoplan.status.model import Count, SiteStatus, Status, UnitStatus
from geoplan.vendor import MAX_CLUSTERS

if TYPE_CHECKING:
    from datetime import datetime

    from geoplan.live.findings.kinds import Command, Since
    from geoplan.live.links import KnownLinks
    from geoplan.live.model import Observation, Observations
    from geoplan.plan.model import Plan, SiteSettings


def assess(  # noqa: PLR0913 - options
    plan: Plan,
    facts: Observations,
    at: datetime,
    *,
    since: Since = NOTHING_SEEN,
    command: Command = generic_command,
    known: KnownLinks = NOTHING_KNOWN,
    max_clusters: int = MAX_CLUSTERS,
) -> Status:
    """Say how all units stand and what is wrong with that.

    ``known`` is what journals of pushes hold of links. ``since`` says when units were seen to come into their present
    state. ``command`` returns a command of geoplan about this topology as it is to be typed: it takes the command's
    name and further words.
    """
    _, findings = examine(plan, facts, known, max_clusters=max_clusters, since=since, command=command)
    failed_over = {name for each in findings if each.kind is FindingKind.FAILED_OVER for name in each.sites}
    sites = tuple(_site(plan, site, facts, since, failed_over=site.name in failed_over) for site in facts.asked(plan))
    groups = tuple(group.name for group in plan.groups)
    return Status(plan.topology, plan.checksum, at, sites, findings, groups)


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
        ha_differs=differing(plan, site, unit) if is_paired else (),
        ha_not_compared=not_compared(site, unit) if is_paired else (),
        geo_enabled=unit.geo_enabled,
        ssh_access=unit.ssh_access,
        partners=_partner_count(site, unit),
        clusters=_cluster_count(plan, site, unit),
        failure=unit.failure,
        unread=unit.unread,
    )


def _partner_count(site: SiteSettings, unit: Observation) -> Count | None:
    """Count the planned partners that a unit sees green; a site without partners has nothing to count."""
    if not site.geo_partners:
        return None
    if unit.partner_status is None:
        return Count(None, len(site.geo_partners))
    green = {canonical(address) for address, is_green in unit.partner_status.items() if is_green}
    return Count(sum(canonical(partner) in green for partner in site.geo_partners), len(site.geo_partners))


def _cluster_count(plan: Plan, site: SiteSettings, unit: Observation) -> Count:
    """Count the planned clusters that a unit has as planned."""
    planned = plan.clusters_of(site.group)
    if unit.clusters is None:
        return Count(None, len(planned))
    in_place = [state_of(plan, cluster, unit.clusters) is ClusterState.IN_PLACE for cluster in planned]
    return Count(sum(in_place), len(planned))
