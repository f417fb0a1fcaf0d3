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
    from geoplan.errors import ChangeRefusedError as ChangeRefusedError
    from geoplan.errors import GeoplanError as GeoplanError
    from geoplan.errors import InvalidInputError as InvalidInputError
    from geoplan.errors import UnusableFileError as UnusableFileError
    from geoplan.errors import UpgradeRefusedError as UpgradeRefusedError
    from geoplan.plan.change import make_change as make_change
    from geoplan.plan.model import Action as Action
    from geoplan.plan.model import Phase as Phase
    from geoplan.plan.model import Plan as Plan
    from geoplan.plan.model import Step as Step
    from geoplan.plan.planner import make_plan as make_plan
    from geoplan.plan.upgrade import make_upgrade as make_upgrade
    from geoplan.plan.upgrade import written_firmware as written_firmware
    from geoplan.topology.loader import check_topology as check_topology
    from geoplan.topology.loader import load_topology as load_topology
    from geoplan.topology.model import HaPair as HaPair
    from geoplan.topology.model import Site as Site
    from geoplan.topology.model import Topology as Topology
    from geoplan.topology.model import Unit as Unit
    from geoplan.topology.part import only_groups as only_groups

_NAMES = {
    "errors": ("ChangeRefusedError", "GeoplanError", "InvalidInputError", "UnusableFileError", "UpgradeRefusedError"),
    "plan.change": ("make_change",),
    "plan.model": ("Action", "Phase", "Plan", "Step"),
    "plan.planner": ("make_plan",),
    "plan.upgrade": ("make_upgrade", "written_firmware"),
    "topology.loader": ("check_topology", "load_topology"),
    "topology.model": ("HaPair", "Site", "Topology", "Unit"),
    "topology.part": ("only_groups",),
}
_HOMES = dict(sorted((name, f"geoplan.{module}") for module, names in _NAMES.items() for name in names))

__all__ = list(_HOMES)


def __getattr__(name: str) -> object:
    """Import a public name from the module that defines it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'geoplan' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
