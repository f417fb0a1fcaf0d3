"""One LoadMaster over its API: credentials, trust and the operations that geoplan needs.

    accesses = unit_connections(topology, credentials_of, endpoints=load_endpoints("pins.yaml"))
    async with LoadMaster(accesses["172.24.1.5"]) as unit:
        print(await unit.geo_partners())

Names are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geoplan.loadmaster.client import LoadMaster as LoadMaster
    from geoplan.loadmaster.clients import connected as connected
    from geoplan.loadmaster.clock import Clock as Clock
    from geoplan.loadmaster.clock import LoopClock as LoopClock
    from geoplan.loadmaster.connection import Timeouts as Timeouts
    from geoplan.loadmaster.connection import UnitConnection as UnitConnection
    from geoplan.loadmaster.connection import unit_connections as unit_connections
    from geoplan.loadmaster.credentials import ApiKey as ApiKey
    from geoplan.loadmaster.credentials import Credentials as Credentials
    from geoplan.loadmaster.credentials import CredentialSources as CredentialSources
    from geoplan.loadmaster.credentials import Secret as Secret
    from geoplan.loadmaster.credentials import UserPassword as UserPassword
    from geoplan.loadmaster.credentials import load_credentials as load_credentials
    from geoplan.loadmaster.endpoints import Endpoints as Endpoints
    from geoplan.loadmaster.endpoints import UnitEndpoint as UnitEndpoint
    from geoplan.loadmaster.endpoints import load_endpoints as load_endpoints
    from geoplan.loadmaster.health import HealthAnswer as HealthAnswer
    from geoplan.loadmaster.health import health_answer as health_answer
    from geoplan.loadmaster.http import ShownRequest as ShownRequest
    from geoplan.loadmaster.model import ClusterType as ClusterType
    from geoplan.loadmaster.model import GeoCluster as GeoCluster
    from geoplan.loadmaster.model import HaFacts as HaFacts
    from geoplan.loadmaster.model import HaMode as HaMode
    from geoplan.loadmaster.model import HaStatus as HaStatus
    from geoplan.loadmaster.model import State as State
    from geoplan.loadmaster.session import Retries as Retries
    from geoplan.loadmaster.tls import CaFile as CaFile
    from geoplan.loadmaster.tls import Insecure as Insecure
    from geoplan.loadmaster.tls import Pinned as Pinned
    from geoplan.loadmaster.tls import SystemTrust as SystemTrust
    from geoplan.loadmaster.tls import Trust as Trust
    from geoplan.loadmaster.tls import fetch_fingerprint as fetch_fingerprint

_NAMES = {
    "client": ("LoadMaster",),
    "clients": ("connected",),
    "connection": ("Timeouts", "UnitConnection", "unit_connections"),
    "credentials": ("ApiKey", "Credentials", "CredentialSources", "Secret", "UserPassword", "load_credentials"),
    "endpoints": ("Endpoints", "UnitEndpoint", "load_endpoints"),
    "health": ("HealthAnswer", "health_answer"),
    "http": ("ShownRequest",),
    "model": ("ClusterType", "GeoCluster", "HaFacts", "HaMode", "HaStatus", "State"),
    "clock": ("Clock", "LoopClock"),
    "session": ("Retries",),
    "tls": ("CaFile", "Insecure", "Pinned", "SystemTrust", "Trust", "fetch_fingerprint"),
}
_HOMES = dict(sorted((name, f"geoplan.loadmaster.{module}") for module, names in _NAMES.items() for name in names))

__all__ = list(_HOMES)


def __getattr__(name: str) -> object:
    """Import a public name from the module that defines it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'geoplan.loadmaster' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return list(__all__)
