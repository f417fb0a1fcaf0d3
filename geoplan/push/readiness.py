"""Before a reboot: both units healthy, the group up, and both lists on the slave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.errors import UnitError
from geoplan.push.addresses import same_addresses
from geoplan.push.context import StepError
from geoplan.push.facts import State
from geoplan.push.failures import reason_of
from geoplan.push.fleet import units_down
from geoplan.push.pair import said
from geoplan.push.waits import until

if TYPE_CHECKING:
    from geoplan.push.pair import Pair


async def require_ready(pair: Pair) -> None:
    """See the master active and the slave standing by, so that never both are down by our hand.

    The other units of the group have to be up as well, since links are made with those alone. Raises
    :class:`StepError` where that does not come true in time.
    """
    wanted = {pair.master: State.ACTIVE, pair.slave: State.STANDBY}
    timings, clock = pair.context.timings, pair.context.clock
    seen: dict[str, State] = {}
    down: list[str] = []

    async def look_at_pair() -> bool | None:
        seen.update(await pair.states())
        return True if seen == wanted else None

    async def look_at_group() -> bool | None:
        down[:] = await units_down(pair.context.fleet, pair.site)
        return None if down else True

    telling = pair.context.waiting(pair.reboot, "waiting until both units are healthy", pair.master)
    await until(clock, look_at_pair, within=timings.settle_deadline, every=timings.poll_seconds, on_wait=telling)
    if seen == wanted:
        telling = pair.context.waiting(pair.reboot, "waiting until its whole group is up", pair.master)
        if await until(
            clock, look_at_group, within=timings.return_deadline, every=timings.poll_seconds, on_wait=telling
        ):
            # One late answer of a health check is no reason to stop.
            await until(clock, look_at_pair, within=timings.settle_deadline, every=timings.poll_seconds)
    if seen != wanted:
        raise StepError(
            pair.reboot,
            f"the master must be active and the slave its standby before a reboot, but {said(seen)}",
            unit=pair.master,
            hint=f"bring {pair.slave} up, or make {pair.master} active again, then go on",
        )
    if down:
        raise StepError(
            pair.reboot,
            f"units of its group do not answer, so no link with them could be made: {', '.join(down)}",
            unit=pair.master,
            hint="bring them up, then go on",
        )


async def until_slave_has_lists(pair: Pair) -> str:
    """Wait for the replication of both lists; return what was seen."""
    slave, timings = pair.context.fleet.unit(pair.slave), pair.context.timings
    unreadable: list[str] = []

    async def look() -> bool | None:
        try:
            access, partners = await slave.remote_geo_access(), await slave.geo_partners()
        except UnitError as error:
            unreadable.append(reason_of(error))
            return False
        held = same_addresses(access, pair.site.remote_geo_access) and same_addresses(partners, pair.site.geo_partners)
        return True if held else None

    every = max(timings.poll_seconds, min(2.0, timings.sync_seconds / 20))
    telling = pair.context.waiting(pair.reboot, "waiting until the slave holds both lists", pair.slave)
    found = await until(pair.context.clock, look, within=timings.replication_deadline, every=every, on_wait=telling)
    if found is None:
        raise StepError(
            pair.reboot,
            f"the slave does not hold the new lists after {timings.replication_deadline:.0f} s: rebooting its "
            "master now would bring it up with the old ones",
            unit=pair.slave,
            hint="see that the pair synchronises (TCP port 6973), then go on",
        )
    if found:
        return "rebooted once the slave held both lists"
    seconds = 2 * timings.sync_seconds
    pair.note(f"{pair.slave}: the standby answers no reads ({unreadable[-1]}); waiting {seconds:.0f} s for replication")
    await pair.context.clock.sleep(seconds)
    return f"rebooted {seconds:.0f} s after the lists, since the standby answers no reads"
