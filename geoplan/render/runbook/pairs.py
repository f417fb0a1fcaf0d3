"""The pairs that are formed: what is set on each unit, and what it then shows of itself (sections 6.2 and 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.render.runbook import wui
from geoplan.render.runbook.context import BUSY, OK
from geoplan.render.runbook.model import UnitParameters, UnitState
from geoplan.render.runbook.prose import Name, Value, prose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.render.runbook.context import RunbookContext

STATES = (
    UnitState(wui.MASTER, prose("In master mode, before there is anything that asks for its health.")),
    UnitState(wui.SLAVE, prose("In slave mode, before there is anything that asks for its health.")),
    UnitState(wui.MASTER_UNCONNECTED, prose("The master waits: the load balancer has not asked it yet.")),
    UnitState(wui.SLAVE_UNCONNECTED, prose("The slave waits: the load balancer has not asked it yet.")),
    UnitState(wui.MASTER_ACTIVE, prose("The master is asked, and has the traffic: it answers {}.", OK)),
    UnitState(wui.MASTER_STANDBY, prose("The master is asked, and waits for the slave to fail: it answers {}.", BUSY)),
    UnitState(wui.SLAVE_ACTIVE, prose("The slave is asked, and has the traffic: it answers {}.", OK)),
    UnitState(wui.SLAVE_STANDBY, prose("The slave is asked, and waits for the master to fail: it answers {}.", BUSY)),
)


def parameters_of_units(bearings: RunbookContext) -> Iterator[UnitParameters]:
    """Yield both units of each pair with what is to be set on them."""
    for site, pair in bearings.ha_pairs.items():
        for unit in (pair.master, pair.slave):
            yield UnitParameters(
                site=Name(site),
                role=unit.mode,
                address=Value(unit.address),
                mode=wui.MODES[unit.mode],
                preferred=wui.PREFERRED_CHOICE[unit.preferred_host],
                partner=Value(unit.partner),
                port=Value(str(unit.health_check_port)),
                all_interfaces="yes" if unit.all_interfaces else "no",
            )
