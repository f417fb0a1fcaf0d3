"""A failover drill on the twin: how it would go by what live units told, in simulated time. It proves nothing of them.

Boots and replication take as long as the topology says. A link that nobody told is taken as there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from geoplan.errors import PushRefusedError, PushStoppedError
from geoplan.lab.api.geo import SECONDS_OF_ARC
from geoplan.lab.device.geo import Cluster
from geoplan.live.polling import Timings
from geoplan.push.drill_report import report_of
from geoplan.push.options import Options
from geoplan.twin.cases import Plays, scratch_folder
from geoplan.twin.loop import run_simulated
from geoplan.twin.rehearsal import Heard, Rehearsal
from geoplan.twin.script import Script

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from geoplan.plan.model import ClusterDefinition, Plan
    from geoplan.push.drill_report import DrillReport
    from geoplan.twin.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class DrillForecast:
    """How a drill went on the twin."""

    report: DrillReport | None
    """What it showed; None where it was refused before its reboot."""
    problems: tuple[str, ...]
    """Why it was refused or stopped, if it was."""
    notes: tuple[str, ...]
    """What was taken as planned because no unit told it."""

    @property
    def is_well(self) -> bool:
        """Whether the site stayed in GEO there."""
        return not self.problems and self.report is not None and self.report.is_proven

    @property
    def verdict(self) -> str:
        """Say in one sentence how it went."""
        if self.report is None:
            return "the drill was refused there, with nothing rebooted"
        return self.report.verdict


def forecast_drill(snapshot: Snapshot, drill: Plan) -> DrillForecast:
    """Carry a drill out on the twin of live units."""
    with scratch_folder() as folder:
        return run_simulated(_forecast(snapshot, drill, folder))


async def _forecast(snapshot: Snapshot, drill: Plan, folder: Path) -> DrillForecast:
    lab, timings = Plays(drill, snapshot.topology, Options()).lab_timings, Timings.of(drill.estimates)
    script = Script(snapshot.topology, None, Options())
    made = Rehearsal(script, drill, folder, lab_timings=lab, timings=timings)
    world = snapshot.put_into(made.network, made.clock)
    for planned in drill.clusters:  # the checks on live units have seen them
        for site in drill.sites_of(planned.group):
            for unit in world.active_of(site.name):
                made.network.geo.put_cluster(unit, _cluster(planned))
    world.settle()
    problems: Sequence[str] = ()
    try:
        await made.push_once(Heard())
    except PushRefusedError as error:
        problems = error.problems or (str(error),)
    except PushStoppedError as error:
        problems = (str(error),)
    history = made.store.past().latest
    report = None if history is None else report_of(history, timings.poll_seconds)
    notes = (*snapshot.notes(), *(f"links of {unit}: not told, taken as there" for unit in snapshot.doubts()))
    return DrillForecast(report if report and report.failovers else None, tuple(problems), notes)


def _cluster(planned: ClusterDefinition) -> Cluster:
    place = planned.location
    north, east = (place.latitude, place.longitude) if place else (0.0, 0.0)
    seconds = [round(degrees * SECONDS_OF_ARC) for degrees in (north, east)]
    return Cluster(planned.address, planned.name, "remoteLM", latitude_seconds=seconds[0], longitude_seconds=seconds[1])
