"""What the tests of rehearsals play: a pair and a standalone, and units of section 5.3, with quick boots."""

from __future__ import annotations

from geoplan.plan.change import make_change
from geoplan.plan.model import Phase
from geoplan.plan.planner import make_plan
from geoplan.push.options import Options
from geoplan.topology.loader import load_topology
from geoplan.topology.model import Topology
from geoplan.twin.cases import Plays
from geoplan.twin.union import united
from tests.conftest import TOPOLOGIES

BOOT, SYNC = 20.0, 5.0


def quick(topology: Topology) -> Topology:
    """Return a topology whose units boot and replicate quickly."""
    timing = {"boot_seconds": BOOT, "sync_seconds": SYNC}
    return Topology.model_validate(topology.model_dump() | {"timing": timing})


def section(number: str, *phases: Phase) -> Plays:
    """Return a push of a section's example, of GEO or of these phases."""
    topology = quick(load_topology(TOPOLOGIES / f"section-{number}.yaml"))
    return Plays(make_plan(topology, phases or (Phase.GEO,)), topology, Options())


def change(old: Topology, new: Topology, *, clean: bool = False) -> Plays:
    """Return the change from one topology to another."""
    before = make_plan(old, (Phase.GEO,))
    return Plays(make_change(new, before, cleans_leaving=clean), united(new, old), Options(), before)
