"""What a push tells while it works."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geoplan.loadmaster import ShownRequest
    from geoplan.plan.model import Step
    from geoplan.push.outcome import StepState
    from geoplan.push.preflight import PreflightResult


class EventKind(StrEnum):
    """What has happened."""

    DESTINATION = "destination"
    """Where the push goes: a lab, or the network."""
    UNDO = "undo"
    """Which push is taken back, and by what plan."""
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
    at_most_seconds: float | None = None
    """How long is waited at most."""
    is_by_hand: bool = False
    """Whether a person is waited for, who has to do what the message says."""
    verdict: PreflightResult | None = None
    """What the checks found."""
    request: ShownRequest | None = None
    """What a dry run would send; its secrets are masked."""
    details: Mapping[str, object] = field(default_factory=dict)
    """What else a program may want to know; nothing here reads it."""

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
        if self.at_most_seconds is not None:
            plain["at_most_seconds"] = round(self.at_most_seconds, 3)
        if self.is_by_hand:
            plain["by_hand"] = True
        if verdict := self.verdict:
            plain |= {
                "problems": [str(problem) for problem in verdict.problems],
                "notes": [str(note) for note in verdict.notes],
                "note_kinds": [note.kind.value for note in verdict.notes],
                "findings": [asdict(finding) for finding in verdict.findings],
                "reboots": list(verdict.reboots),
                "resubmits": list(verdict.resubmits),
            }
        if sent := self.request:
            plain |= {"command": sent.command, "method": sent.method, "url": sent.url, "body": sent.body}
        return plain | dict(self.details)
