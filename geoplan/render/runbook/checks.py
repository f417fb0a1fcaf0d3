"""What to see to before the first step, and after the last: what every plan needs, and what its phases add."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.plan.model import Phase
from geoplan.render.runbook import checks_geo, checks_ha, checks_upgrade, wui
from geoplan.render.runbook.model import Check
from geoplan.render.runbook.prose import prose

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from geoplan.render.runbook.context import RunbookContext
    from geoplan.render.runbook.phase_checks import PhaseChecks

CHECKS: Mapping[Phase, PhaseChecks] = {
    Phase.HA: checks_ha.CHECKS,
    Phase.GEO: checks_geo.CHECKS,
    Phase.FIRMWARE: checks_upgrade.CHECKS,
}


def before_you_begin(bearings: RunbookContext) -> Iterator[Check]:
    """Yield what has to be true before the first step."""
    phases = _phases_of(bearings)
    for phase in phases:
        yield from phase.units_are_ready(bearings)
    ports = dict.fromkeys(line for phase in phases for line in phase.ports(bearings))
    yield Check("ports", prose("The ports are open"), tuple(ports))
    yield Check(
        "backup",
        prose("Every unit has a fresh backup, {} in all", prose(str(sum(len(site.units) for site in bearings.sites)))),
        (
            prose("{}, then {}.", wui.BACKUP.path, wui.CREATE_BACKUP),
            prose("Name each file after its unit and keep all of them where you can reach them tonight."),
        ),
    )
    for phase in phases:
        yield from phase.way_back(bearings)
    yield Check(
        "alone",
        prose("Nobody else changes anything until the last check is ticked"),
        (
            prose(
                "Not on these units, not on the load balancer in front of them, not on the network between the sites."
            ),
        ),
    )


def verify(bearings: RunbookContext) -> Iterator[Check]:
    """Yield what shows that all of it worked."""
    for phase in _phases_of(bearings):
        yield from phase.verify(bearings)


def _phases_of(bearings: RunbookContext) -> tuple[PhaseChecks, ...]:
    return tuple(CHECKS[phase] for phase in bearings.phases)
