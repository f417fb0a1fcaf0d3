"""What a push says while it works: one event at a time, for a terminal, a pipe or a program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geoplan.plan.model import Step


class EventKind(StrEnum):
    """What has happened."""

    PREFLIGHT = "preflight"
    BACKUP = "backup"
    STEP_STARTED = "step_started"
    STEP_WAITING = "step_waiting"
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


class NoteKind(StrEnum):
    """What a note is about: programs go by this and never by its words."""

    OTHER = "other"
    TOOK_OVER = "took_over"
    """The other unit of a pair took over between a look and a write, which is done again where it belongs."""
    SUBMITTED_ON_MASTER = "submitted_on_master"
    SUBMITTED_AGAIN = "submitted_again"
    """Partners were submitted again where a link was red."""
    NOT_SUBMITTED = "not_submitted"
    UNITS_DOWN = "units_down"
    """Units of the group did not answer while partners were submitted."""
    TRIED_AGAIN = "tried_again"
    STARTED_AGAIN = "started_again"
    """A pair's reboot was to no effect."""
    REBOOT_NOT_SENT = "reboot_not_sent"
    ANSWER_LOST = "answer_lost"
    COLOURS_NOT_TOLD = "colours_not_told"
    """A unit does not say of every planned partner whether it sees it."""
    LINK_NOT_PROVEN = "link_not_proven"
    """Nobody says, and nobody was seen to say, that a unit's links are there."""
    STANDBY_RED = "standby_red"
    """A standby shows red to units that it saw green itself while it was active."""
    STAYS_RED = "stays_red"
    """Partners were submitted, and all that are up stay red."""
    STANDBY_REFUSES = "standby_refuses"
    """A standby explicitly refuses reads: what it holds is not known."""
    NOT_BACKED_UP = "not_backed_up"
    """A standby gives no backup."""
    UNKNOWN_CLUSTER = "unknown_cluster"
    """A cluster that the plan does not mention, and a push leaves alone."""
    HA_NOT_TOLD = "ha_not_told"
    """A unit's platform does not tell its HA parameters."""
    LEFT_AS_IT_IS = "left_as_it_is"
    """Something differs that a push does not change on a pair at work."""


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
