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
    from geoplan.loadmaster.client import LoadMaster, connected
    from geoplan.loadmaster.connection import Timeouts, UnitConnection, unit_connections
    from geoplan.loadmaster.credentials import (
        ApiKey,
        Credentials,
        CredentialSources,
        Secret,
        UserPassword,
        load_credentials,
    )
    from geoplan.loadmaster.endpoints import Endpoints, UnitEndpoint, load_endpoints
    from geoplan.loadmaster.health import HealthAnswer, health_answer
    from geoplan.loadmaster.http import ShownRequest
    from geoplan.loadmaster.model import ClusterType, GeoCluster, HaFacts, HaMode, State
    from geoplan.loadmaster.session import Clock, LoopClock, Retries
    from geoplan.loadmaster.tls import CaFile, Insecure, Pinned, SystemTrust, Trust, fetch_fingerprint

_HOMES = {
    "ApiKey": "credentials",
    "CaFile": "tls",
    "Clock": "session",
    "ClusterType": "model",
    "CredentialSources": "credentials",
    "Credentials": "credentials",
    "Endpoints": "endpoints",
    "GeoCluster": "model",
    "HaFacts": "model",
    "HaMode": "model",
    "HealthAnswer": "health",
    "Insecure": "tls",
    "LoadMaster": "client",
    "LoopClock": "session",
    "Pinned": "tls",
    "Retries": "session",
    "Secret": "credentials",
    "ShownRequest": "http",
    "State": "model",
    "SystemTrust": "tls",
    "Timeouts": "connection",
    "Trust": "tls",
    "UnitConnection": "connection",
    "UnitEndpoint": "endpoints",
    "UserPassword": "credentials",
    "connected": "client",
    "fetch_fingerprint": "tls",
    "health_answer": "health",
    "load_credentials": "credentials",
    "load_endpoints": "endpoints",
    "unit_connections": "connection",
}

__all__ = [
    "ApiKey",
    "CaFile",
    "Clock",
    "ClusterType",
    "CredentialSources",
    "Credentials",
    "Endpoints",
    "GeoCluster",
    "HaFacts",
    "HaMode",
    "HealthAnswer",
    "Insecure",
    "LoadMaster",
    "LoopClock",
    "Pinned",
    "Retries",
    "Secret",
    "ShownRequest",
    "State",
    "SystemTrust",
    "Timeouts",
    "Trust",
    "UnitConnection",
    "UnitEndpoint",
    "UserPassword",
    "connected",
    "fetch_fingerprint",
    "health_answer",
    "load_credentials",
    "load_endpoints",
    "unit_connections",
]


def __getattr__(name: str) -> object:
    """Import a public name from the module that defines it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'geoplan.loadmaster' has no attribute '{name}'")
    return getattr(import_module(f"geoplan.loadmaster.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
