"""One HTTP request over a transport: no cookie is kept, no redirect followed, nothing taken from the environment.

Under httpx's own client, which does all of that for each request only to find that it is not wanted.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Mapping

_USUAL = [
    (b"Accept", b"*/*"),
    (b"Accept-Encoding", b"identity"),
    (b"Connection", b"keep-alive"),
    (b"User-Agent", b"geoplan"),
]


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
    sent = [(b"Host", url.netloc), *_USUAL]
    sent += [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    made: Any = {"content": content}
    if content is None or isinstance(content, bytes):  # what httpx would find out about it is known
        made = {"stream": httpx.ByteStream(content or b"")}
        sent += [(b"Content-Length", b"%d" % len(content))] if content is not None else []
    request = httpx.Request(method, url, headers=sent, extensions={"timeout": timeout.as_dict()}, **made)
    response = await transport.handle_async_request(request)
    response.request = request
    try:
        yield response
    finally:
        await response.aclose()
