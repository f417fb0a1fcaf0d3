"""What is rehearsed: a push of a topology, or of what leads to it from an older one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from geoplan.cli.files import plan_phases, planned_change
from geoplan.errors import GeoplanError

if TYPE_CHECKING:
    from collections.abc import Callable

    from geoplan.cli.files import OldState
    from geoplan.cli.options import ChangeOptions
    from geoplan.plan.model import Plan
    from geoplan.push.options import Options
    from geoplan.topology.model import Topology
    from geoplan.twin.cases import Plays


def plays_of(
    topology: Topology,
    phase: str | None,
    change: ChangeOptions,
    old: OldState | None,
    options_of: Callable[[Plan], Options],
) -> Plays:
    """Return what is rehearsed. Raises :class:`GeoplanError` where the units of OLD are not known."""
    from geoplan.plan.planner import make_plan
    from geoplan.twin.cases import Plays
    from geoplan.twin.union import united

    if old is None:
        plan = make_plan(topology, plan_phases(topology, phase))
        return Plays(plan, topology, replace(options_of(plan), max_clusters=topology.limits.max_clusters))
    if old.topology is None:
        raise GeoplanError(
            "OLD is a plan, which does not say how its units are",
            hint="give as OLD the topology that the plan was made of",
        )
    plan = planned_change(topology, old, change)
    options = replace(options_of(plan), max_clusters=topology.limits.max_clusters)
    return Plays(plan, united(topology, old.topology), options, old.plan, change.replaced)
