"""What a journal tells: which changes were made, and how far each pair has come."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from geoplan.errors import UnusableFileError
from geoplan.plan.model import Action, Plan
from geoplan.push.addresses import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from geoplan.plan.model import Phase

FORMAT = "geoplan/journal/1"


@dataclass(frozen=True, slots=True)
class Record:
    """One line of a journal."""

    event: str
    at: datetime
    fields: Mapping[str, Any] = field(default_factory=dict)

    def to_line(self) -> str:
        """Return it as one line of JSON."""
        content = {"event": self.event, "at": self.at.isoformat(timespec="microseconds"), **self.fields}
        return json.dumps(content, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def parse(cls, line: str) -> Record:
        """Read a line; raises :class:`ValueError` where it is none of a journal."""
        content = json.loads(line)
        if not isinstance(content, dict) or not isinstance(content.get("event"), str):
            raise ValueError("it has no event")  # noqa: TRY004 - one kind of error for a line that cannot be read
        event, at = content.pop("event"), datetime.fromisoformat(str(content.pop("at", "")))
        return cls(event, at, content)


class PairProgress(StrEnum):
    """How far a pair's reboot has come."""

    NOT_BEGUN = "not begun"
    REBOOTING = "rebooting"
    """The reboot was sent, or was just about to be: only the units know."""
    RESUBMITTED = "resubmitted"
    """The new active unit took its partners; what is left is to see both units healthy."""
    HEALTHY = "healthy"


_PAIR_EVENTS = {
    "rebooting": PairProgress.REBOOTING,
    "reboot_not_sent": PairProgress.NOT_BEGUN,
    "too_late": PairProgress.NOT_BEGUN,
    "resubmitted": PairProgress.RESUBMITTED,
    "healthy": PairProgress.HEALTHY,
}


@dataclass(frozen=True)
class History:
    """All records of one push, in their order."""

    path: Path
    records: tuple[Record, ...]

    @classmethod
    def parse(cls, path: Path, content: bytes) -> History:
        """Read whole lines. Raises :class:`UnusableFileError` where one of them is none of a journal."""
        records = []
        for number, line in enumerate(content.decode(errors="replace").splitlines(), start=1):
            try:
                records.append(Record.parse(line))
            except ValueError as error:
                raise UnusableFileError(
                    f"{path}:{number}: the journal is damaged: {error}",
                    hint="move it away once you have looked at the units with `geoplan diff`",
                ) from None
        return cls(path, tuple(records))

    @cached_property
    def plan(self) -> Plan:
        """The plan that was being carried out. Raises :class:`UnusableFileError` where it cannot be read."""
        try:
            return Plan.model_validate(self._begin.get("plan"))
        except ValueError:
            raise UnusableFileError(f"{self.path}: the journal has no usable plan") from None

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The parts of the work that it carries out; nothing where its plan cannot be read."""
        with suppress(UnusableFileError):
            return self.plan.phases()
        return ()

    @property
    def checksum(self) -> str:
        """The checksum of that plan."""
        return str(self._begin.get("checksum", ""))

    @property
    def options(self) -> Mapping[str, Any]:
        """What the operator had asked for."""
        options = self._begin.get("options", {})
        return options if isinstance(options, dict) else {}

    @property
    def who(self) -> str:
        """Who began it, or resumed it last."""
        return next((str(r.fields["who"]) for r in reversed(self.records) if "who" in r.fields), "somebody")

    @property
    def is_finished(self) -> bool:
        """Whether it came to an end, and not only to a stop."""
        return any(record.event == "end" for record in self.records)

    @property
    def outcome(self) -> str:
        """How it ended, or that it has not."""
        for record in reversed(self.records):
            if record.event in ("end", "stopped"):
                return str(record.fields.get("outcome", record.event))
        return "interrupted"

    @property
    def backed_up(self) -> Mapping[str, str]:
        """The files of the backups, by units."""
        return {str(r.fields["unit"]): str(r.fields["file"]) for r in self.records if r.event == "backup"}

    @property
    def step_states(self) -> Mapping[str, str]:
        """How each step ended last, by its id."""
        return {str(r.fields["id"]): str(r.fields["state"]) for r in self.records if r.event == "step"}

    @property
    def owed_pairs(self) -> tuple[str, ...]:
        """The pairs that are not finished: see :meth:`is_owed`."""
        pairs = (step.site for step in self.plan.steps if step.action is Action.REBOOT_MASTER)
        return tuple(site for site in pairs if self.is_owed(site))

    @property
    def has_changes(self) -> bool:
        """Whether anything was changed, or may have been."""
        return any(record.event in ("changing", "rebooting", "resubmitting") for record in self.records)

    def is_owed(self, site: str) -> bool:
        """Tell whether a pair has to be rebooted, or to be brought to the end of a reboot.

        That is so once its partners were changed, or may have been, or its reboot was begun, until it is healthy.
        """
        begun = max(self._last(site, {"changing"}, Action.SET_GEO_PARTNERS), self._last(site, {"rebooting"}))
        return begun > self._last(site, {"healthy"})

    def was_finished(self, site: str) -> bool:
        """Tell whether a pair was rebooted and has come to its end in this push, with nothing owed since."""
        return self._last(site, {"healthy"}) >= 0 and not self.is_owed(site)

    def was_touched(self, site: str) -> bool:
        """Tell whether a site's partners were changed, or its master rebooted, in this push."""
        return max(self._last(site, {"changing"}, Action.SET_GEO_PARTNERS), self._last(site, {"rebooting"})) >= 0

    def was_formed(self, site: str) -> bool:
        """Tell whether the HA parameters of a site's units were changed in this push, or may have been."""
        actions = (Action.SET_MASTER_HA_PARAMETERS, Action.SET_SLAVE_HA_PARAMETERS)
        return any(self._last(site, {"changing"}, action) >= 0 for action in actions)

    def needs_submission(self, site: str, unit: str) -> bool:
        """Tell whether a site's partners were changed in this push, and not, as far as is known, on this unit."""
        changed = [
            record
            for record in self.records
            if record.fields.get("site") == site and record.fields.get("action") == Action.SET_GEO_PARTNERS.value
        ]
        done_on = {canonical(str(r.fields.get("unit"))) for r in changed if r.event == "changed"}
        return bool(changed) and canonical(unit) not in done_on

    def progress(self, site: str) -> PairProgress:
        """Return how far a pair has come; partners that were changed since begin it anew."""
        changed = self._last(site, {"changing"}, Action.SET_GEO_PARTNERS)
        for number in range(len(self.records) - 1, changed, -1):
            record = self.records[number]
            if record.event in _PAIR_EVENTS and record.fields.get("site") == site:
                return _PAIR_EVENTS[record.event]
        return PairProgress.NOT_BEGUN

    def last_reboot(self, site: str) -> Record | None:
        """Return the last reboot of a site's master that may have been sent."""
        number = self._last(site, {"rebooting"})
        return self.records[number] if number > self._last(site, {"reboot_not_sent"}) else None

    def reboots_of(self, unit: str) -> tuple[datetime, ...]:
        """Return when a unit was rebooted."""
        wanted = canonical(unit)
        return tuple(
            r.at for r in self.records if r.event == "rebooting" and canonical(str(r.fields.get("unit"))) == wanted
        )

    @property
    def _begin(self) -> Mapping[str, Any]:
        return self.records[0].fields if self.records and self.records[0].event == "begin" else {}

    def _last(self, site: str, events: set[str], action: Action | None = None) -> int:
        for number in range(len(self.records) - 1, -1, -1):
            record = self.records[number]
            is_of_site = record.event in events and record.fields.get("site") == site
            if is_of_site and (action is None or record.fields.get("action") == action.value):
                return number
        return -1
