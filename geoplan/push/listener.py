"""Whoever follows a push, and how a running push tells them what happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from geoplan.live.findings.kinds import generic_command
from geoplan.push.events import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from geoplan.live.findings import Report
    from geoplan.live.findings.kinds import Command
    from geoplan.live.model import Observations
    from geoplan.live.polling import Clock
    from geoplan.plan.model import Step
    from geoplan.push.history import History
    from geoplan.push.options import Options
    from geoplan.push.outcome import Outcome, StepState
    from geoplan.push.preflight import PreflightResult
    from geoplan.push.problems import Problem


@dataclass(frozen=True)
class Found:
    """What the checks before a push found, for whoever decides whether it may begin."""

    options: Options
    """With what a push that is resumed was begun with."""
    facts: Observations
    verdict: PreflightResult
    before: Report


class PushListener(Protocol):
    """Follows a push; a subclass overrides what it cares for, and lets everything else pass."""

    def on_event(self, _event: Event) -> None:
        """Take note of something that happened."""
        return

    def typed(self, name: str, *words: str) -> str:
        """Return a command of geoplan about this topology as it is typed; of what file it is, a listener may know."""
        return generic_command(name, *words)

    def typed_about(self, _history: History) -> Command:
        """Return what writes commands about another push, of its own groups, as :meth:`typed` does about this one."""
        return self.typed

    def objections(self, _found: Found) -> Sequence[Problem]:
        """Return what blocks this push beside the checks, such as an approval that does not fit."""
        return ()

    def may_begin(self, _found: Found) -> bool:
        """Return whether the push may change units, once nothing blocks it."""
        return True

    def may_go_on(self, _question: str) -> bool:
        """Return whether a push that has begun may go on; it stops so that it can be resumed where it may not."""
        return True


class Reporter:
    """Tells a listener what happens, and when: in seconds since the push began."""

    def __init__(self, listener: PushListener, clock: Clock) -> None:
        self._listener = listener
        self._clock = clock
        self._began = clock.now()
        self._steps_began: dict[str, float] = {}

    def typed(self, name: str, *words: str) -> str:
        """Return a command of geoplan about this topology as its operator types it."""
        return self._listener.typed(name, *words)

    def typed_about(self, unfinished: History | None) -> Command:
        """Return what writes commands about the unfinished push; about this one where there is none."""
        return self._listener.typed_about(unfinished) if unfinished else self.typed

    def may_go_on(self, question: str) -> bool:
        """Ask whether the push may go on."""
        return self._listener.may_go_on(question)

    def say(  # noqa: PLR0913 - what an event can have
        self,
        kind: EventKind,
        message: str,
        /,
        *,
        step: Step | None = None,
        unit: str | None = None,
        state: StepState | None = None,
        step_seconds: float | None = None,
        at_most_seconds: float | None = None,
        verdict: PreflightResult | None = None,
        **details: object,
    ) -> None:
        """Tell that something happened; ``details`` are for programs alone."""
        event = Event(
            kind,
            self._clock.now() - self._began,
            message,
            step,
            unit,
            state,
            step_seconds,
            at_most_seconds=at_most_seconds,
            verdict=verdict,
            details=details,
        )
        self._listener.on_event(event)

    def begin(self, step: Step) -> None:
        """Say that a step begins now; a pair's steps may do so more than once."""
        self._steps_began[step.id] = self._clock.now()
        self.say(EventKind.STEP_STARTED, "", step=step)

    def end(self, step: Step, outcome: Outcome) -> None:
        """Say how a step ended, and how long it took."""
        now = self._clock.now()
        self.say(
            EventKind.STEP_ENDED,
            outcome.message,
            step=step,
            unit=outcome.unit,
            state=outcome.state,
            step_seconds=now - self._steps_began.get(step.id, now),
        )

    def waiting(
        self, step: Step, message: str, unit: str | None = None, *, by_hand: bool = False
    ) -> Callable[[float], None]:
        """Return what says what a step is waiting for, once it has to; ``by_hand`` where that is a person."""

        def tell(at_most: float) -> None:
            kind, since = EventKind.STEP_WAITING, self._clock.now() - self._began
            event = Event(kind, since, message, step, unit, at_most_seconds=at_most, is_by_hand=by_hand)
            self._listener.on_event(event)

        return tell
