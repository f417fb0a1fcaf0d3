"""Units asked side by side: answers in order, a limit that holds, and an end to all at the first error."""

from __future__ import annotations

import asyncio

import pytest

from geoplan.concurrency import ask_each


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
