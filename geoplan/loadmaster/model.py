"""What a unit says of itself. What it does not tell is None, which is neither empty nor off."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal, Protocol, TypeAlias

from geoplan.addresses import canonical
from geoplan.vendor import CUT_NAME_LENGTH


class State(StrEnum):
    """What a unit of a pair is at the moment, as its health check shows it (section 4), or its API tells it."""

    ACTIVE = "active"
    STANDBY = "standby"
    DOWN = "down"
    """Nothing listens, or nothing answers in time."""
    UNKNOWN = "unknown"
    """It answers something else."""
    CONTRADICTORY = "contradictory"
    """Its health check and its API tell different things, so nobody knows."""


class HaStatus(StrEnum):
    """What a unit itself says of its place in a pair: ``hastatus`` of its API."""

    ACTIVE = "Active"
    STANDBY = "Standby"
    PASSIVE = "Passive"
    """It takes part in no decision: on a cloud, HA is not set up yet."""
    NOT_CONFIGURED = "HA not configured"


HaMode: TypeAlias = Literal["master", "slave", "single"]
"""The fixed role of a unit of a cloud pair (newer firmware says first and second), or that it is in none."""


class ClusterType(StrEnum):
    """The type of a GEO cluster, as ``modcluster`` takes it."""

    DEFAULT = "default"
    """That of a cluster that was added and nothing more."""
    REMOTE_LM = "remoteLM"
    LOCAL_LM = "localLM"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class GeoCluster:
    """A GEO cluster as a unit lists it."""

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
    index: int | None = field(default=None, compare=False)
    """The unit's number of it, until clusters come or go."""

    def is_named(self, name: str) -> bool:
        """Return whether this is its name, be it as units are heard to rewrite names."""
        return self.name == name or self.is_rewritten(name)

    def is_rewritten(self, name: str) -> bool:
        """Return whether its name is what a unit made of another: blanks became ``_``, or it was cut, or both."""
        written = {name, name.replace(" ", "_")}
        cut = {each[:CUT_NAME_LENGTH] for each in written}
        cut |= {each.encode()[:CUT_NAME_LENGTH].decode(errors="ignore") for each in written}
        return self.name != name and self.name in written | cut | {each.rstrip() for each in cut}

    @property
    def definition(self) -> dict[str, str | float | None]:
        """What makes it the cluster that it is, without how it is checked and what came of that."""
        place = {"latitude": self.latitude, "longitude": self.longitude}
        return {"address": self.address, "name": self.name, "type": self.type.value, **place}


@dataclass(frozen=True, slots=True)
class FqdnMap:
    """One address of an FQDN."""

    address: str
    cluster: str
    """The name of the cluster that it uses; empty where the unit says that it uses none."""


@dataclass(frozen=True, slots=True)
class GeoFqdn:
    """A GEO FQDN with all its maps."""

    name: str
    maps: tuple[FqdnMap, ...] = ()


@dataclass(frozen=True, slots=True)
class HaFacts:
    """The HA parameters of a cloud unit."""

    partner: str | None = None
    """Empty if the unit says that none is set; an address, or the name of a host."""
    health_check_port: int | None = None
    """0 if the unit says that none is set."""
    prefers_master: bool | None = None
    mode: HaMode | None = None
    """``single`` by that very word, and never by a value that is empty, missing or 0."""
    all_interfaces: bool | None = None
    partner_addresses: tuple[str, ...] = field(default=(), compare=False)
    """What was found for a partner's name; none if it was not looked up, or not found."""


@dataclass(frozen=True, slots=True)
class UnitSettings:
    """What one call tells of many parameters. What it leaves out is not told, and neither empty nor off."""

    firmware: str | None = None
    boot_time: str | None = None
    ssh_access: bool | None = None
    remote_geo_access: tuple[str, ...] | None = None
    """Never empty: a unit leaves out what is unset."""
    geo_partners: tuple[str, ...] | None = None
    """Never empty, likewise."""
    ha_status: HaStatus | None = None
    host_name: str | None = None


class HaSettings(Protocol):
    """The HA parameters that a unit is to be given, the mode apart."""

    @property
    def partner(self) -> str:
        """The other unit's address."""

    @property
    def health_check_port(self) -> int:
        """The TCP port of the health check."""

    @property
    def preferred_host(self) -> str:
        """``master`` or ``none``."""

    @property
    def all_interfaces(self) -> bool:
        """Whether the health check is answered on every interface."""


@dataclass(frozen=True, slots=True)
class HaRequest:
    """One HA parameter that a unit of a pair is to be given; what is None stays as it is, and so does its mode."""

    partner: str
    """The one that it told just before, unless this is what is to change."""
    health_check_port: int | None = None
    prefers_master: bool | None = None
    all_interfaces: bool | None = None

    def is_fulfilled_by(self, found: HaFacts) -> bool:
        """Return whether a unit holds all of it."""
        return (
            canonical(found.partner or "") == canonical(self.partner)
            and self.health_check_port in (None, found.health_check_port)
            and self.prefers_master in (None, found.prefers_master)
            and self.all_interfaces in (None, bool(found.all_interfaces))
        )

    def applied_to(self, found: HaFacts) -> HaFacts:
        """Return what a unit holds then that holds this now."""
        return replace(
            found,
            partner=self.partner,
            health_check_port=found.health_check_port if self.health_check_port is None else self.health_check_port,
            prefers_master=found.prefers_master if self.prefers_master is None else self.prefers_master,
            all_interfaces=found.all_interfaces if self.all_interfaces is None else self.all_interfaces,
        )
