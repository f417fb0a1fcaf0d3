"""What a unit says of itself, in the words of this product."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class HaState(StrEnum):
    """Who a unit of a pair is at this moment, as its health check tells (section 4)."""

    ACTIVE = "active"
    STANDBY = "standby"
    DOWN = "down"
    """Nothing listens, or nothing answers in time."""
    UNKNOWN = "unknown"
    """It answers something else."""


class HaMode(StrEnum):
    """The fixed role of a unit of a cloud pair; newer firmware says first and second."""

    MASTER = "master"
    SLAVE = "slave"
    SINGLE = "single"
    """By that very word, and never by a value that is empty, missing or 0."""
    UNKNOWN = "unknown"
    """Not told, or not in a known word."""


class PartnerColour(StrEnum):
    """Whether a unit and its GEO partner see each other (WUI guide, *GEO Partners Status*)."""

    GREEN = "green"
    RED = "red"
    UNKNOWN = "unknown"


class ClusterType(StrEnum):
    """The type of a GEO cluster, as ``modcluster`` takes it."""

    DEFAULT = "default"
    REMOTE_LM = "remoteLM"
    LOCAL_LM = "localLM"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PartnerStatus:
    """One GEO partner as a unit sees it."""

    address: str
    status: PartnerColour


@dataclass(frozen=True, slots=True)
class GeoCluster:
    """A GEO cluster; what a unit does not say of it is ``None``."""

    address: str
    name: str
    type: ClusterType
    latitude: float | None = None
    """Degrees; south is negative."""
    longitude: float | None = None
    """Degrees; west is negative."""
    status: str | None = None
    checker: str | None = None
    enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class HaParameters:
    """The HA parameters of a cloud unit; what it does not tell is ``None``."""

    partner: str | None = None
    """Empty where the unit says that none is set."""
    health_check_port: int | None = None
    """0 where the unit says that none is set."""
    prefers_master: bool | None = None
    all_interfaces: bool | None = None
    mode: HaMode = HaMode.UNKNOWN
