"""One live page on loopback: the page, its events, and what it may send."""

from __future__ import annotations

import json
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from geoplan.serve.loopback import Events, LoopbackServer, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from geoplan.serve.loopback import Request

HTML = "text/html; charset=utf-8"


class LivePage:
    """A page that stands as it is, with all that changes told as events, each a JSON object.

    ``snapshot`` returns all that is to be told to a page which has just been opened. ``posts`` answer what the page
    sends, by path.
    """

    def __init__(
        self,
        html: str,
        snapshot: Callable[[], Mapping[str, Any]],
        posts: Mapping[str, Callable[[bytes], Response]] = MappingProxyType({}),
    ) -> None:
        self._html = html
        self._posts = posts
        self._events = Events()
        self.server = LoopbackServer(self._answer, self._events, lambda: json.dumps(snapshot()))

    def tell(self, told: Mapping[str, Any]) -> None:
        """Tell every page that is open."""
        self._events.send(json.dumps(told))

    async def _answer(self, request: Request) -> Response:
        if (request.method, request.path.partition("?")[0]) == ("GET", "/"):
            return Response(self._html, content_type=HTML)
        if request.method == "POST" and request.path in self._posts:
            return self._posts[request.path](request.body)
        return Response("there is nothing here\n", HTTPStatus.NOT_FOUND)
