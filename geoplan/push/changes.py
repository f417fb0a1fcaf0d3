"""One change of a unit, from its record before it is sent to the record that it was read back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from geoplan.errors import (
    UnclearOutcomeError,
    UnitError,
    UnitUnreachableError,
    UnusableAnswerError,
)
from geoplan.push.context import StepError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from geoplan.live.unit import Unit
    from geoplan.plan.model import Step
    from geoplan.push.context import Context


MAX_TRIES = 5
FIRST_PAUSE_SECONDS = 0.4


class Failed(NamedTuple):
    """What went wrong with a change, as far as one can tell before reading back."""

    reason: str
    may_pass: bool
    """Whether the same change may succeed a little later, after another look."""


def pause_after(attempt: int) -> float:
    """Return the seconds to wait after an attempt that failed, counted from 0."""
    return FIRST_PAUSE_SECONDS * 2.0**attempt


@dataclass(frozen=True)
class Change:
    """What a step changes on a unit: a list, a cluster, its HA parameters."""

    context: Context
    step: Step
    unit: Unit
    what: str

    def begin(self, before: object, after: object) -> None:
        """Write down what was there and what will be, before anything is sent."""
        self.context.journal.write(
            "changing",
            step=self.step.id,
            site=self.step.site,
            action=self.step.action.value,
            unit=self.unit.address,
            what=self.what,
            before=before,
            after=after,
        )

    def end(self) -> None:
        """Write down that the change was read back."""
        self.context.journal.write(
            "changed",
            step=self.step.id,
            site=self.step.site,
            action=self.step.action.value,
            unit=self.unit.address,
        )

    def not_applied(self, problem: Failed | None, read_back: str) -> StepError:
        """Return the failure of a change that reading back does not find."""
        answer = f"failed ({problem.reason}), and" if problem else "was answered as done, but"
        message = f"the change {answer} read back {read_back}: it was not applied"
        return StepError(self.step, message, unit=self.unit.address)


async def try_change(change: Awaitable[None]) -> Failed | None:
    """Make a change; return what went wrong, as far as one can tell before reading back."""
    try:
        await change
    except UnitError as error:
        passes = isinstance(error, UnitUnreachableError | UnclearOutcomeError) or (
            isinstance(error, UnusableAnswerError) and error.transient
        )
        return Failed(error.reason, passes)
    return None
