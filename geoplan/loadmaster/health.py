"""Active or standby, from the health check: no login needed (section 4)."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import httpx

from geoplan.loadmaster.exchange import exchange
from geoplan.loadmaster.http import unlogged
from geoplan.loadmaster.model import State
from geoplan.loadmaster.tls import causes_of, too_many_open_files
from geoplan.vendor import ACTIVE_CODE, STANDBY_CODE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

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
            _network(transport) as network,
            exchange(network, "GET", _url(url + "/"), timeout=httpx.Timeout(timeout_seconds)) as response,
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


@asynccontextmanager
async def _network(transport: httpx.AsyncBaseTransport | None) -> AsyncIterator[httpx.AsyncBaseTransport]:
    """Have the transport, which stays open, or the network for one request."""
    if transport:
        yield transport
        return
    # The check says nothing that a certificate could prove, and is HTTP.
    async with httpx.AsyncHTTPTransport(verify=False, trust_env=False) as own:
        yield own


@cache
def _url(text: str) -> httpx.URL:
    return httpx.URL(text)


def _is_refusal(error: BaseException) -> bool:
    """Return whether the unit itself refused the connection, rather than nobody taking it."""
    return any(isinstance(cause, ConnectionRefusedError) for cause in causes_of(error))
