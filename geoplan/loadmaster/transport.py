"""Transports that others own."""

from __future__ import annotations

import httpx


class Borrowed(httpx.AsyncBaseTransport):
    """Uses a transport without closing it, so that several clients can share one."""

    def __init__(self, lent: httpx.AsyncBaseTransport) -> None:
        self._lent = lent

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on."""
        return await self._lent.handle_async_request(request)
