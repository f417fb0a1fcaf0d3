"""Large answers of many units are read few at a time, and beside everything else."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import httpx
import pytest

from geoplan.errors import UnusableAnswerError
from geoplan.loadmaster.http import UnitHttp
from geoplan.loadmaster.large_answers import LARGE, READ_AT_ONCE
from geoplan.loadmaster.wire import Answer, Command, Reply
from geoplan.loadmaster.wire_v2 import WireV2
from tests.loadmaster.support import access

PART = 64 * 1024
UNITS = 12


class Large(httpx.AsyncByteStream):
    """A large answer in parts; it counts how many others are beyond the limit at the same time."""

    under_way = 0
    most = 0

    def __init__(self, size: int) -> None:
        self._size = size

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for sent in range(0, self._size, PART):
            if sent == (LARGE // PART + 2) * PART:
                Large.under_way += 1
                Large.most = max(Large.most, Large.under_way)
            await asyncio.sleep(0)
            yield b"x" * PART
        Large.under_way -= 1


class Noting(WireV2):
    """Notes where answers are read."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []

    def read(self, reply: Reply, *, file: bool) -> Answer:
        self.threads.append(threading.current_thread())
        return super().read(reply, file=file)


async def ask(size: int, wire: WireV2) -> BaseException | Answer:
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, stream=Large(size)))
    exchange = UnitHttp(access(), transport=transport)
    await exchange.open()
    try:
        return await exchange.send(wire, Command("listclusters"))
    except UnusableAnswerError as error:
        return error


def test_few_large_answers_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Large, "most", 0)
    monkeypatch.setattr(Large, "under_way", 0)

    async def ask_all() -> list[BaseException | Answer]:
        return await asyncio.gather(*(ask(4 * LARGE, WireV2()) for _ in range(UNITS)))

    assert {type(answer) for answer in asyncio.run(ask_all())} == {UnusableAnswerError}
    assert Large.most == READ_AT_ONCE


@pytest.mark.parametrize(("size", "is_main"), [(PART, True), (4 * LARGE, False)])
def test_what_may_take_seconds_holds_up_nothing(size: int, is_main: bool) -> None:
    wire = Noting()
    asyncio.run(ask(size, wire))
    assert [thread is threading.main_thread() for thread in wire.threads] == [is_main]
