"""Active or standby, from the health check: no login needed (section 4)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from geoplan.loadmaster.http import SharedTransport
from geoplan.loadmaster.model import HaState
from geoplan.loadmaster.tls import causes_of, too_many_open_files
from geoplan.vendor import ACTIVE_CODE, STANDBY_CODE

if TYPE_CHECKING:
    from geoplan.loadmaster.connection import UnitConnection

_STATES = {ACTIVE_CODE: HaState.ACTIVE, STANDBY_CODE: HaState.STANDBY}

REFUSED = "refused"
TIMEOUT = "timeout"
UNREACHABLE = "unreachable"
CUT_OFF = "cut off"


@dataclass(frozen=True, slots=True)
class HealthAnswer:
    """Who a unit is by its health check, and what that was concluded from."""

    state: HaState
    said: str
    """The HTTP status code, or ``refused``, ``timeout``, ``unreachable``, ``cut off``."""


async def ha_state(
    url: str, *, timeout_seconds: float = 3.0, transport: httpx.AsyncBaseTransport | None = None
) -> HaState:
    """Return who the unit behind a health check is now; never raises for what the unit does."""
    return (await health_answer(url, timeout_seconds=timeout_seconds, transport=transport)).state


async def health_answer(
    url: str, *, timeout_seconds: float = 3.0, transport: httpx.AsyncBaseTransport | None = None
) -> HealthAnswer:
    """Ask a health check and return what it answers; never raises for what the unit does.

    One request, no redirect followed, no proxy used. ``transport`` replaces the network and stays open. Raises
    :class:`geoplan.errors.TooManyOpenFilesError` where this machine allows no further connection.
    """
    try:
        async with (
            asyncio.timeout(2 * timeout_seconds),
            httpx.AsyncClient(
                transport=SharedTransport(transport) if transport else None,
                verify=False,  # noqa: S501 - the check says nothing that a certificate could prove, and is HTTP
                trust_env=False,
                timeout=timeout_seconds,
            ) as client,
            client.stream("GET", url + "/") as response,
        ):
            code = response.status_code
            return HealthAnswer(_STATES.get(code, HaState.UNKNOWN), str(code))
    except httpx.ConnectError as error:
        if own_failure := too_many_open_files(error):
            raise own_failure from None
        return HealthAnswer(HaState.DOWN, REFUSED if _is_refusal(error) else UNREACHABLE)
    except (httpx.TimeoutException, TimeoutError):
        return HealthAnswer(HaState.DOWN, TIMEOUT)
    except (httpx.HTTPError, OSError):
        return HealthAnswer(HaState.UNKNOWN, CUT_OFF)


async def ha_state_of(access: UnitConnection, *, transport: httpx.AsyncBaseTransport | None = None) -> HaState:
    """Return who a unit is now; a unit without a health check is ``UNKNOWN``."""
    answer = await health_answer_of(access, transport=transport)
    return answer.state if answer else HaState.UNKNOWN


async def health_answer_of(
    access: UnitConnection, *, transport: httpx.AsyncBaseTransport | None = None
) -> HealthAnswer | None:
    """Return what a unit's health check answers now, or nothing for a unit without one."""
    if access.health_url is None:
        return None
    return await health_answer(access.health_url, timeout_seconds=access.timeouts.health, transport=transport)


def _is_refusal(error: BaseException) -> bool:
    """Tell whether the unit itself refused the connection, rather than nobody taking it."""
    return any(isinstance(cause, ConnectionRefusedError) for cause in causes_of(error))
