"""The whole lab without a socket: units that answer requests, faults that hit them, and what operators can do.

A transport asks :meth:`Simulation.accepts` before it connects and carries out what :meth:`Simulation.handle` returns;
the lab's own one is in ``serve``. With a :class:`geoplan.lab.SimulatedClock` every run is the same.
"""

from __future__ import annotations

import secrets
from collections import deque
from typing import TYPE_CHECKING

from geoplan.lab.api.request import Context
from geoplan.lab.api.server import ApiServer
from geoplan.lab.clock import Timings
from geoplan.lab.device.network import DEFAULT_EPOCH, Network
from geoplan.lab.device.unit import Credentials
from geoplan.lab.faults import HEALTH, Faults
from geoplan.lab.http import Ending, Outcome, Response
from geoplan.lab.operations import Operations
from geoplan.lab.request_log import describe_page, with_log
from geoplan.lab.unit_faults import UnitFaults
from geoplan.lab.variants import Variant, as_variants
from geoplan.vendor import CALLS_WINDOW_SECONDS, MAX_CALLS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from geoplan.lab.api.request import ApiRequest
    from geoplan.lab.clock import Clock
    from geoplan.lab.device.unit import Unit
    from geoplan.lab.http import Request, Responder
    from geoplan.lab.operations import Result
    from geoplan.lab.unit_faults import Port
    from geoplan.topology.model import Topology

DEFAULT_RATE_LIMIT = MAX_CALLS
REAL_BOOT_SECONDS = 60.0


class Simulation(Operations):
    """A topology's units as they answer.

    ``rate_limit`` is the number of calls that a unit takes in :data:`CALLS_WINDOW_SECONDS`, over all interfaces of its
    API; beyond it drops the connection. None or 0 is any number. By default, units that boot faster than real ones
    count in a time that is shorter by as much.
    ``standalone_health`` lets standalones serve the health check too. ``unpaired`` lets the units of pairs begin as
    fresh ones: single, without HA parameters. ``epoch`` is the time of day at which the clock shows 0, in seconds
    since 1970. ``variants`` take the other side where sources disagree on what units do. ``on_change`` is called after
    everything that may open or close a port. Raises :class:`geoplan.lab.LabError` for impossible timings, firmware
    or variants.
    """

    def __init__(  # noqa: PLR0913 - options
        self,
        topology: Topology,
        clock: Clock,
        *,
        timings: Timings | None = None,
        firmware: str | None = None,
        credentials: Credentials | None = None,
        rate_limit: int | None = DEFAULT_RATE_LIMIT,
        standalone_health: bool = False,
        unpaired: bool = False,
        epoch: float = DEFAULT_EPOCH,
        variants: Iterable[Variant | str] = (),
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.clock = clock
        self.credentials = credentials or Credentials()
        self.faults = Faults()
        self.variants = as_variants(variants)
        self._standalone_health = standalone_health
        self._rate_limit = rate_limit
        haste = min(1.0, (timings or Timings()).boot_seconds / REAL_BOOT_SECONDS) if rate_limit == MAX_CALLS else 1.0
        self._rate_window = CALLS_WINDOW_SECONDS * haste
        self._recent: dict[str, deque[float]] = {}
        self.network = Network(
            topology,
            clock,
            timings,
            firmware=firmware,
            secret=secrets.token_urlsafe(24),
            unpaired=unpaired,
            epoch=epoch,
            variants=self.variants,
            on_change=on_change,
        )
        self._unit_faults = UnitFaults(self.network, self.faults, on_change)
        self.servers = {unit: self._server(unit) for unit in self.network.units.values()}

    def accepts(self, address: str, port: Port = "api", at: int | None = None) -> bool:
        """Return whether a unit's port takes connections now, or refuses them; ``at`` as in :meth:`serves_health`."""
        unit = self.network.unit(address)
        if not unit.is_up or self._unit_faults.refuses(unit, port):
            return False
        return port == "api" or self.serves_health(unit, at)

    def handle(self, address: str, request: Request) -> Outcome:
        """Answer a request to a unit's API; what that changes has happened when this returns."""
        unit = self.network.unit(address)
        if not self.accepts(unit.address):
            return Outcome(Ending.REFUSED)
        if self._is_too_fast(unit):
            return with_log(Outcome(Ending.CLOSED), f"{describe_page(request)} (rate limit)")

        def apply_faults(call: ApiRequest, respond: Responder) -> Outcome:
            return self._unit_faults.answer(unit, call.command, call.param, respond)

        return self.servers[unit].handle(request, apply_faults)

    def check_health(self, address: str, request: Request, at: int | None = None) -> Outcome:
        """Answer a unit's health check: 200 on the active one, 503 on the standby; by that it is polled."""
        unit = self.network.unit(address)
        if not self.accepts(unit.address, "health", at):
            return Outcome(Ending.REFUSED)
        status = 200 if self.network.is_active(unit) else 503
        response = Response(status, "text/plain", b"OK\n" if status == 200 else b"Service Unavailable\n")  # noqa: PLR2004
        outcome = self._unit_faults.answer(unit, HEALTH, None, lambda *, pretend: response)  # noqa: ARG005
        if outcome.ending is Ending.ANSWERED:
            self.network.note_poll(unit)
        return with_log(outcome, f"health {describe_page(request)}")

    def operate(self, action: Callable[[UnitFaults], Result]) -> Result:
        """Do something to the units."""
        return action(self._unit_faults)

    def serves_health(self, unit: Unit, at: int | None = None) -> bool:
        """Return whether a unit serves the health check at a TCP port; None: at the one for which its endpoint stands.

        That is the topology's, and that of a pair whose units have agreed on another one.
        That a unit in mode single, or without a port, refuses it is a guess.
        """
        if Variant.HEALTH_CLOSED in self.variants:
            return False
        if unit.role == "standalone":
            return self._standalone_health
        pair = self.network.pair_of(unit)
        if at is None and pair and pair.is_formed:
            return True
        return unit.ha.mode != "single" and unit.ha.health_check_port == (at or unit.published_health_port)

    def _is_too_fast(self, unit: Unit) -> bool:
        if not self._rate_limit:
            return False
        now = self.clock.now()
        recent = self._recent.setdefault(unit.address, deque())
        while recent and now - recent[0] >= self._rate_window:
            recent.popleft()
        if len(recent) >= self._rate_limit:
            return True
        recent.append(now)
        return False

    def _server(self, unit: Unit) -> ApiServer:
        context = Context(self.network, unit, lambda: self._unit_faults.expect_reboot(unit), self.variants)
        return ApiServer(context, self.credentials)
