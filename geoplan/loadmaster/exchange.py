"""One HTTP request over a transport: no cookie is kept, no redirect followed, nothing taken from the environment.

Under httpx's own client, which does all of that for each request only to find that it is not wanted.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Mapping

HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity", "Connection": "keep-alive", "User-Agent": "geoplan"}


@asynccontextmanager
async def exchange(  # noqa: PLR0913 - what a request is
    transport: httpx.AsyncBaseTransport,
    method: str,
    url: httpx.URL,
    *,
    timeout: httpx.Timeout,
    headers: Mapping[str, str] | None = None,
    content: bytes | AsyncIterable[bytes] | None = None,
) -> AsyncIterator[httpx.Response]:
    """Send a request, and have its response while the block lasts: its body is still to be read.

    Raises :class:`httpx.TransportError` if there is none.
    """
    sent = {**HEADERS, **(headers or {})}
    request = httpx.Request(method, url, headers=sent, content=content, extensions={"timeout": timeout.as_dict()})
    response = await transport.handle_async_request(request)
    response.request = request
    try:
        yield response
    finally:
        await response.aclose()
