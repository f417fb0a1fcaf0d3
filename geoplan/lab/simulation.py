"""The whole lab without a socket: units that answer requests, faults that hit them, and what operators can do.

A transport asks :meth:`Simulation.accepts` before it connects and carries out what :meth:`Simulation.handle` returns;
the lab's own one is in ``server``. With a :class:`geoplan.lab.SimulatedClock` every run is the same.
"""

from __future__ import annotations

import secrets
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Protocol

from geoplan.lab.api import v1
from geoplan.lab.api.commands import Context
from geoplan.lab.api.request import ApiError
from geoplan.lab.api.server import HTML, LOGIN_PAGE, V1, ApiServer
from geoplan.lab.device.network import DEFAULT_EPOCH, Network
from geoplan.lab.device.parameters import GEO_PARTNERS
from geoplan.lab.device.unit import Credentials
from geoplan.lab.faults import HEALTH, REBOOT, FaultKind, Faults
from geoplan.lab.http import Ending, Outcome, Response
from geoplan.lab.operations import Operations
from geoplan.lab.serve.request_log import describe_call, describe_fate, describe_page
from geoplan.lab.unit_faults import UnitFaults

if TYPE_CHECKING:
    from collections.abc import Callable

    from geoplan.lab.api.request import ApiRequest
    from geoplan.lab.api.server import WireFormat
    from geoplan.lab.clock import Clock, Timings
    from geoplan.lab.device.unit import Unit
    from geoplan.lab.faults import Injected
    from geoplan.lab.http import Request
    from geoplan.lab.operations import Result
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


class Simulation(Operations):
    """A topology's units as they answer.

    ``rate_limit`` is the number of API requests that a unit takes in a second, without it any number.
    ``standalone_health`` lets standalones serve the health check too. ``unpaired`` lets the units of pairs begin as
    fresh ones: single, without HA parameters. ``epoch`` is the time of day at which the clock shows 0, in seconds
    since 1970. ``on_change`` is called after everything that may open or close a port.
    Raises :class:`geoplan.lab.LabError` for impossible timings or firmware.
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
        self._unit_faults = UnitFaults(self.network, self.faults, on_change)
        self._appliances = {unit: self._appliance(unit) for unit in self.network.units.values()}

    def accepts(self, address: str, port: Port = "api") -> bool:
        """Tell whether a unit's port takes connections now, or refuses them."""
        unit = self.network.unit(address)
        if not unit.is_up or self._unit_faults.refuses(unit, port):
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

    def operate(self, action: Callable[[UnitFaults], Result]) -> Result:
        """Do something to the units."""
        return action(self._unit_faults)

    def _answer(self, unit: Unit, dialect: WireFormat, call: ApiRequest, happening: list[Injected]) -> Outcome:
        if call.command == "set" and _param(call) == GEO_PARTNERS:
            self._unit_faults.before_resubmission(unit)
        if call.command == REBOOT:
            self._unit_faults.prepare(unit, happening)
        outcome = self._hit(unit, happening, "api", partial(self._appliances[unit].carry_out, dialect, call))
        if call.command != REBOOT:
            self._unit_faults.apply(unit, happening)
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
            self._unit_faults.refuse(unit, injected, port)
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
        return ApiServer(Context(self.network, unit, lambda: self._unit_faults.expect_reboot(unit)), self.credentials)


def _param(call: ApiRequest) -> str | None:
    param = call.parameters.get("param")
    return param.lower() if isinstance(param, str) else None


def _told(outcome: Outcome, request: str, happening: list[Injected]) -> Outcome:
    log = f"{request} -> {describe_fate(outcome, happening)}"
    return Outcome(outcome.ending, outcome.response, outcome.delay_seconds, log)
