"""The lab: a topology's units, served on loopback until it is left; for programs without an event loop, in a thread."""

from __future__ import annotations

import asyncio
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from geoplan.lab.clock import DEFAULT_BOOT_SECONDS, DEFAULT_FAILOVER_SECONDS, DEFAULT_SYNC_SECONDS, LoopClock, Timings
from geoplan.lab.errors import LabError
from geoplan.lab.operations import Operations
from geoplan.lab.serve.certificates import make_certificate
from geoplan.lab.serve.control import control_app
from geoplan.lab.serve.endpoints import Endpoints, UnitEndpoint
from geoplan.lab.serve.http import units_app
from geoplan.lab.serve.listener import Listener, server_config
from geoplan.lab.simulation import DEFAULT_RATE_LIMIT, Simulation
from geoplan.lab.variants import as_variants

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

    from geoplan.lab.device.unit import Credentials
    from geoplan.lab.faults import Fault
    from geoplan.lab.operations import Result
    from geoplan.lab.unit_faults import Port, UnitFaults
    from geoplan.lab.variants import Variant
    from geoplan.topology.model import Topology

MAX_PORT = 65535


class Lab(Operations):
    """Serve every unit of a topology on loopback while the ``async with`` block lasts.

    The times are in seconds. Ports are free ones, or from ``port_base`` on: the control endpoint, then each unit's
    API and health check in order of declaration. Entering raises :class:`LabError` where a port is taken or the
    timings cannot be; afterwards everything answers. For what else the options mean see :class:`Simulation`.
    """

    def __init__(  # noqa: PLR0913 - options
        self,
        topology: Topology,
        *,
        boot_seconds: float = DEFAULT_BOOT_SECONDS,
        failover_seconds: float = DEFAULT_FAILOVER_SECONDS,
        sync_seconds: float = DEFAULT_SYNC_SECONDS,
        firmware: str | None = None,
        credentials: Credentials | None = None,
        faults: Sequence[Fault | str] = (),
        variants: Sequence[Variant | str] = (),
        port_base: int | None = None,
        rate_limit: int | None = DEFAULT_RATE_LIMIT,
        standalone_health: bool = False,
        unpaired: bool = False,
    ) -> None:
        self._simulate = partial(
            Simulation,
            topology,
            timings=Timings(boot_seconds, failover_seconds, sync_seconds),
            firmware=firmware,
            credentials=credentials,
            rate_limit=rate_limit,
            standalone_health=standalone_health,
            unpaired=unpaired,
            variants=as_variants(variants),
        )
        self._faults = faults
        self._port_base = port_base
        self._listeners: dict[tuple[str, Port], Listener] = {}
        self._control: Listener | None = None
        self._simulation: Simulation | None = None
        self._endpoints: Endpoints | None = None

    async def __aenter__(self) -> Self:
        """Start, and return once every unit answers."""
        self._clock = LoopClock()
        epoch = time.time() - self._clock.now()
        self._simulation = self._simulate(clock=self._clock, epoch=epoch, on_change=self._follow)
        try:
            for fault in self._faults:
                self._simulation.inject(fault)
            self._endpoints = self._bind(self._simulation)
            self._follow()
            await asyncio.gather(*(listener.opened() for listener in self._all_listeners()))
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop at once; every connection ends and every port is free again."""
        await self._stop()

    @property
    def simulation(self) -> Simulation:
        """The units behind the ports. Raises :class:`LabError` before the lab has been entered."""
        if self._simulation is None:
            raise LabError("the lab is not running", hint="enter it with `async with`")
        return self._simulation

    @property
    def endpoints(self) -> Endpoints:
        """Where everything answers. Raises :class:`LabError` before the lab has been entered."""
        if self._endpoints is None:
            raise LabError("the lab is not running", hint="enter it with `async with`")
        return self._endpoints

    @property
    def credentials(self) -> Credentials:
        """Who may use the units' API."""
        return self.simulation.credentials

    def operate(self, action: Callable[[UnitFaults], Result]) -> Result:
        """Do something to the units; only in the thread of the loop that serves them."""
        return self.simulation.operate(action)

    def _bind(self, simulation: Simulation) -> Endpoints:
        addresses = list(simulation.network.units)
        ports = _ports(self._port_base, 1 + 2 * len(addresses))
        self._control = Listener(next(ports), server_config(control_app(simulation)), {})
        config = server_config(units_app(simulation))
        units = {}
        for address in addresses:
            certificate = make_certificate(address)
            api = Listener(next(ports), config, {"address": address, "port": "api"}, certificate.context)
            self._listeners[address, "api"] = api
            health = Listener(next(ports), config, {"address": address, "port": "health"})
            self._listeners[address, "health"] = health
            units[address] = UnitEndpoint(api.url, health.url, certificate.fingerprint)
        return Endpoints(units, self._control.url)

    def _follow(self) -> None:
        """Open and close the ports as the units' state wants them."""
        if self._control and self._simulation:
            self._control.set_open(wanted=True)
            for (address, port), listener in self._listeners.items():
                listener.set_open(wanted=self._simulation.accepts(address, port))

    def _all_listeners(self) -> list[Listener]:
        return [*self._listeners.values(), *([self._control] if self._control else [])]

    async def _stop(self) -> None:
        self._clock.stop()
        listeners = self._all_listeners()
        self._listeners, self._control = {}, None
        await asyncio.gather(*(listener.stop() for listener in listeners))


class BackgroundLab(Operations):
    """Serve a topology while the ``with`` block lasts; takes what :class:`Lab` takes and raises what it raises."""

    def __init__(self, topology: Topology, **options: Any) -> None:  # noqa: ANN401 - the lab's options
        self._lab = Lab(topology, **options)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="geoplan-lab", daemon=True)

    def __enter__(self) -> Self:
        """Start, and return once every unit answers."""
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._lab.__aenter__(), self._loop).result()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop at once; every port is free again and the thread has ended."""
        try:
            asyncio.run_coroutine_threadsafe(self._lab.__aexit__(kind, error, traceback), self._loop).result()
        finally:
            self._end()

    @property
    def endpoints(self) -> Endpoints:
        """Where everything answers."""
        return self._lab.endpoints

    @property
    def credentials(self) -> Credentials:
        """Who may use the units' API."""
        return self._lab.credentials

    def operate(self, action: Callable[[UnitFaults], Result]) -> Result:
        """Do something to the units, in the lab's own thread."""
        return self._call(lambda: self._lab.operate(action))

    def _call(self, action: Callable[[], Result]) -> Result:
        """Do something in the lab's own thread."""

        async def act() -> Result:
            return action()

        return asyncio.run_coroutine_threadsafe(act(), self._loop).result()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def _ports(base: int | None, needed: int) -> Iterator[int]:
    """Return the ports to take: that many from the base on, or zeros, which stand for free ones."""
    if base is None:
        return iter([0] * needed)
    if not 1 <= base <= MAX_PORT - needed + 1:
        exists = 1 <= base <= MAX_PORT
        reason = f"from {base} on there are not that many" if exists else f"there is no port {base}"
        raise LabError(
            f"the lab needs {needed} ports, and {reason}",
            hint=f"choose a --port-base from 1024 to {MAX_PORT - needed + 1}",
        )
    return iter(range(base, base + needed))
