"""Where a watch puts its metrics: a file for the textfile collector of node_exporter, and a port of loopback."""

from __future__ import annotations

from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

import click

from geoplan.cli.files import write
from geoplan.serve.loopback import LoopbackServer, Response
from geoplan.status.prometheus import CONTENT_TYPE, Exporter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from geoplan.serve.loopback import Request
    from geoplan.status.model import Seen

PATH = "/metrics"


@asynccontextmanager
async def showing_metrics(output: str | None, port: int | None) -> AsyncIterator[Callable[[Seen], Awaitable[None]]]:
    """Yield what writes the metrics of each look to a file, and has them served at a port while the block lasts.

    Raises :class:`GeoplanError` for a port that is taken, and for a file that cannot be written.
    """
    exporter, text = Exporter(), ""

    async def show(seen: Seen) -> None:
        nonlocal text
        text = exporter.text(seen)
        if output is not None:
            write(text, output)

    async def answer(request: Request) -> Response:
        if request.method != "GET" or request.path.partition("?")[0] != PATH:
            return Response(f"there is nothing here; the metrics are at {PATH}\n", HTTPStatus.NOT_FOUND)
        if not text:
            return Response("the units are being looked at for the first time\n", HTTPStatus.SERVICE_UNAVAILABLE)
        return Response(text, content_type=CONTENT_TYPE)

    if port is None:
        yield show
        return
    server = LoopbackServer(answer)
    async with server.running(port):
        click.echo(f"The metrics: {server.url.rstrip('/')}{PATH}", err=True)
        yield show
