"""``join_ha_pair``: the new unit of a pair gets its HA parameters by hand, and the push waits until the pair works."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.errors import UnitError
from geoplan.live.activity import AT_WORK, said, states_of
from geoplan.live.fleet import only_active
from geoplan.push.boots import boot_time
from geoplan.push.by_hand import until_done_by_hand
from geoplan.push.context import StepError
from geoplan.push.outcome import Outcome, StepState
from geoplan.vendor import HA_PARAMETERS

if TYPE_CHECKING:
    from geoplan.plan.model import Step
    from geoplan.push.context import Context


async def join_ha_pair(context: Context, step: Step) -> Outcome:
    """Wait until both units of a pair name each other and exactly one is active, the other its standby.

    Raises :class:`StepError` where they run different firmware then.
    """
    site = context.plan.site(step.on.site)
    master, slave = (unit.address for unit in site.units)
    port = context.plan.health_check_port_of(site.name)
    looked = 0

    async def look() -> str | None:
        nonlocal looked
        looked += 1
        looks = await context.fleet.look(site)
        if sorted(states_of(looks).values()) != AT_WORK or not await _name_each_other(context, master, slave):
            return None
        return said(looks)

    shown = (
        f"set {HA_PARAMETERS} so that {master} is the master with the partner {slave}, and {slave} the slave with the "
        f"partner {master}, health check port {port}; the unit that is left last"
    )
    told = await until_done_by_hand(context, step, look, what=shown)
    units = [context.fleet.unit(address) for address in (master, slave)]
    try:
        versions = [await unit.firmware() for unit in units]
        for unit in units:
            if (booted := await boot_time(unit)) is not None:
                context.seen.boot_times[unit.address] = booted  # whoever set the pair up may have rebooted them
    except UnitError as error:
        raise StepError(step, f"the pair works, but cannot be read: {error.reason}", unit=error.unit) from None
    if len(set(versions)) > 1:
        message = f"its units run different firmware: {master} {versions[0]}, {slave} {versions[1]}"
        raise StepError(step, message, unit=slave, hint="bring both to one version, then go on")
    active = only_active(states_of(await context.fleet.look(site)))
    return Outcome(StepState.IN_PLACE if looked == 1 else StepState.BY_HAND, active, told)


async def _name_each_other(context: Context, master: str, slave: str) -> bool:
    for address, other, mode in ((master, slave, "master"), (slave, master, "slave")):
        try:
            found = await context.fleet.unit(address).ha_parameters()
        except UnitError:
            return False
        if found is None or found.mode != mode or not found.partner:
            return False
        if canonical(other) not in {*map(canonical, found.partner_addresses), canonical(found.partner)}:
            return False
    return True
