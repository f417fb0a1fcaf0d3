"""One change of a unit, from its record before it is sent to the record that it was read back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from geoplan.errors import UnitError
from geoplan.push.context import StepError
from geoplan.push.failures import reason_of

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from geoplan.plan.model import Step
    from geoplan.push.context import Context
    from geoplan.push.unit import Unit


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

    def not_applied(self, problem: str | None, read_back: str) -> StepError:
        """Return the failure of a change that reading back does not find."""
        answer = f"failed ({problem}), and" if problem else "was answered as done, but"
        message = f"the change {answer} read back {read_back}: it was not applied"
        return StepError(self.step, message, unit=self.unit.address)


async def try_change(change: Awaitable[None]) -> str | None:
    """Make a change; return what went wrong, as far as one can tell before reading back."""
    try:
        await change
    except UnitError as error:
        return reason_of(error)
    return None
