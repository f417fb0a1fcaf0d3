"""The lab: a topology served as simulated LoadMasters, written from the vendor's side of the wire.

    async with Lab(load_topology("topologies/section-5.4.yaml")) as lab:
        print(lab.endpoints.units["172.24.1.5"].api)

What serves is imported when it is first used: the simulation alone needs no server.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from geoplan.lab.clock import LoopClock, SimulatedClock, Timings
from geoplan.lab.device.network import Network
from geoplan.lab.device.unit import Credentials
from geoplan.lab.errors import LabError
from geoplan.lab.faults import Fault, FaultKind
from geoplan.lab.http import Ending, Outcome, Request, Response
from geoplan.lab.simulation import Simulation
from geoplan.lab.variants import Variant

if TYPE_CHECKING:
    from geoplan.lab.lab import BackgroundLab, Lab
    from geoplan.lab.serve.endpoints import Endpoints

_SERVING = {"BackgroundLab": "lab", "Endpoints": "serve.endpoints", "Lab": "lab"}

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
    "Variant",
]


def __getattr__(name: str) -> object:
    """Import what serves from the module that defines it."""
    if name not in _SERVING:
        raise AttributeError(f"module 'geoplan.lab' has no attribute '{name}'")
    return getattr(import_module(f"geoplan.lab.{_SERVING[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
