"""What an update never does, asserted at every request of it, beside what no push ever does.

Never are both units of a pair down by it: a unit gets firmware, or is rebooted, only while the other one is up, seen in
both ways a moment before; and the active one only once its partner runs the new version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from geoplan.addresses import canonical
from geoplan.live.activity import AT_WORK, said, states_of
from geoplan.live.fleet import Fleet
from geoplan.live.model import State
from geoplan.push import firmware_records as updates
from geoplan.push.firmware_progress import is_version, runs_it
from geoplan.push.guard import Guard, GuardError
from geoplan.push.guarded_unit import GuardedUnit

if TYPE_CHECKING:
    from geoplan.live.unit import Unit
    from geoplan.loadmaster.firmware import FirmwareImage
    from geoplan.push.journal import Journal
    from geoplan.push.record import Record

_OF_UNITS = updates.Installing | updates.Installed | updates.Booting | updates.Preferring


class FirmwareGuard(Guard):
    """Knows what was seen of each unit of an update, and which of its requests that allows."""

    def unit(self, unit: Unit) -> Unit:
        """Return a unit that takes nothing of an update that is not allowed."""
        return cast("Unit", FirmwareUnit(unit, self))

    def note_answer(self, address: str, question: str, answer: object) -> None:
        """Note what a unit answered, its version included."""
        super().note_answer(address, question, answer)
        if question == "firmware":
            self._seen[address].read[question] = answer

    def before_install(self, address: str) -> None:
        """Allow firmware for a unit that is backed up, was seen not to run it, and whose turn it is."""
        self._require_turn(address, "installation")
        if not self._is_backed_up(address):
            raise GuardError(address, "installation", "its site is not backed up")
        self._require_last(address, "installation", updates.Installing)

    def before_boot(self, address: str) -> None:
        """Allow the reboot of a unit that may have new firmware, and whose turn it is."""
        self._require_turn(address, "reboot")
        self._require_last(address, "reboot", updates.Booting)

    def before_preferred_host(self, address: str) -> None:
        """Allow another preferred host on a pair at work whose unit has told its HA parameters."""
        what = "preferred host"
        site, looks = self._looked(address, what)
        if sorted(states_of(looks).values()) != AT_WORK:
            raise GuardError(address, what, f"{said(looks)} at the last look")
        if "ha_parameters" not in self._seen[address].read:
            raise GuardError(address, what, "its HA parameters were not read before")
        self._require_last(address, what, updates.Preferring)
        self._spend(site)

    def _require_turn(self, address: str, what: str) -> None:
        """Check that a unit's turn has come, and that its partner goes on meanwhile."""
        plan = self._plan
        site, looks = self._looked(address, what)
        version = self._seen[address].read.get("firmware")
        if plan.firmware is None or version is None:
            raise GuardError(address, what, "it has not told its version in this push")
        if is_version(version, plan.firmware.to):
            raise GuardError(address, what, f"it runs {version} already")
        if site.kind == "ha_pair":
            partner = self._partner(site, address)
            states = states_of(looks)
            if sorted(states.values()) != AT_WORK or not self._seen[partner].has_told:
                raise GuardError(address, what, f"{said(looks)} at the last look")
            if states[address] is State.ACTIVE and not runs_it(plan, self._journal.history, partner):
                raise GuardError(address, what, f"it is active, and its standby {partner} is not updated yet")
        self._spend(site)

    def _is_backed_up(self, address: str) -> bool:
        backed_up = self._journal.history.backed_up
        return any(unit.address in backed_up for unit in self._site_of[address].units)

    def _require_last(self, address: str, what: str, kind: type[Record]) -> None:
        for record in reversed(self._journal.history.records):
            if isinstance(record, _OF_UNITS) and canonical(record.unit) == canonical(address):
                if isinstance(record, kind):
                    return
                break
        raise GuardError(address, what, "the journal does not have it")


class FirmwareUnit(GuardedUnit):
    """One unit of an update behind its guard."""

    def __init__(self, unit: Unit, guard: FirmwareGuard) -> None:
        super().__init__(unit, guard)
        self._own_guard = guard

    async def install_firmware(self, image: FirmwareImage) -> None:
        """Send it an image."""
        self._own_guard.before_install(self.address)
        self._guard.written(self.address, "firmware")
        await self._unit.install_firmware(image)

    async def restore_firmware(self) -> None:
        """Have it go back to the firmware before."""
        self._own_guard.before_install(self.address)
        self._guard.written(self.address, "firmware")
        await self._unit.restore_firmware()

    async def set_preferred_host(self, partner: str, *, prefers_master: bool) -> None:
        """Set whether the master takes over again."""
        self._own_guard.before_preferred_host(self.address)
        self._guard.written(self.address, "ha_parameters")
        await self._unit.set_preferred_host(partner, prefers_master=prefers_master)

    async def reboot(self) -> None:
        """Ask it to boot into its new firmware."""
        self._own_guard.before_boot(self.address)
        self._guard.written(self.address, "firmware")
        await self._unit.reboot()


def guarded_for_update(fleet: Fleet, journal: Journal) -> Fleet:
    """Return the same units for an update with this journal: none takes a change that an update never makes."""
    guard = FirmwareGuard(fleet.plan, journal, fleet.clock, fleet.timings)
    units = {address: guard.unit(unit) for address, unit in fleet.units.items()}
    return Fleet(fleet.plan, units, fleet.clock, fleet.timings, jobs=fleet.jobs, is_on_paper=fleet.is_on_paper)
