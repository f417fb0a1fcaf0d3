"""Active or standby, from the health check: no login needed (section 4)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import httpx

from geoplan.loadmaster.http import SharedTransport, unlogged
from geoplan.loadmaster.model import State
from geoplan.loadmaster.tls import causes_of, too_many_open_files
from geoplan.vendor import ACTIVE_CODE, STANDBY_CODE

_STATES = {ACTIVE_CODE: State.ACTIVE, STANDBY_CODE: State.STANDBY}

REFUSED = "refused"
TIMEOUT = "timeout"
UNREACHABLE = "unreachable"
CUT_OFF = "cut off"


@dataclass(frozen=True, slots=True)
class HealthAnswer:
    """Who a unit is by its health check, and what that was concluded from."""

    state: State
    said: str
    """The HTTP status code, or ``refused``, ``timeout``, ``unreachable``, ``cut off``."""


async def health_answer(
    url: str, *, timeout_seconds: float = 3.0, transport: httpx.AsyncBaseTransport | None = None
) -> HealthAnswer:
    """Ask a health check and return what it answers; never raises for what the unit does.

    One request, no redirect followed, no proxy used. ``transport`` replaces the network and stays open. Raises
    :class:`geoplan.errors.TooManyOpenFilesError` where this machine allows no further connection.
    """
    with unlogged():
        return await _answer(url, timeout_seconds, transport)


async def _answer(url: str, timeout_seconds: float, transport: httpx.AsyncBaseTransport | None) -> HealthAnswer:
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
            return HealthAnswer(_STATES.get(code, State.UNKNOWN), str(code))
    except httpx.ConnectError as error:
        if own_failure := too_many_open_files(error):
            raise own_failure from None
        return HealthAnswer(State.DOWN, REFUSED if _is_refusal(error) else UNREACHABLE)
    except (httpx.TimeoutException, TimeoutError):
        return HealthAnswer(State.DOWN, TIMEOUT)
    except (httpx.HTTPError, OSError):
        return HealthAnswer(State.UNKNOWN, CUT_OFF)


def _is_refusal(error: BaseException) -> bool:
    """Return whether the unit itself refused the connection, rather than nobody taking it."""
    return any(isinstance(cause, ConnectionRefusedError) for cause in causes_of(error))
