"""A lab for programs without an event loop: it runs in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Self, TypeVar

from geoplan.lab.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from geoplan.lab.device.unit import Credentials
    from geoplan.lab.faults import Fault
    from geoplan.lab.serve.endpoints import Endpoints
    from geoplan.topology.model import Topology

Result = TypeVar("Result")


class BackgroundLab:
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

    def inject(self, fault: Fault | str) -> int:
        """Set a fault; see :meth:`Simulation.inject`."""
        return self._call(lambda: self._lab.inject(fault))

    def lift(self, number: int) -> None:
        """Take a fault away by its number."""
        self._call(lambda: self._lab.lift(number))

    def lift_all(self) -> None:
        """Take all faults away."""
        self._call(self._lab.lift_all)

    def fail_over(self, site: str) -> None:
        """Let a pair's active unit step down for its standby."""
        self._call(lambda: self._lab.fail_over(site))

    def power_off(self, address: str) -> None:
        """Cut a unit's power."""
        self._call(lambda: self._lab.power_off(address))

    def power_on(self, address: str) -> None:
        """Give a unit power again; it then boots."""
        self._call(lambda: self._lab.power_on(address))

    def upgrade(self, address: str, version: str) -> None:
        """Reboot a unit into another firmware; see :meth:`Simulation.upgrade`."""
        self._call(lambda: self._lab.upgrade(address, version))

    def lose_configuration(self, address: str) -> None:
        """Take a unit's configuration and its memory of submitted partners."""
        self._call(lambda: self._lab.lose_configuration(address))

    def state(self) -> dict[str, Any]:
        """Return everything there is to know, without secrets, as JSON would hold it."""
        return self._call(self._lab.state)

    def _call(self, action: Callable[[], Result]) -> Result:
        """Do something in the lab's own thread."""

        async def act() -> Result:
            return action()

        return asyncio.run_coroutine_threadsafe(act(), self._loop).result()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
