"""Many units asked side by side, and never more at once than this machine is to have connections to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

Item = TypeVar("Item")
Answer = TypeVar("Answer")

DEFAULT_JOBS = 8  # of pushes, whose requests are followed by others
DEFAULT_AT_ONCE = 32  # of reads; with two connections to each that is far below the 256 open files of a small machine


async def ask_each(
    items: Iterable[Item], ask: Callable[[Item], Awaitable[Answer]], at_once: asyncio.Semaphore
) -> list[Answer]:
    """Return the answer for each item, in order; ``at_once`` says how many are asked at the same time.

    Whoever waits for a place is not being asked yet, so no time limit within ``ask`` runs for it. The first error
    ends it all: what is under way is cancelled, and has ended when that error is raised.
    """

    async def in_its_turn(item: Item) -> Answer:
        async with at_once:
            return await ask(item)

    failure: BaseException | None = None
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(in_its_turn(item)) for item in items]
    except BaseExceptionGroup as failed:
        failure = failed.exceptions[0]
    if failure:
        raise failure  # outside of the handler: the group is none of its causes
    return [task.result() for task in tasks]
