"""One LoadMaster over its API: credentials, trust and the operations that geoplan needs.

    accesses = unit_accesses(topology, credentials_of, endpoints=load_endpoints("pins.yaml"))
    async with LoadMaster(accesses["172.24.1.5"]) as unit:
        print(await unit.geo_partners())

Names are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geoplan.loadmaster.access import Timeouts, UnitAccess, unit_accesses
    from geoplan.loadmaster.addresses import canonical, same_addresses
    from geoplan.loadmaster.client import LoadMaster
    from geoplan.loadmaster.clock import Clock, LoopClock
    from geoplan.loadmaster.credential_sources import CredentialSources
    from geoplan.loadmaster.credentials import ApiKey, Credentials, Secret, UserPassword
    from geoplan.loadmaster.credentials_file import load_credentials
    from geoplan.loadmaster.endpoints import Endpoints, UnitEndpoint, load_endpoints
    from geoplan.loadmaster.exchange import ShownRequest
    from geoplan.loadmaster.fingerprints import fetch_fingerprint
    from geoplan.loadmaster.health import ha_state, ha_state_of
    from geoplan.loadmaster.model import (
        ClusterType,
        GeoCluster,
        HaMode,
        HaParameters,
        HaState,
        PartnerColour,
        PartnerStatus,
    )
    from geoplan.loadmaster.session import Retries
    from geoplan.loadmaster.trust import CaFile, Insecure, Pinned, SystemTrust, Trust

_HOMES = {
    "ApiKey": "credentials",
    "CaFile": "trust",
    "Clock": "clock",
    "ClusterType": "model",
    "CredentialSources": "credential_sources",
    "Credentials": "credentials",
    "Endpoints": "endpoints",
    "GeoCluster": "model",
    "HaMode": "model",
    "HaParameters": "model",
    "HaState": "model",
    "Insecure": "trust",
    "LoadMaster": "client",
    "LoopClock": "clock",
    "PartnerColour": "model",
    "PartnerStatus": "model",
    "Pinned": "trust",
    "Retries": "session",
    "Secret": "credentials",
    "ShownRequest": "exchange",
    "SystemTrust": "trust",
    "Timeouts": "access",
    "Trust": "trust",
    "UnitAccess": "access",
    "UnitEndpoint": "endpoints",
    "UserPassword": "credentials",
    "canonical": "addresses",
    "fetch_fingerprint": "fingerprints",
    "ha_state": "health",
    "ha_state_of": "health",
    "load_credentials": "credentials_file",
    "load_endpoints": "endpoints",
    "same_addresses": "addresses",
    "unit_accesses": "access",
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
    "HaMode",
    "HaParameters",
    "HaState",
    "Insecure",
    "LoadMaster",
    "LoopClock",
    "PartnerColour",
    "PartnerStatus",
    "Pinned",
    "Retries",
    "Secret",
    "ShownRequest",
    "SystemTrust",
    "Timeouts",
    "Trust",
    "UnitAccess",
    "UnitEndpoint",
    "UserPassword",
    "canonical",
    "fetch_fingerprint",
    "ha_state",
    "ha_state_of",
    "load_credentials",
    "load_endpoints",
    "same_addresses",
    "unit_accesses",
]


def __getattr__(name: str) -> object:
    """Import a public name from the module that defines it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'geoplan.loadmaster' has no attribute '{name}'")
    return getattr(import_module(f"geoplan.loadmaster.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
