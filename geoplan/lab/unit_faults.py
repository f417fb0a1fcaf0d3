"""Faults applied to units: reboots and how units come back from them, closed ports, lost answers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from geoplan.lab.api.commands import COMMANDS
from geoplan.lab.device.parameters import GEO_PARTNERS
from geoplan.lab.errors import LabError
from geoplan.lab.faults import FLAPS, HEALTH, REBOOT, FaultKind, Injected
from geoplan.lab.http import Ending, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from geoplan.lab.device.network import Network
    from geoplan.lab.device.unit import Unit
    from geoplan.lab.faults import Fault, Faults
    from geoplan.lab.http import Responder

Port = Literal["api", "health"]

GOODBYE_SECONDS = 0.05  # a reboot is answered before the unit is gone


class UnitFaults:
    """Who is about to go down, who does not come back by itself, and whose ports refuse."""

    def __init__(self, network: Network, faults: Faults, on_change: Callable[[], None]) -> None:
        self.network = network
        self.faults = faults
        self._on_change = on_change
        self._refusing: dict[tuple[Unit, Port], int] = {}
        self._prepared: dict[Unit, list[Injected]] = {}
        self._leaving: set[Unit] = set()
        self._held: dict[Unit, int] = {}
        self._early: dict[Unit, int] = {}

    def refuses(self, unit: Unit, port: Port) -> bool:
        """Return whether a port refuses although its unit is up."""
        return (unit, port) in self._refusing

    def inject(self, fault: Fault) -> int:
        """Set a fault and return its number; a refusal that waits for no request begins.

        Raises :class:`LabError` for one of an unknown unit or command.
        """
        if fault.unit is not None:
            self.network.unit(fault.unit)
        name = (fault.trigger or HEALTH).partition(":")[0]
        if name != HEALTH and name not in COMMANDS:
            raise LabError(f"no unit knows the command '{name}'", hint="see `listapi` for the commands there are")
        injected = Injected(self.faults.inject(fault), fault)
        if injected.fault.begins_at_once:
            port: Port = "health" if fault.trigger == HEALTH else "api"
            for unit in self.network.units.values():
                if fault.concerns(unit.address):
                    self._refuse(unit, injected, port)
        self._on_change()
        return injected.number

    def lift(self, number: int) -> None:
        """Take a fault away: who does not return boots now, who refuses accepts again."""
        self.faults.lift(number)
        self._refusing = {port: number for port, number in self._refusing.items() if number in self.faults}
        back = [unit for unit, number in self._held.items() if number not in self.faults]
        for unit in back:
            del self._held[unit]
            self.network.power_on(unit)
        self._on_change()

    def expect_reboot(self, unit: Unit) -> None:
        """Reboot a unit as soon as it has answered, however slowly; asked twice, it still reboots once."""
        if unit not in self._leaving:
            happening = self._prepared.pop(unit, [])
            slowness = sum(fault.late_seconds for _, fault in happening)
            self._leaving.add(unit)
            self.network.clock.call_later(GOODBYE_SECONDS + slowness, lambda: self._reboot(unit, happening))

    def answer(self, unit: Unit, command: str, parameter: str | None, respond: Responder) -> Outcome:
        """Answer a command, or the health check, as far as the faults let it, and apply those that hit the unit."""
        happening = self.faults.met_by(unit.address, command, parameter)
        if command == "set" and parameter == GEO_PARTNERS:
            self._before_resubmission(unit)
        if command == REBOOT:
            self._prepared[unit] = happening
        outcome = self._answer_with_fault(unit, "health" if command == HEALTH else "api", happening, respond)
        if command not in (REBOOT, HEALTH):
            self.apply(unit, happening)
        if not happening:
            return outcome
        return replace(outcome, faults=tuple(f"fault {number}: {fault.kind}" for number, fault in happening))

    def apply(self, unit: Unit, happening: Iterable[Injected]) -> None:
        """Apply to a unit, once it has answered, the faults that were waiting for another command than reboot."""
        of_unit = [injected for injected in happening if injected.fault.kind.hits_unit]
        if any(injected.fault.kind is FaultKind.LOSE_CONFIGURATION for injected in of_unit):
            self.network.lose_configuration(unit)
        crashes = [injected for injected in of_unit if injected.fault.kind is not FaultKind.LOSE_CONFIGURATION]
        if crashes:
            self._prepared[unit] = crashes
            self.expect_reboot(unit)

    def reboot(self, unit: Unit) -> None:
        """Reboot a unit now, with the faults that are set for its reboot."""
        self._reboot(unit, self.faults.met_by(unit.address, REBOOT))

    def _refuse(self, unit: Unit, injected: Injected, port: Port) -> None:
        """Close a port, for the fault's seconds or until it is lifted."""
        number, fault = injected
        self._refusing[unit, port] = number
        if fault.seconds is not None:
            self.network.clock.call_later(fault.seconds, lambda: self._accept_again(unit, port, injected))
        self._on_change()

    def _accept_again(self, unit: Unit, port: Port, injected: Injected) -> None:
        if self._refusing.get((unit, port)) == injected.number:
            del self._refusing[unit, port]
        if injected.fault.begins_at_once and injected.number in self.faults:
            self.faults.lift(injected.number)
        self._on_change()

    def _before_resubmission(self, unit: Unit) -> None:
        """Finish the boot of a partner that is to be back before this unit takes a partners list."""
        pair = self.network.pair_of(unit)
        if pair and self._early.get(pair.partner_of(unit)) in self.faults:
            partner = pair.partner_of(unit)
            del self._early[partner]
            self.network.finish_boot(partner)

    def _answer_with_fault(self, unit: Unit, port: Port, happening: Iterable[Injected], respond: Responder) -> Outcome:
        """Answer a request as far as the first fault of requests lets it."""
        injected = next((injected for injected in happening if not injected.fault.kind.hits_unit), None)
        if injected is None:
            return Outcome(Ending.ANSWERED, respond(pretend=False))
        outcome = injected.fault.answer(respond)
        if injected.fault.closes_port:
            self._refuse(unit, injected, port)
        return outcome

    def _reboot(self, unit: Unit, happening: Iterable[Injected]) -> None:
        self._leaving.discard(unit)
        if not unit.is_up:
            return
        kinds = {injected.fault.kind: injected for injected in happening if injected.number in self.faults}
        self._early.pop(unit, None)
        self.network.reboot(unit, returns=FaultKind.NO_RETURN not in kinds)
        if injected := kinds.get(FaultKind.NO_RETURN):
            self._held[unit] = injected.number
        if injected := kinds.get(FaultKind.EARLY_RETURN):
            self._early[unit] = injected.number
        if FaultKind.LOSE_CONFIGURATION in kinds:
            self.network.lose_configuration(unit)
        if injected := kinds.get(FaultKind.FLAP):
            self._expect_flap(unit, injected, FLAPS)

    def _expect_flap(self, unit: Unit, injected: Injected, left: int) -> None:
        def again() -> None:
            if injected.number in self.faults and unit.is_up:
                self.network.reboot(unit)
                if left > 1:
                    self._expect_flap(unit, injected, left - 1)

        self.network.clock.call_later(self.network.timings.boot_seconds + injected.fault.delay_seconds, again)
