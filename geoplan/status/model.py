"""How all units of a topology stand at one moment, as plain frozen data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from geoplan.live.model import Failure, HaFacts
    from geoplan.plan.model import Kind as SiteKind
    from geoplan.plan.model import Role


class UnitState(StrEnum):
    """What a unit is at the moment, from its health check and from whether its API answers."""

    ACTIVE = "active"
    STANDBY = "standby"
    ALONE = "alone"
    """A standalone that is up, or a unit of a pair in HA mode single."""
    UNCONNECTED = "unconnected"
    """It is up, and nothing answers its health check."""
    DOWN = "down"
    UNKNOWN = "unknown"


class FindingKind(StrEnum):
    """What a finding is about."""

    BOTH_ACTIVE = "both_active"
    NONE_ACTIVE = "none_active"
    PAIR_DOWN = "pair_down"
    UNIT_DOWN = "unit_down"
    FAILED_OVER = "failed_over"
    UNCONNECTED = "unconnected"
    HEALTH_UNCLEAR = "health_unclear"
    NO_HA = "no_ha"
    SAME_MODE = "same_mode"
    MODES_SWAPPED = "modes_swapped"
    NO_PARTNER = "no_partner"
    PARTNER_MISMATCH = "partner_mismatch"
    PORTS_DIFFER = "ports_differ"
    PREFERRED_HOST_DIFFERS = "preferred_host_differs"
    ALL_INTERFACES_DIFFER = "all_interfaces_differ"
    HA_NOT_TOLD = "ha_not_told"
    FIRMWARE_DIFFERS = "firmware_differs"
    PARTNER_SECRET = "partner_secret"  # noqa: S105 - the name of a finding
    UNREACHABLE = "unreachable"
    UNAUTHORIZED = "unauthorized"
    UNREADABLE = "unreadable"
    GEO_OFF = "geo_off"
    SSH_OFF = "ssh_off"
    RED_PARTNER = "red_partner"
    GEO_DIFFERS = "geo_differs"


class Severity(StrEnum):
    """Whether something has to be done."""

    PROBLEM = "problem"
    NOTE = "note"
    """Worth knowing, and as it should be."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth saying: what it is, what that means and what to do or type next."""

    kind: FindingKind
    sites: tuple[str, ...]
    units: tuple[str, ...]
    """The addresses of the units that it is about."""
    message: str
    hint: str = ""
    commands: tuple[str, ...] = ()
    """What the hint says to type, each ready for a shell."""
    severity: Severity = Severity.PROBLEM


@dataclass(frozen=True, slots=True)
class Count:
    """How many of those that the plan has are as they should be; nothing where the unit does not tell."""

    good: int | None
    planned: int


@dataclass(frozen=True, slots=True)
class UnitStatus:
    """One unit at a glance; what it does not tell is nothing."""

    address: str
    role: Role
    state: UnitState
    since: datetime | None = None
    """When it was seen to come into this state; nothing where it was so from the first look on."""
    health: str | None = None
    """What its health check answered: a status code, ``refused``, ``timeout``, ``unreachable`` or ``cut off``."""
    firmware: str | None = None
    ha: HaFacts | None = None
    ha_differs: tuple[str, ...] = ()
    """What of its HA parameters is not as it should be: ``mode``, ``partner``, ``port``, ``preferred``, …"""
    geo_enabled: bool | None = None
    ssh_access: bool | None = None
    partners: Count | None = None
    """Of its planned GEO partners, those that it sees green."""
    clusters: Count | None = None
    """Of its group's planned clusters, those that it has."""
    failure: Failure | None = None
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SiteStatus:
    """A pair or a standalone."""

    name: str
    kind: SiteKind
    group: str
    active: str | None
    """The address of the unit that takes settings; nothing where that is not exactly one."""
    failed_over: bool
    units: tuple[UnitStatus, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """All sites of a plan, in its order, and everything worth saying about them."""

    topology: str
    checksum: str
    at: datetime
    sites: tuple[SiteStatus, ...]
    findings: tuple[Finding, ...]

    @property
    def is_well(self) -> bool:
        """Whether nothing has to be done."""
        return all(finding.severity is Severity.NOTE for finding in self.findings)
