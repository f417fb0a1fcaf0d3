"""What the lab's sockets take from a client: its body, its time, and at the control endpoint where it comes from."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect

from geoplan.lab.errors import LabError

if TYPE_CHECKING:
    from starlette.requests import Request

MAX_BODY_BYTES = 1024 * 1024
MAX_IMAGE_BYTES = 4 * 2**30
HEAD_SECONDS = 30.0
"""For the head of a request, from its first byte on, or from the handshake on."""
BODY_SECONDS = 30.0
BAD_REQUEST, FORBIDDEN, TOO_SLOW, TOO_LARGE = 400, 403, 408, 413
LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")
OWN_SITES = ("same-origin", "none")  # of Sec-Fetch-Site, with which browsers say where a request comes from


class RefusedRequestError(LabError):
    """A request that is not looked at any further; ``status`` is the answer's."""

    def __init__(self, status: int, message: str, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.status = status


async def read_body(request: Request) -> bytes:
    """Read a body, and of one that is too large no more than that it is, whether or not its length is announced.

    Raises :class:`RefusedRequestError`.
    """
    too_large = RefusedRequestError(
        TOO_LARGE, f"the body is larger than {MAX_BODY_BYTES // 2**20} MiB", "no request needs so much"
    )
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and (len(announced) > len(str(MAX_BODY_BYTES)) or int(announced) > MAX_BODY_BYTES):
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > MAX_BODY_BYTES:
                    raise too_large
    except TimeoutError:
        message = f"the body did not come within {BODY_SECONDS:g} s"
        raise RefusedRequestError(TOO_SLOW, message, "send it at once") from None
    except ClientDisconnect:
        raise RefusedRequestError(BAD_REQUEST, "the body did not come to its end", "send all of it") from None
    return bytes(body)


async def measure_image(request: Request) -> int:
    """Return the size of a firmware image, of which nothing is kept. Raises :class:`RefusedRequestError`."""
    size = 0
    parts = request.stream()
    try:
        while True:
            async with asyncio.timeout(BODY_SECONDS):
                part = await anext(parts, None)
            if part is None:
                return size
            size += len(part)
            if size > MAX_IMAGE_BYTES:
                message = f"the image is larger than {MAX_IMAGE_BYTES // 2**30} GiB"
                raise RefusedRequestError(TOO_LARGE, message, "no firmware is so large")
    except TimeoutError:
        message = f"nothing of the image came for {BODY_SECONDS:g} s"
        raise RefusedRequestError(TOO_SLOW, message, "send it without a pause") from None
    except ClientDisconnect:
        raise RefusedRequestError(BAD_REQUEST, "the image did not come to its end", "send all of it") from None


def require_local(request: Request) -> None:
    """Check that a request is meant for this very endpoint, and that no web page of another place sent it.

    A page that somebody visits can send requests to loopback, and by a name of its own that leads there read the
    answers. Raises :class:`RefusedRequestError`.
    """
    port = request.scope["server"][1]
    hosts = [f"{name}:{port}" for name in LOCAL_NAMES]
    if [host.lower() for host in request.headers.getlist("host")] not in [[host] for host in hosts]:
        raise RefusedRequestError(BAD_REQUEST, "the Host of the request is not this lab's", f"ask http://{hosts[0]}")
    origins = request.headers.getlist("origin")
    site = request.headers.get("sec-fetch-site", OWN_SITES[0])
    if not {origin.lower() for origin in origins} <= {f"http://{host}" for host in hosts} or site not in OWN_SITES:
        message = "the request comes from a web page of another place"
        raise RefusedRequestError(FORBIDDEN, message, "send it with curl or a program of yours")
