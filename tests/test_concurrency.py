"""Units asked side by side: answers in order, a limit that holds, and an end to all at the first error."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from geoplan.concurrency import ask_each
from geoplan.twin.loop import run_simulated


def test_answers_come_in_the_order_of_the_items_and_no_more_are_asked_at_once_than_may_be() -> None:
    asked, most = 0, 0

    async def ask(turns: int) -> int:
        nonlocal asked, most
        asked += 1
        most = max(most, asked)
        for _ in range(turns):
            await asyncio.sleep(0)
        asked -= 1
        return turns

    items = [5, 1, 4, 0, 3, 2]
    assert asyncio.run(ask_each(items, ask, asyncio.Semaphore(2))) == items
    assert most == 2


def test_first_error_is_raised_as_it_is_once_all_others_have_ended() -> None:
    ended: list[str] = []

    async def ask(name: str) -> None:
        try:
            await asyncio.sleep(0)
            if name == "first":
                raise LookupError(name)
            await asyncio.Event().wait()
        finally:
            ended.append(name)

    with pytest.raises(LookupError, match="first") as caught:
        asyncio.run(ask_each(["other", "first", "third"], ask, asyncio.Semaphore(3)))
    assert sorted(ended) == ["first", "other", "third"]
    assert caught.value.__context__ is None


def test_cancellation_from_outside_ends_all_that_is_under_way() -> None:
    ended: list[int] = []

    async def ask(item: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(item)

    async def act() -> None:
        asking = asyncio.create_task(ask_each([1, 2], ask, asyncio.Semaphore(2)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    asyncio.run(act())
    assert sorted(ended) == [1, 2]


def test_answers_come_in_order_and_no_more_are_asked_at_once_than_may_be() -> None:
    asked: list[int] = []
    most: list[int] = []

    async def ask(number: int) -> int:
        asked.append(number)
        most.append(len(asked))
        await asyncio.sleep(10 - number % 3)
        asked.remove(number)
        return 2 * number

    answers = run_simulated(ask_each_of(20, ask, at_once=4))
    assert answers == [2 * number for number in range(20)]
    assert max(most) == 4


def test_time_outs_run_side_by_side() -> None:
    async def go() -> float:
        async def ask(number: int) -> None:
            await asyncio.sleep(25 if number % 3 == 0 else 0.1)

        await ask_each(range(192), ask, asyncio.Semaphore(32))
        return asyncio.get_running_loop().time()

    assert run_simulated(go()) < 3 * 25  # 64 of them do not answer


def test_first_error_ends_what_is_under_way_and_begins_nothing_more() -> None:
    begun: list[int] = []
    cancelled: list[int] = []

    async def ask(number: int) -> int:
        begun.append(number)
        if number == 1:
            raise OSError("no")
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            cancelled.append(number)
            raise
        return number

    with pytest.raises(OSError, match="no"):
        run_simulated(ask_each_of(20, ask, at_once=3))
    assert begun[:3] == [0, 1, 2]
    assert sorted(cancelled) == sorted(number for number in begun if number != 1)
    assert len(begun) <= 4  # what took the failed one's place before the error was seen


async def ask_each_of(count: int, ask: Callable[[int], Awaitable[int]], *, at_once: int) -> list[int]:
    return await ask_each(range(count), ask, asyncio.Semaphore(at_once))
