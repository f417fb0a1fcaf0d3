"""The whole lab without a socket: units that answer requests, faults that hit them, and what operators can do.

A transport asks :meth:`Simulation.accepts` before it connects and carries out what :meth:`Simulation.handle` returns;
the lab's own one is in ``server``. With a :class:`geoplan.lab.SimulatedClock` every run is the same.
"""

from __future__ import annotations

import secrets
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from geoplan.lab.api import v1
from geoplan.lab.api.commands import Context
from geoplan.lab.api.commands.table import COMMANDS
from geoplan.lab.api.request import ApiError
from geoplan.lab.api.server import HTML, LOGIN_PAGE, V1, ApiServer
from geoplan.lab.device import state
from geoplan.lab.device.firmware import Firmware
from geoplan.lab.device.network import DEFAULT_EPOCH, Network
from geoplan.lab.device.parameters import GEO_PARTNERS
from geoplan.lab.device.unit import Credentials
from geoplan.lab.errors import LabError
from geoplan.lab.faults import HEALTH, REBOOT, Fault, FaultKind, Faults, Injected
from geoplan.lab.http import Ending, Outcome, Response
from geoplan.lab.serve.request_log import describe_call, describe_fate, describe_page
from geoplan.lab.unit_faults import UnitFaults

if TYPE_CHECKING:
    from collections.abc import Callable

    from geoplan.lab.api.request import ApiRequest
    from geoplan.lab.api.server import WireFormat
    from geoplan.lab.clock import Clock, Timings
    from geoplan.lab.device.unit import Unit
    from geoplan.lab.http import Request
    from geoplan.lab.unit_faults import Port
    from geoplan.topology.model import Topology

RATE_WINDOW_SECONDS = 1.0

_WRECKED = {
    FaultKind.REFUSE: Ending.RESET,
    FaultKind.RESET: Ending.RESET,
    FaultKind.TIMEOUT: Ending.SILENCE,
    FaultKind.TRUNCATE: Ending.TRUNCATED,
}
_ANSWERED = frozenset({FaultKind.SLOW, FaultKind.TRUNCATE, FaultKind.IGNORE})
_REPLACED: dict[FaultKind, Response] = {
    FaultKind.ERROR: Response(500, HTML, b"<html><body>Internal Server Error</body></html>\n"),
    FaultKind.HTML: Response(200, HTML, LOGIN_PAGE),
}


class Responder(Protocol):
    """What answers one request."""

    def __call__(self, *, pretend: bool) -> Response:
        """Do what is asked and answer it; when pretending, answer alone."""


class Simulation:
    """A topology's units as they answer.

    ``rate_limit`` is the number of API requests that a unit takes in a second, without it any number.
    ``standalone_health`` lets standalones serve the health check too. ``unpaired`` lets the units of pairs begin as
    fresh ones: single, without HA parameters. ``epoch`` is the time of day at which the clock shows 0, in seconds
    since 1970. ``on_change`` is called after everything that may open or close a port.
    Raises :class:`LabError` for impossible timings or firmware.
    """

    def __init__(  # noqa: PLR0913 - options
        self,
        topology: Topology,
        clock: Clock,
        *,
        timings: Timings | None = None,
        firmware: str | None = None,
        credentials: Credentials | None = None,
        rate_limit: int | None = None,
        standalone_health: bool = False,
        unpaired: bool = False,
        epoch: float = DEFAULT_EPOCH,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.clock = clock
        self.credentials = credentials or Credentials()
        self.faults = Faults()
        self._on_change = on_change
        self._standalone_health = standalone_health
        self._rate_limit = rate_limit
        self._recent: dict[str, deque[float]] = {}
        self.network = Network(
            topology,
            clock,
            timings,
            firmware=firmware,
            secret=secrets.token_urlsafe(24),
            unpaired=unpaired,
            epoch=epoch,
            on_change=on_change,
        )
        self._outages = UnitFaults(self.network, self.faults, on_change)
        self._appliances = {unit: self._appliance(unit) for unit in self.network.units.values()}

    def accepts(self, address: str, port: Port = "api") -> bool:
        """Tell whether a unit's port takes connections now, or refuses them."""
        unit = self.network.unit(address)
        if not unit.is_up or self._outages.refuses(unit, port):
            return False
        return port == "api" or self._serves_health(unit)

    def handle(self, address: str, request: Request) -> Outcome:
        """Let a unit answer a request to its API; what that changes has happened when this returns."""
        unit = self.network.unit(address)
        if not self.accepts(unit.address):
            return Outcome(Ending.REFUSED)
        if self._is_too_fast(unit):
            return _told(Outcome(Ending.CLOSED), f"{describe_page(request)} (rate limit)", [])
        appliance = self._appliances[unit]
        dialect = appliance.dialect_of(request)
        if dialect is None:
            return _told(Outcome(Ending.ANSWERED, appliance.page(request)), describe_page(request), [])
        if dialect is V1 and len(request.query) > v1.MAX_QUERY:
            return _told(Outcome(Ending.RESET), f"{describe_page(request)} (query too long)", [])
        try:
            call = dialect.read(request)
        except ApiError as refusal:
            response = dialect.write_refusal(refusal) if appliance.api_is_enabled else appliance.page(request)
            return _told(Outcome(Ending.ANSWERED, response), describe_page(request), [])
        happening = self.faults.met_by(unit.address, call.command, _param(call))
        outcome = self._answer(unit, dialect, call, happening)
        return _told(outcome, describe_call(dialect.name, request, call), happening)

    def check_health(self, address: str, request: Request) -> Outcome:
        """Let a unit answer its health check: 200 on the active one, 503 on the standby; by that it is polled."""
        unit = self.network.unit(address)
        if not self.accepts(unit.address, "health"):
            return Outcome(Ending.REFUSED)
        happening = self.faults.met_by(unit.address, HEALTH)
        status = 200 if self.network.is_active(unit) else 503
        response = Response(status, "text/plain", b"OK\n" if status == 200 else b"Service Unavailable\n")  # noqa: PLR2004
        outcome = self._hit(unit, happening, "health", lambda *, pretend: response)  # noqa: ARG005
        if outcome.ending is Ending.ANSWERED:
            self.network.note_poll(unit)
        return _told(outcome, f"health {describe_page(request)}", happening)

    def inject(self, fault: Fault | str) -> int:
        """Set a fault, given as such or as ``--fault`` takes it; return the number that lifts it.

        Raises :class:`LabError` for a fault that could never happen, such as one of an unknown unit or command.
        """
        wanted = Fault.parse(fault) if isinstance(fault, str) else fault
        if wanted.unit is not None:
            self.network.unit(wanted.unit)
        name = (wanted.trigger or HEALTH).partition(":")[0]
        if name != HEALTH and name not in COMMANDS:
            raise LabError(f"no unit knows the command '{name}'", hint="see `listapi` for the commands there are")
        number = self.faults.inject(wanted)
        self._outages.begin(Injected(number, wanted))
        self._on_change()
        return number

    def lift(self, number: int) -> None:
        """Take a fault away: who does not return boots now, who refuses accepts again."""
        self.faults.lift(number)
        self._outages.recover()
        self._on_change()

    def lift_all(self) -> None:
        """Take all faults away."""
        for number, _ in list(self.faults):
            self.lift(number)

    def fail_over(self, site: str) -> None:
        """Let a pair's active unit step down for its standby. Raises :class:`LabError` where there is none."""
        self.network.fail_over(site)

    def power_off(self, address: str) -> None:
        """Cut a unit's power. Raises :class:`LabError` for an unknown unit, as the next ones do."""
        self.network.power_off(self.network.unit(address))

    def power_on(self, address: str) -> None:
        """Give a unit power again; it then boots."""
        self.network.power_on(self.network.unit(address))

    def reboot(self, address: str) -> None:
        """Reboot a unit at once, with the faults that are set for its reboot."""
        unit = self.network.unit(address)
        self._outages.reboot(unit, self.faults.met_by(unit.address, REBOOT))

    def upgrade(self, address: str, version: str) -> None:
        """Reboot a unit into another firmware, newer or older.

        It keeps its configuration, and comes without a secret into a firmware that brings the Partner Shared Secret.
        Raises :class:`LabError` for what is no version, and for a unit that is not up.
        """
        unit, firmware = self.network.unit(address), Firmware(version)
        if not unit.is_up:
            raise LabError(f"{unit.address} is not up", hint="give it power, and upgrade it once it has booted")
        self.network.upgrade(unit, firmware)
        self.reboot(address)

    def lose_configuration(self, address: str) -> None:
        """Take a unit's configuration and its memory of submitted partners."""
        self.network.lose_configuration(self.network.unit(address))

    def state(self) -> dict[str, Any]:
        """Return everything there is to know, without secrets, as JSON would hold it."""
        return state.describe(self.network, self.faults)

    def _answer(self, unit: Unit, dialect: WireFormat, call: ApiRequest, happening: list[Injected]) -> Outcome:
        if call.command == "set" and _param(call) == GEO_PARTNERS:
            self._outages.before_resubmission(unit)
        if call.command == REBOOT:
            self._outages.prepare(unit, happening)
        outcome = self._hit(unit, happening, "api", partial(self._appliances[unit].carry_out, dialect, call))
        if call.command != REBOOT:
            self._outages.hit(unit, happening)
        return outcome

    def _hit(self, unit: Unit, happening: list[Injected], port: Port, respond: Responder) -> Outcome:
        """Answer a request as far as the first fault of requests lets it."""
        injected = next((injected for injected in happening if not injected.fault.kind.hits_unit), None)
        if injected is None:
            return Outcome(Ending.ANSWERED, respond(pretend=False))
        fault = injected.fault
        response: Response | None
        if fault.kind in _ANSWERED:
            response = respond(pretend=not fault.is_applied)
        else:
            if fault.is_applied:
                respond(pretend=False)
            response = _REPLACED.get(fault.kind)
        if fault.kind is FaultKind.REFUSE:
            self._outages.refuse(unit, injected, port)
        delay = fault.delay_seconds if fault.kind is FaultKind.SLOW else 0.0
        return Outcome(_WRECKED.get(fault.kind, Ending.ANSWERED), response, delay)

    def _serves_health(self, unit: Unit) -> bool:
        """Tell whether a unit serves the health check on the topology's port, for which its endpoint stands.

        That a unit in mode single, or without a port, refuses it is a guess.
        """
        if unit.role == "standalone":
            return self._standalone_health
        return unit.ha.mode != "single" and unit.ha.health_check_port == unit.published_health_port

    def _is_too_fast(self, unit: Unit) -> bool:
        if self._rate_limit is None:
            return False
        now = self.clock.now()
        recent = self._recent.setdefault(unit.address, deque())
        while recent and now - recent[0] >= RATE_WINDOW_SECONDS:
            recent.popleft()
        if len(recent) >= self._rate_limit:
            return True
        recent.append(now)
        return False

    def _appliance(self, unit: Unit) -> ApiServer:
        return ApiServer(Context(self.network, unit, lambda: self._outages.expect_reboot(unit)), self.credentials)


def _param(call: ApiRequest) -> str | None:
    param = call.parameters.get("param")
    return param.lower() if isinstance(param, str) else None


def _told(outcome: Outcome, request: str, happening: list[Injected]) -> Outcome:
    log = f"{request} -> {describe_fate(outcome, happening)}"
    return Outcome(outcome.ending, outcome.response, outcome.delay_seconds, log)
