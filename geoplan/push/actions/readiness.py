"""Before a reboot: both units healthy, the group up, both lists on both units, and nobody else at work."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from geoplan.addresses import same_addresses
from geoplan.errors import UnitError, UnitRefusedError
from geoplan.live.activity import said, states_of
from geoplan.live.findings import NoteKind
from geoplan.live.fleet import units_down
from geoplan.live.model import State
from geoplan.push.boots import as_clock_time, boot_time, is_another_boot, room_at
from geoplan.push.context import StepError, StoppedError
from geoplan.vendor import MAX_REBOOTS, SYNC_PORT
from geoplan.wording import local_time

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from geoplan.live.activity import Look
    from geoplan.plan.model import Step
    from geoplan.push.context import Context


def require_room(context: Context, step: Step, unit: str, booted: datetime | None = None) -> None:
    """Raise :class:`StepError` where one more reboot of a unit, by all pushes and its own word, would pacify it."""
    later = room_at(context.ledger.reboots_of(unit), context.clock.wall(), booted)
    if later is not None:
        raise StepError(
            step,
            f"it was rebooted {MAX_REBOOTS} times in 5 minutes; one more reboot, and it makes itself passive",
            unit=unit,
            hint=f"go on after {local_time(later)}",
        )


class Pair:
    """A pair with its two steps."""

    roles = ("master", "slave")
    """What messages call the unit that reboots, and the one that takes over."""

    def __init__(self, context: Context, reboot: Step, resubmission: Step) -> None:
        self.context = context
        self.reboot = reboot
        self.resubmission = resubmission
        self.site = context.plan.site(reboot.site)
        """The pair as a site of the plan."""
        self.master, self.slave = (unit.address for unit in self.site.units)
        """Their addresses."""
        self.master_unit = context.fleet.unit(self.master)
        self.slave_unit = context.fleet.unit(self.slave)

    async def look(self, *, is_last: bool = False) -> dict[str, Look]:
        """Look at both units; ``is_last`` just before a request that relies on it."""
        return await self.context.fleet.look(self.site, is_last=is_last)

    async def slave_is_active(self) -> bool:
        """Return whether the slave is the one active unit now; where that is not told, or twofold, it is asked again.

        The slave's own word is enough: its master is rebooting, and tells nothing.
        """

        async def look() -> bool | None:
            states = states_of(await self.look(is_last=True))
            master, slave = states[self.master], states[self.slave]
            if master is State.ACTIVE or slave is State.STANDBY:
                return False
            return True if slave is State.ACTIVE and master is not State.CONTRADICTORY else None

        return bool(await self.context.until(look, within=self.context.timings.settle_timeout))

    def stop_if_wanted(self) -> None:
        """Raise :class:`StoppedError` where the operator wants an end: nothing was sent yet."""
        if self.context.stop.requested:
            raise StoppedError

    def note(self, kind: NoteKind, message: str) -> None:
        """Write something worth knowing into the journal, and say it."""
        self.context.note(kind, message, site=self.site.name)


class Holds(Enum):
    """What a slave says of the new lists."""

    BOTH = auto()
    NOT_YET = auto()
    REFUSES = auto()
    """It explicitly refuses reads, as a standby may: an answer in the API's own format, over a connection whose
    certificate is believed, while its health check answers 503."""
    UNTOLD = auto()
    """It gave no answer that tells anything: unreachable, another certificate, refused credentials, no API."""


async def require_ready(pair: Pair) -> None:
    """See the master active and the slave standing by, so that never both are down because of this push.

    The other units of the group have to be up as well, since links are made with those alone. Raises
    :class:`StepError` where that does not come true in time.
    """
    context, timings = pair.context, pair.context.timings
    wanted = {pair.master: State.ACTIVE, pair.slave: State.STANDBY}
    seen: dict[str, Look] = {}
    down: list[str] = []

    async def look_at_pair() -> bool | None:
        seen.update(await pair.look())
        if states_of(seen) == wanted:
            return True
        pair.stop_if_wanted()
        return None

    async def look_at_group() -> bool | None:
        down[:] = await units_down(context.fleet, pair.site)
        if not down:
            return True
        pair.stop_if_wanted()
        return None

    waiting = context.reporter.waiting
    telling = waiting(pair.reboot, "waiting until both units are healthy", pair.master)
    await context.until(look_at_pair, within=timings.settle_timeout, on_wait=telling)
    if states_of(seen) == wanted:
        telling = waiting(pair.reboot, "waiting until its whole group is up", pair.master)
        if await context.until(look_at_group, within=timings.return_deadline, on_wait=telling):
            # One late answer of a health check is no reason to stop.
            await context.until(look_at_pair, within=timings.settle_timeout)
    if states_of(seen) != wanted:
        raise StepError(
            pair.reboot,
            f"the {pair.roles[0]} must be active and the {pair.roles[1]} its standby before a reboot, but {said(seen)}",
            unit=pair.master,
            hint=_way_back(pair, seen),
        )
    if down:
        raise StepError(
            pair.reboot,
            f"units of its group do not answer, so no link with them could be made: {', '.join(down)}",
            unit=pair.master,
            hint="bring them up, then go on",
        )


def _way_back(pair: Pair, seen: Mapping[str, Look]) -> str:
    if State.CONTRADICTORY in states_of(seen).values():
        return "see why health check and API do not agree on who is active, then go on"
    return f"bring {pair.slave} up, or make {pair.master} active again, then go on"


async def require_undisturbed(pair: Pair) -> None:
    """See that neither unit was rebooted since the checks, and that the master holds both lists.

    The reboots of this push are its own doing. Raises :class:`StepError` where somebody else is at work.
    """
    context = pair.context
    for unit in (pair.master_unit, pair.slave_unit):
        known, now = context.seen.boot_times.get(unit.address), await boot_time(unit)
        if known is None or now is None or context.history.reboots_of(unit.address):
            continue
        if is_another_boot(known, now):
            raise StepError(
                pair.reboot,
                "it was rebooted since the checks, and not by this push: "
                f"it says {as_clock_time(now)}, and said {as_clock_time(known)}",
                unit=unit.address,
                hint="find out why; then go on, which checks everything again",
            )
    try:
        access, partners = await pair.master_unit.remote_geo_access(), await pair.master_unit.geo_partners()
    except UnitError as error:
        message = f"its lists cannot be read before its reboot: {error.reason}"
        raise StepError(pair.reboot, message, unit=pair.master) from None
    if not same_addresses(access, pair.site.remote_geo_access) or not same_addresses(partners, pair.site.geo_partners):
        raise StepError(
            pair.reboot,
            "its lists are not the plan's any more, so it is not rebooted",
            unit=pair.master,
            hint="find out who else changes them; then go on, which checks everything again",
        )


async def what_slave_holds(pair: Pair) -> tuple[Holds, str]:
    """Ask the slave once for both lists; return what it says, and why where it says nothing.

    A list that it tells counts, whatever it refuses of the other.
    """
    slave, refusal = pair.slave_unit, ""
    for read, wanted in (
        (slave.remote_geo_access, pair.site.remote_geo_access),
        (slave.geo_partners, pair.site.geo_partners),
    ):
        try:
            held = await read()
        except UnitRefusedError as error:
            refusal = error.reason
            continue
        except UnitError as error:
            return Holds.UNTOLD, error.reason
        if not same_addresses(held, wanted):
            return Holds.NOT_YET, ""
    if not refusal:
        return Holds.BOTH, ""
    # A refusal counts while the health check itself answers 503; what the API says of itself is no second witness.
    is_standby = (await pair.look(is_last=True))[pair.slave].health is State.STANDBY
    return (Holds.REFUSES if slave.is_trusted and is_standby else Holds.UNTOLD), refusal


async def until_slave_has_lists(pair: Pair) -> str:
    """Wait for the replication of both lists; return what was seen.

    A slave that explicitly refuses reads gets the full time of a replication. One that tells nothing in another way
    is not believed to hold anything: raises :class:`StepError`.
    """
    context, timings = pair.context, pair.context.timings
    last, reason = Holds.NOT_YET, ""

    async def look() -> Holds | None:
        nonlocal last, reason
        last, reason = await what_slave_holds(pair)
        if last in (Holds.BOTH, Holds.REFUSES):
            return last
        pair.stop_if_wanted()
        return None

    every = max(timings.poll_seconds, min(2.0, timings.sync_seconds / 20))
    telling = context.reporter.waiting(pair.reboot, f"waiting until the {pair.roles[1]} holds both lists", pair.slave)
    await context.until(look, within=timings.replication_deadline, every=every, on_wait=telling)
    match last:
        case Holds.BOTH:
            return f"rebooted once the {pair.roles[1]} held both lists"
        case Holds.NOT_YET:
            raise StepError(
                pair.reboot,
                f"the {pair.roles[1]} does not hold the new lists after {timings.replication_deadline:.0f} s: "
                f"rebooting the {pair.roles[0]} now would bring it up with the old ones",
                unit=pair.slave,
                hint=f"see that the pair synchronises (TCP port {SYNC_PORT}), then go on",
            )
        case Holds.UNTOLD:
            raise StepError(
                pair.reboot,
                f"the {pair.roles[1]} has not told whether it holds the new lists ({reason}), so the {pair.roles[0]} "
                "is not rebooted",
                unit=pair.slave,
                hint="see that its API answers from here, then go on",
            )
    seconds = timings.replication_seconds
    message = f"{pair.slave}: the standby refuses reads ({reason}); waiting {seconds:.0f} s for replication"
    pair.note(NoteKind.STANDBY_REFUSES, message)
    await context.clock.sleep(seconds)
    return f"rebooted {seconds:.0f} s after the lists, since the standby refuses reads"
