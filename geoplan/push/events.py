"""What a push tells while it works: events, and the outcome of each step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geoplan.plan.model import Step


class EventKind(StrEnum):
    """What has happened."""

    DESTINATION = "destination"
    """Where the push goes: a lab, or the network."""
    PREFLIGHT = "preflight"
    DIFFERENCES = "differences"
    """What differs from the plan before anything is changed, and so what a push would change."""
    BACKUP = "backup"
    STEP_STARTED = "step_started"
    STEP_WAITING = "step_waiting"
    REQUEST = "request"
    """What a dry run would send to change a unit."""
    STEP_ENDED = "step_ended"
    PAIR_HEALTHY = "pair_healthy"
    """Both units of a rebooted pair are up again; its steps have ended before."""
    NOTE = "note"
    VERIFYING = "verifying"
    VERIFIED = "verified"
    ENDED = "ended"


class StepState(StrEnum):
    """How a step ended."""

    DONE = "done"
    WOULD_DO = "would do"
    """Of a dry run: what a push would do."""
    IN_PLACE = "in place"
    """What it enters was there already; nothing was changed."""
    RECORDED = "done before"
    """The push that this one resumes did it."""
    NOT_NEEDED = "not needed"
    LEFT_OUT = "left out"
    """The operator wants no reboot."""
    BY_HAND = "by hand"
    """No LoadMaster can do it: it is done elsewhere."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; ``seconds`` since the push began."""

    kind: EventKind
    seconds: float
    message: str
    step: Step | None = None
    unit: str | None = None
    state: StepState | None = None
    step_seconds: float | None = None
    details: Mapping[str, object] = field(default_factory=dict)

    def as_plain(self) -> dict[str, object]:
        """Return it as JSON would hold it, without what it has not."""
        plain: dict[str, object] = {
            "event": self.kind.value,
            "seconds": round(self.seconds, 3),
            "message": self.message,
        }
        if self.step:
            plain |= {"step": self.step.id, "number": self.step.number, "site": self.step.site}
            plain |= {"action": self.step.action.value}
        if self.unit:
            plain["unit"] = self.unit
        if self.state:
            plain["state"] = self.state.value
        if self.step_seconds is not None:
            plain["step_seconds"] = round(self.step_seconds, 3)
        return plain | dict(self.details)


Reporter = Callable[[Event], None]


class Outcome(NamedTuple):
    """How a step ended, where, and in words."""

    state: StepState
    unit: str | None
    message: str
    is_red: bool = False
    """Whether partners were submitted, and none that is up turned green."""
