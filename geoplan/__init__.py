"""geoplan plans GEO clusters of Kemp (Progress) LoadMasters.

    from geoplan import load_topology, make_plan

    plan = make_plan(load_topology("topologies/section-5.4.yaml"))
    for step in plan.steps:
        print(step.number, step.action, step.on.site, step.on.unit, plan.values(step))

Names are imported when they are first used, so that ``import geoplan`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from geoplan.errors import GeoplanError, InvalidInputError, UnusableFileError, UpgradeRefusedError
    from geoplan.plan.model import Action, Phase, Plan, Step
    from geoplan.plan.planner import make_plan
    from geoplan.plan.upgrade import make_upgrade, written_firmware
    from geoplan.topology.loader import check_topology, load_topology
    from geoplan.topology.model import HaPair, Site, Topology, Unit

_HOMES = {
    "GeoplanError": "geoplan.errors",
    "InvalidInputError": "geoplan.errors",
    "UnusableFileError": "geoplan.errors",
    "UpgradeRefusedError": "geoplan.errors",
    "Action": "geoplan.plan.model",
    "Phase": "geoplan.plan.model",
    "Plan": "geoplan.plan.model",
    "Step": "geoplan.plan.model",
    "make_plan": "geoplan.plan.planner",
    "make_upgrade": "geoplan.plan.upgrade",
    "written_firmware": "geoplan.plan.upgrade",
    "check_topology": "geoplan.topology.loader",
    "load_topology": "geoplan.topology.loader",
    "HaPair": "geoplan.topology.model",
    "Site": "geoplan.topology.model",
    "Topology": "geoplan.topology.model",
    "Unit": "geoplan.topology.model",
}

__all__ = [
    "Action",
    "GeoplanError",
    "HaPair",
    "InvalidInputError",
    "Phase",
    "Plan",
    "Site",
    "Step",
    "Topology",
    "Unit",
    "UnusableFileError",
    "UpgradeRefusedError",
    "check_topology",
    "load_topology",
    "make_plan",
    "make_upgrade",
    "written_firmware",
]


def __getattr__(name: str) -> object:
    """Import a public name from the module that defines it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'geoplan' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
