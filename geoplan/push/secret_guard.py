"""What the setting of a secret never does, asserted at every request of it, beside what no push ever does.

Never are the units of two sites apart by it at once: a site is begun only while every other one's units are known to
have the same; of a pair at work the standby comes first, seen in both ways a moment before. Once one unit may have it
the others follow whoever is active by then, for that is what makes them the same again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from geoplan.addresses import canonical
from geoplan.live.activity import AT_WORK, said, states_of
from geoplan.live.fleet import Fleet
from geoplan.live.model import State
from geoplan.push.guard import Guard, GuardError
from geoplan.push.guarded_unit import GuardedUnit
from geoplan.push.secret_progress import OF_SITES, secrets_of, sites_that_differ
from geoplan.push.secret_records import SettingSecret
from geoplan.push.secret_scope import recorded_alone

if TYPE_CHECKING:
    from geoplan.live.unit import Unit
    from geoplan.loadmaster.credentials import Secret
    from geoplan.push.journal import Journal

WHAT = "Partner Shared Secret"


class SecretGuard(Guard):
    """Knows what was seen of each unit whose secret is set, and which of these requests that allows."""

    def unit(self, unit: Unit) -> Unit:
        """Return a unit that takes no secret that is not allowed."""
        return cast("Unit", SecretUnit(unit, self))

    def before_secret(self, address: str) -> None:
        """Allow a secret on a unit whose setting is written down, and whose site's turn it is."""
        site, history = self._site_of[address], self._journal.history
        records = [each for each in history.records if isinstance(each, OF_SITES)]
        last = records[-1] if records else None
        if not isinstance(last, SettingSecret) or canonical(last.unit) != canonical(address):
            raise GuardError(address, WHAT, "the journal does not have it")
        if site.name in (recorded_alone(history) or ()):
            raise GuardError(address, WHAT, "its site has nothing to go back from")
        if not any(unit.address in history.backed_up for unit in site.units):
            raise GuardError(address, WHAT, "its site is not backed up")
        if not secrets_of(history, site.name).is_first_request:
            return  # one of them may have it already: all have to follow
        if others := [name for name in sites_that_differ(history) if name != site.name]:
            raise GuardError(address, WHAT, f"the units of {', '.join(others)} may have different secrets")
        site, looks = self._looked(address, WHAT)
        if site.kind == "ha_pair":
            states = states_of(looks)
            if sorted(states.values()) != AT_WORK or states[address] is not State.STANDBY:
                raise GuardError(address, WHAT, f"{said(looks)} at the last look")
        self._spend(site)


class SecretUnit(GuardedUnit):
    """One unit behind its guard."""

    def __init__(self, unit: Unit, guard: SecretGuard) -> None:
        super().__init__(unit, guard)
        self._own_guard = guard

    async def set_partner_secret(self, secret: Secret) -> None:
        """Set the Partner Shared Secret of this unit alone."""
        self._own_guard.before_secret(self.address)
        await self._unit.set_partner_secret(secret)


def guarded_for_secret(fleet: Fleet, journal: Journal) -> Fleet:
    """Return the same units for a push that sets the secret, with this journal."""
    guard = SecretGuard(fleet.plan, journal, fleet.clock, fleet.timings)
    units = {address: guard.unit(unit) for address, unit in fleet.units.items()}
    return Fleet(fleet.plan, units, fleet.clock, fleet.timings, jobs=fleet.jobs, is_on_paper=fleet.is_on_paper)
