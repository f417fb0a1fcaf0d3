"""A pair on its way through reboot and resubmission, as its parts see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from geoplan.push.facts import State
from geoplan.push.waits import until

if TYPE_CHECKING:
    from geoplan.plan.model import SiteSettings, Step
    from geoplan.push.context import Context
    from geoplan.push.events import NoteKind
    from geoplan.push.unit import Unit


@dataclass(frozen=True)
class Pair:
    """A pair with its two steps."""

    context: Context
    reboot: Step
    resubmission: Step

    @property
    def site(self) -> SiteSettings:
        """The pair as a site of the plan."""
        return self.context.plan.site(self.reboot.site)

    @property
    def master(self) -> str:
        """The master's address."""
        return self.site.units[0].address

    @property
    def slave(self) -> str:
        """The slave's address."""
        return self.site.units[1].address

    @property
    def master_unit(self) -> Unit:
        """The master itself."""
        return self.context.fleet.unit(self.master)

    @property
    def slave_unit(self) -> Unit:
        """The slave itself."""
        return self.context.fleet.unit(self.slave)

    async def states(self) -> dict[str, State]:
        """Return what both health checks say now."""
        return await self.context.fleet.states(self.site)

    async def slave_is_active(self) -> bool:
        """Tell whether the slave is the one active unit now; where it gives no answer, it is asked again."""

        async def look() -> bool | None:
            states = await self.states()
            master, slave = states[self.master], states[self.slave]
            if master is State.ACTIVE or slave is State.STANDBY:
                return False
            return True if slave is State.ACTIVE else None

        timings = self.context.timings
        return bool(await until(self.context.clock, look, within=timings.settle_deadline, every=timings.poll_seconds))

    def note(self, kind: NoteKind, message: str) -> None:
        """Write something worth knowing into the journal, and say it."""
        self.context.note(kind, message, site=self.site.name)


def said(states: dict[str, State]) -> str:
    """Say states in words."""
    return ", ".join(f"{address} is {state}" for address, state in states.items())
