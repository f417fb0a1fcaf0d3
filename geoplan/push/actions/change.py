"""One change of a unit: found, recorded before it is sent, sent once, read back, and tried again after a new look."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from geoplan.errors import (
    RefusedSpellingError,
    UnclearOutcomeError,
    UnitError,
    UnitUnreachableError,
    UnusableAnswerError,
)
from geoplan.live.fleet import NoActiveUnitError
from geoplan.push.context import StepError
from geoplan.push.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from geoplan.live.unit import Unit
    from geoplan.plan.model import SiteSettings, Step
    from geoplan.push.context import Context

Read = TypeVar("Read")


class TookOverError(UnitError):
    """A unit was not sent a change, since the look just before it did not show it active, and it alone."""

    def __init__(self, unit: str) -> None:
        super().__init__(unit, "the other unit took over meanwhile")


class LookFirst:
    """The look that precedes each request to a unit, which has to be the active one of its site."""

    def __init__(self, context: Context, site: SiteSettings, unit: Unit) -> None:
        self._context = context
        self._site = site
        self._unit = unit.address
        self._allowed = 0
        self._refused = False

    async def __call__(self) -> None:
        """Raise :class:`TookOverError` unless the unit is active, and no other."""
        if not await self._context.fleet.is_active_now(self._site, self._unit):
            self._refused = True
            raise TookOverError(self._unit)
        self._allowed += 1

    @property
    def kept_all_back(self) -> bool:
        """Whether nothing was sent, since the unit was not active any more."""
        return self._refused and not self._allowed


MAX_TRIES = 5
FIRST_PAUSE_SECONDS = 0.4


class Failed(NamedTuple):
    """What went wrong with a change, as far as one can tell before reading back."""

    reason: str
    may_pass: bool
    """Whether the same change may succeed a little later, after another look."""
    is_spelling: bool = False
    """Whether the unit refused how it was spelled, and nothing else: the next attempt spells it otherwise."""


class Again(NamedTuple):
    """Why a step has to look at its units once more, and be tried again, and which unit it was tried on."""

    why: str
    unit: str


def pause_after(attempt: int) -> float:
    """Return the seconds to wait after an attempt that failed, counted from 0."""
    return FIRST_PAUSE_SECONDS * 2.0**attempt


async def find_unit(context: Context, step: Step) -> Unit:
    """Return the unit that a step goes to now; raises :class:`StepError` where there is none."""
    site = context.plan.site(step.on.site)
    whose = "one of its units" if step.on.site == step.site else f"a unit of {step.on.site}"
    telling = context.reporter.waiting(step, f"waiting until {whose} is active")
    try:
        return await context.fleet.active(site, on_wait=telling)
    except NoActiveUnitError as error:
        hint = "see that one unit of the pair is active and the other its standby"
        raise StepError(step, str(error), hint=hint) from None


async def until_done(
    context: Context, step: Step, attempt: Callable[[Context, Step], Awaitable[Outcome | Again]]
) -> Outcome:
    """Try a step until it is done; each attempt looks at its units anew. Raises :class:`StepError` at the last."""
    why = ""
    for number in range(MAX_TRIES):
        found = await attempt(context, step)
        if isinstance(found, Outcome):
            return found
        why, unit = found
        await context.clock.sleep(pause_after(number))
    raise StepError(step, f"tried {MAX_TRIES} times, at last: {why}", unit=unit)


async def try_change(change: Awaitable[None]) -> Failed | None:
    """Make a change; return what went wrong, as far as one can tell before reading back."""
    try:
        await change
    except UnitError as error:
        passing = UnitUnreachableError | UnclearOutcomeError | RefusedSpellingError | TookOverError
        passes = isinstance(error, passing) or (isinstance(error, UnusableAnswerError) and error.transient)
        return Failed(error.reason, passes, isinstance(error, RefusedSpellingError))
    return None


async def read_back(step: Step, unit: Unit, read: Callable[[], Awaitable[Read]], problem: Failed | None) -> Read:
    """Read what a change has left. Raises :class:`StepError` where that cannot be read."""
    try:
        return await read()
    except UnitError as error:
        earlier = f"the change failed ({problem.reason}), and " if problem else "the change was sent, but "
        raise StepError(step, f"{earlier}it cannot be read back: {error.reason}", unit=unit.address) from None


def not_applied(step: Step, unit: Unit, problem: Failed | None, found: str) -> StepError:
    """Return the failure of a change that reading back does not find."""
    answer = f"failed ({problem.reason}), and" if problem else "was answered as done, but"
    return StepError(step, f"the change {answer} read back {found}: it was not applied", unit=unit.address)
