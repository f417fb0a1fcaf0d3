"""The simulated time, and waiting on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import pytest

from geoplan.lab.clock import LoopClock, SimulatedClock, sleep


def test_what_is_due_happens_in_its_order_and_at_its_moment() -> None:
    clock = SimulatedClock(10)
    seen: list[tuple[str, float]] = []

    def note(name: str) -> None:
        seen.append((name, clock.now()))

    def note_and_go_on() -> None:
        note("first")
        clock.call_later(0.5, lambda: note("in between"))

    clock.call_later(2, lambda: note("second"))
    clock.call_later(1, note_and_go_on)
    clock.call_later(2, lambda: note("third"))
    clock.call_later(1.2, lambda: note("never")).cancel()
    assert clock.next_due() == 11
    clock.advance(5)
    assert seen == [("first", 11), ("in between", 11.5), ("second", 12), ("third", 12)]
    assert clock.now() == 15
    assert clock.next_due() is None


def test_sleeping_waits_for_the_clock_alone() -> None:
    async def test() -> None:
        clock = SimulatedClock()
        sleeping = asyncio.create_task(sleep(clock, 3600))
        await asyncio.sleep(0)
        clock.advance(3599)
        await asyncio.sleep(0)
        assert not sleeping.done()
        clock.advance(1)
        await sleeping

    asyncio.run(test())


def test_a_stopped_clock_does_nothing_more() -> None:
    async def test() -> None:
        clock = LoopClock()
        seen: list[str] = []
        clock.call_later(0, lambda: seen.append("never"))
        clock.stop()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert seen == []

    asyncio.run(test())


class _LoopThatIsTold(asyncio.SelectorEventLoop):
    """Its time is what a test says."""

    told = 100.0

    def time(self) -> float:
        return self.told


def _in_told_time(test: Callable[[_LoopThatIsTold], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner(loop_factory=_LoopThatIsTold) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, _LoopThatIsTold)
        runner.run(test(loop))


def test_equal_moments_of_the_loop_keep_their_order() -> None:
    async def test(loop: _LoopThatIsTold) -> None:
        clock, seen = LoopClock(), list[int]()
        for number in range(50):
            clock.call_later(1, partial(seen.append, number))
        loop.told += 1
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert seen == list(range(50))

    _in_told_time(test)


def test_a_loop_that_comes_late_does_not_let_a_reboot_overtake_the_failover() -> None:
    async def test(loop: _LoopThatIsTold) -> None:
        clock, seen = LoopClock(), list[str]()
        clock.call_later(0.1, lambda: seen.append("the standby is active"))
        clock.call_later(0.3, lambda: seen.append("the master is back"))
        loop.told += 5
        late = clock.now()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert seen == ["the standby is active"]
        assert clock.now() >= late
        assert clock.now() == pytest.approx(100.1, abs=0.01)
        loop.told += 0.19
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert seen == ["the standby is active"]
        loop.told += 0.02
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert seen == ["the standby is active", "the master is back"]

    _in_told_time(test)
