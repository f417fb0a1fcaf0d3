"""The status as one JSON object, for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geoplan.status.model import Count, SiteStatus, Status, UnitStatus

FORMAT = "geoplan/status/2"


def as_json(status: Status) -> str:
    """Return everything, indented."""
    return json.dumps(as_plain(status), ensure_ascii=False, indent=2) + "\n"


def as_json_line(status: Status) -> str:
    """Return everything in one line."""
    return json.dumps(as_plain(status), ensure_ascii=False) + "\n"


def as_plain(status: Status) -> dict[str, Any]:
    """Return what JSON holds; keys may be added, these stay."""
    return {
        "format": FORMAT,
        "topology": status.topology,
        "checksum": status.checksum,
        "at": status.at.isoformat(timespec="milliseconds"),
        "well": status.is_well,
        "sites_left_out": status.sites_left_out,
        "sites": [_site(site) for site in status.sites],
        "findings": [asdict(finding) for finding in status.findings],
    }


def _site(site: SiteStatus) -> dict[str, Any]:
    return {
        "name": site.name,
        "kind": site.kind,
        "group": site.group,
        "active": site.active,
        "failed_over": site.failed_over,
        "units": [_unit(unit) for unit in site.units],
    }


def _unit(unit: UnitStatus) -> dict[str, Any]:
    return {
        "address": unit.address,
        "role": unit.role,
        "state": unit.state,
        "since": unit.since.isoformat(timespec="milliseconds") if unit.since else None,
        "health": unit.health,
        "firmware": unit.firmware,
        "ha": _ha(unit),
        "geo_enabled": unit.geo_enabled,
        "ssh_access": unit.ssh_access,
        "partners": _count(unit.partners, "green"),
        "clusters": _count(unit.clusters, "in_place"),
        "failure": asdict(unit.failure) if unit.failure else None,
        "unread": list(unit.unread),
    }


def _ha(unit: UnitStatus) -> dict[str, Any] | None:
    if unit.ha is None:
        return None
    prefers = unit.ha.prefers_master
    return {
        "mode": unit.ha.mode,
        "partner": unit.ha.partner or None,
        "health_check_port": unit.ha.health_check_port or None,
        "preferred_host": None if prefers is None else "master" if prefers else "none",
        "all_interfaces": unit.ha.all_interfaces,
        "differs": list(unit.ha_differs),
        "not_compared": list(unit.ha_not_compared),
    }


def _count(count: Count | None, good: str) -> dict[str, int | None] | None:
    return None if count is None else {good: count.good, "planned": count.planned}
