"""A lab for programs without an event loop: it runs in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Self

from geoplan.lab.lab import Lab
from geoplan.lab.operations import Operations

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from geoplan.lab.device.unit import Credentials
    from geoplan.lab.operations import Result
    from geoplan.lab.serve.endpoints import Endpoints
    from geoplan.lab.unit_faults import UnitFaults
    from geoplan.topology.model import Topology


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
