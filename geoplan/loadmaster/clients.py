"""Clients of many units at once, which share what there is one of: connections that wait, and the pace of each unit."""

from __future__ import annotations

import random
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from geoplan.loadmaster.client import LoadMaster
from geoplan.loadmaster.http import IdleConnections
from geoplan.loadmaster.pace import Paces
from geoplan.loadmaster.shared_credentials import SharedCredentials
from geoplan.topology.types import place_of_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    import httpx

    from geoplan.loadmaster.clock import Clock
    from geoplan.loadmaster.connection import UnitConnection
    from geoplan.loadmaster.credentials import Credentials
    from geoplan.loadmaster.http import ShownRequest
    from geoplan.loadmaster.session import Retries


@asynccontextmanager
async def connected(  # noqa: PLR0913 - options
    accesses: Mapping[str, UnitConnection],
    clock: Clock,
    *,
    transport_of: Callable[[str], httpx.AsyncBaseTransport] | None = None,
    jitter: Callable[[], float] = random.random,
    retries: Retries | None = None,
    observer_of: Callable[[str], Callable[[ShownRequest], None]] | None = None,
    dry_run: bool = False,
    paces: Paces | None = None,
) -> AsyncIterator[dict[str, LoadMaster]]:
    """Have a client for every unit while the block lasts; nothing is sent by that.

    A change is sent once: a push looks at the units again before it sends it a second time. ``paces`` are those of the
    process, where it has other clients of the same units.
    """
    idle = IdleConnections()
    paces = paces or Paces(clock)
    shared: list[tuple[Credentials, SharedCredentials]] = []
    async with AsyncExitStack() as stack:
        units = {}
        for address, access in accesses.items():
            known = next((each for credentials, each in shared if credentials == access.credentials), None)
            if known is None:
                known = SharedCredentials()
                shared.append((access.credentials, known))
            client = LoadMaster(
                access,
                transport=transport_of(address) if transport_of else None,
                clock=clock,
                jitter=jitter,
                retries=retries,
                observer=observer_of(address) if observer_of else None,
                changes_once=True,
                dry_run=dry_run,
                idle=idle,
                pace=paces.of(place_of_url(access.api_url)),
                shared=known,
            )
            units[address] = await stack.enter_async_context(client)
        yield units
