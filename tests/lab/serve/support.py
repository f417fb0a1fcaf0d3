"""A lab on real sockets, for the tests of what crosses a network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from geoplan.lab.lab import Lab
from tests.lab.support import CREDENTIALS, example

QUICK: dict[str, Any] = {"boot_seconds": 0.3, "failover_seconds": 0.1, "sync_seconds": 0.05}
AUTH = httpx.BasicAuth("bal", "correct horse")
IDENTITY = {"apiuser": "bal", "apipass": "correct horse"}


@asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[tuple[Lab, httpx.AsyncClient]]:
    """Serve the example of section 5.4; the client trusts everyone and asks no proxy."""
    async with (
        Lab(example(), credentials=CREDENTIALS, **{**QUICK, **options}) as lab,
        httpx.AsyncClient(verify=False, trust_env=False, timeout=10) as client,  # noqa: S501 - loopback
    ):
        yield lab, client


async def refused(url: str) -> None:
    """See a new connection refused: one that is kept alive could still be about to end."""
    async with httpx.AsyncClient(verify=False, trust_env=False, timeout=10) as client:  # noqa: S501 - loopback
        with pytest.raises(httpx.ConnectError):
            await client.get(url)


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(test())


async def until(condition: Callable[[], bool]) -> None:
    """Wait for the lab's own clock to bring something about."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)
