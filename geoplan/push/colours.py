"""The colours of partners just after they were submitted: a finding for people, never a reason to reboot anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.errors import UnitError
from geoplan.push.addresses import canonical
from geoplan.push.events import EventKind
from geoplan.push.fleet import units_down
from geoplan.push.waits import until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from geoplan.plan.model import Step
    from geoplan.push.context import Context
    from geoplan.push.unit import Unit

RED = ", and every partner stays red there"


async def _always() -> bool:
    return True


async def stay_red(
    context: Context, step: Step, unit: Unit, still_active: Callable[[], Awaitable[bool]] = _always
) -> bool:
    """Tell whether every partner that is up stays red on the unit on which partners were just submitted.

    One green partner is enough: another pair's slave may well be red until its own turn. Links get the time that a
    site has to settle, or as long as the unit is active. What a unit does not tell is no finding.
    """
    seen_red = False

    async def look() -> bool | None:
        nonlocal seen_red
        try:
            told = await unit.partner_status()
        except UnitError:
            return False
        if not await still_active():
            return seen_red
        colours = {canonical(address): green for address, green in told.items()}
        of_those_up = [colours.get(canonical(address)) for address in await _partners_up(context, step)]
        if not of_those_up or any(green is not False for green in of_those_up):
            return False
        seen_red = True
        return None

    timings = context.timings
    found = await until(
        context.clock,
        look,
        within=timings.settle_deadline,
        every=timings.poll_seconds,
        on_wait=context.waiting(step, "waiting until a partner turns green", unit.address),
    )
    is_red = seen_red if found is None else found
    if is_red:
        message = (
            f"{unit.address}: its partners were submitted and read back, but every partner that is up stays red there: "
            "it may not have applied the submission; the report at the end says what would finish it"
        )
        context.journal.write("note", site=step.site, message=message)
        context.say(EventKind.NOTE, message, step=step, unit=unit.address)
    return is_red


async def _partners_up(context: Context, step: Step) -> list[str]:
    """Return the addresses, as a site's partners list has them, of all units that are up."""
    own = context.site(step)
    down = set(await units_down(context.fleet, own))
    others = [site for site in context.plan.sites_of(own.group) if site.name != own.name]
    return [unit.nat_address or unit.address for site in others for unit in site.units if unit.address not in down]
