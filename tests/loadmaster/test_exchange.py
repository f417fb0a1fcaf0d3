"""One HTTP request over a transport: what httpx's own client would do besides is not done."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from geoplan.loadmaster.exchange import exchange

UNIT = httpx.URL("https://172.24.1.5/accessv2")
TIMEOUT = httpx.Timeout(3.0)


async def twice(answer: httpx.Response) -> tuple[list[httpx.Request], list[httpx.Response]]:
    """Send the same request twice to what always answers the same."""
    seen: list[httpx.Request] = []
    found: list[httpx.Response] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer

    network = httpx.MockTransport(handle)
    for _ in range(2):
        async with exchange(network, "POST", UNIT, timeout=TIMEOUT, headers={"X-One": "1"}, content=b"{}") as response:
            found.append(response)
    return seen, found


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (200, {"Set-Cookie": "session=1; Path=/"}),
        (302, {"Location": "https://172.24.1.6/login"}),
        (302, {"Location": "https://[nowhere"}),
        (401, {"WWW-Authenticate": "Basic"}),
    ],
)
def test_nothing_that_an_answer_asks_for_is_done(status: int, headers: dict[str, str]) -> None:
    seen, found = asyncio.run(twice(httpx.Response(status, headers=headers)))
    assert [response.status_code for response in found] == [status, status]
    assert [(request.method, request.url) for request in seen] == [("POST", UNIT), ("POST", UNIT)]
    assert seen[0].headers == seen[1].headers
    assert not {"cookie", "authorization"} & {*seen[1].headers}


def test_request_has_what_was_given_and_asks_for_nothing_packed() -> None:
    seen, _ = asyncio.run(twice(httpx.Response(200)))
    assert seen[0].headers["X-One"] == "1"
    assert seen[0].headers["Accept-Encoding"] == "identity"
    assert seen[0].headers["Host"] == "172.24.1.5"
    assert seen[0].content == b"{}"
    assert seen[0].extensions["timeout"] == TIMEOUT.as_dict()


def test_answer_that_nobody_reads_to_its_end_is_closed() -> None:
    class Endless(httpx.AsyncByteStream):
        is_closed = False

        async def aclose(self) -> None:
            self.is_closed = True

    async def ask(stream: Endless) -> None:
        network = httpx.MockTransport(lambda _request: httpx.Response(200, stream=stream))
        async with exchange(network, "GET", UNIT, timeout=TIMEOUT):
            raise KeyError

    stream = Endless()
    with pytest.raises(KeyError):
        asyncio.run(ask(stream))
    assert stream.is_closed
