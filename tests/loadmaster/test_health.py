"""What a health check answers, in words that a table has room for."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from geoplan.loadmaster import State
from geoplan.loadmaster.health import HealthAnswer, health_answer


def refused() -> httpx.ConnectError:
    error = httpx.ConnectError("All connection attempts failed")
    error.__cause__ = OSError("All connection attempts failed")
    error.__cause__.__cause__ = ConnectionRefusedError()
    return error


def in_circles() -> httpx.ConnectError:
    error = httpx.ConnectError("no route")
    error.__context__ = OSError("no route")
    error.__context__.__context__ = error
    return error


@pytest.mark.parametrize(
    ("happens", "answer"),
    [
        (200, HealthAnswer(State.ACTIVE, "200")),
        (503, HealthAnswer(State.STANDBY, "503")),
        (302, HealthAnswer(State.UNKNOWN, "302")),
        (refused(), HealthAnswer(State.DOWN, "refused")),
        (in_circles(), HealthAnswer(State.DOWN, "unreachable")),
        (httpx.ConnectTimeout("slow"), HealthAnswer(State.DOWN, "timeout")),
        (httpx.ReadTimeout("slow"), HealthAnswer(State.DOWN, "timeout")),
        (httpx.RemoteProtocolError("not HTTP"), HealthAnswer(State.UNKNOWN, "cut off")),
    ],
    ids=str,
)
def test_answer_is_told_with_what_it_was_concluded_from(happens: int | Exception, answer: HealthAnswer) -> None:
    def handle(_request: httpx.Request) -> httpx.Response:
        if isinstance(happens, Exception):
            raise happens
        return httpx.Response(happens)

    transport = httpx.MockTransport(handle)
    assert asyncio.run(health_answer("http://172.24.1.5:8444", transport=transport)) == answer
