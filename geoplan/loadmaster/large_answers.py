"""Answers larger than any LoadMaster's: of all units together few are read at once, and one is looked into.

So many hostile units need no more memory than some, and no answer holds up what others are asked.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")

LARGE = 256 * 1024
"""Bytes. What is longer waits for its turn."""
READ_AT_ONCE = 2

# One thread, so one after the other: each thread more would keep memory of its own.
_reader = ThreadPoolExecutor(1, thread_name_prefix="geoplan-large-answers")
_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


def turn() -> asyncio.Semaphore:
    """Return what is held from the moment that an answer is seen to be large until it is looked through."""
    return _turns.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(READ_AT_ONCE))


async def look_into(read: Callable[[], Result]) -> Result:
    """Return what is read of a large answer, beside everything else that goes on: it may take seconds."""
    return await asyncio.get_running_loop().run_in_executor(_reader, read)
