"""The lab: a topology served as simulated LoadMasters, written from the vendor's side of the wire.

    async with Lab(load_topology("topologies/section-5.4.yaml")) as lab:
        print(lab.endpoints.units["172.24.1.5"].api)

Names are imported when they are first used: the simulation alone needs no server.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geoplan.lab.background import BackgroundLab
    from geoplan.lab.clock import LoopClock, SimulatedClock, Timings
    from geoplan.lab.device.network import Network
    from geoplan.lab.device.unit import Credentials
    from geoplan.lab.errors import LabError
    from geoplan.lab.faults import Fault, FaultKind
    from geoplan.lab.http import Ending, Outcome, Request, Response
    from geoplan.lab.lab import Lab
    from geoplan.lab.serve.endpoints import Endpoints
    from geoplan.lab.simulation import Simulation

_HOMES = {
    "BackgroundLab": "background",
    "Credentials": "device.unit",
    "Ending": "http",
    "Endpoints": "serve.endpoints",
    "Fault": "faults",
    "FaultKind": "faults",
    "Lab": "lab",
    "LabError": "errors",
    "LoopClock": "clock",
    "Network": "device.network",
    "Outcome": "http",
    "Request": "http",
    "Response": "http",
    "SimulatedClock": "clock",
    "Simulation": "simulation",
    "Timings": "clock",
}

__all__ = [
    "BackgroundLab",
    "Credentials",
    "Ending",
    "Endpoints",
    "Fault",
    "FaultKind",
    "Lab",
    "LabError",
    "LoopClock",
    "Network",
    "Outcome",
    "Request",
    "Response",
    "SimulatedClock",
    "Simulation",
    "Timings",
]


def __getattr__(name: str) -> object:
    """Import a public name from the module that defines it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'geoplan.lab' has no attribute '{name}'")
    return getattr(import_module(f"geoplan.lab.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
