"""How steps end."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


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


class Outcome(NamedTuple):
    """How a step ended, where, and in words."""

    state: StepState
    unit: str | None
    message: str
    is_red: bool = False
    """Whether partners were submitted, and none that is up turned green."""
