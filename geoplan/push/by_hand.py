"""What a person does while a push waits: it says what, looks until it is done, and can be stopped and resumed."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from geoplan.push.context import StepError, StoppedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from geoplan.plan.model import Step
    from geoplan.push.context import Context

Found = TypeVar("Found")

BY_HAND_SECONDS = 3600.0
"""How long a push waits for a person."""
LOOK_SECONDS = 5.0
"""Between two looks at most: nobody is quicker, and a unit counts its calls."""


async def until_done_by_hand(
    context: Context,
    step: Step,
    look: Callable[[], Awaitable[Found | None]],
    *,
    what: str,
    unit: str | None = None,
) -> Found:
    """Say what a person has to do, and look until it is done.

    Raises :class:`StoppedError` once the operator wants an end, and :class:`StepError` when nobody has done it in an
    hour: the push can be resumed then, and waits again.
    """
    seen: list[Found] = []

    async def look_unless_stopped() -> bool | None:
        if context.stop.requested:
            return True
        if (found := await look()) is not None:
            seen.append(found)
        return True if seen else None

    every = max(context.timings.poll_seconds, min(LOOK_SECONDS, context.timings.sync_seconds))
    telling = context.reporter.waiting(step, f"by hand: {what}", unit, by_hand=True)
    is_over = await context.until(look_unless_stopped, within=BY_HAND_SECONDS, every=every, on_wait=telling)
    if seen:
        return seen[0]
    if is_over:
        raise StoppedError
    minutes = BY_HAND_SECONDS / 60
    raise StepError(
        step, f"this was not done by hand in {minutes:.0f} min: {what}", unit=unit, hint="do it, then go on"
    )
