"""Active or standby, from the health check: no login needed (section 4)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx

from geoplan.loadmaster.model import HaState
from geoplan.loadmaster.transport import Borrowed

if TYPE_CHECKING:
    from geoplan.loadmaster.access import UnitAccess

_STATES = {200: HaState.ACTIVE, 503: HaState.STANDBY}


async def ha_state(
    url: str, *, timeout_seconds: float = 3.0, transport: httpx.AsyncBaseTransport | None = None
) -> HaState:
    """Return who the unit behind a health check is now; never raises for what the unit does.

    One request, no redirect followed, no proxy used. ``transport`` replaces the network and stays open.
    """
    try:
        async with (
            asyncio.timeout(2 * timeout_seconds),
            httpx.AsyncClient(
                transport=Borrowed(transport) if transport else None,
                verify=False,  # noqa: S501 - the check says nothing that a certificate could prove, and is HTTP
                trust_env=False,
                timeout=timeout_seconds,
            ) as client,
            client.stream("GET", url + "/") as response,
        ):
            return _STATES.get(response.status_code, HaState.UNKNOWN)
    except (httpx.ConnectError, httpx.TimeoutException, TimeoutError):
        return HaState.DOWN
    except (httpx.HTTPError, OSError):
        return HaState.UNKNOWN


async def ha_state_of(access: UnitAccess, *, transport: httpx.AsyncBaseTransport | None = None) -> HaState:
    """Return who a unit is now; a unit without a health check is ``UNKNOWN``."""
    if access.health_url is None:
        return HaState.UNKNOWN
    return await ha_state(access.health_url, timeout_seconds=access.timeouts.health, transport=transport)
