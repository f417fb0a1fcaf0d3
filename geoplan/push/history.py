"""What a journal tells: which changes were made, and how far each pair has come.

It is read once and kept up to date with every record, so that what a step asks of it costs nothing.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.errors import UnusableFileError
from geoplan.plan.drill import drilled_site
from geoplan.plan.model import Action, Plan
from geoplan.push import firmware_records as updates
from geoplan.push import records as models
from geoplan.push import secret_records as secrets

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from geoplan.plan.model import Phase
    from geoplan.plan.secret_change import SecretChange
    from geoplan.push.records import AnyRecord, Begin, Rebooting
    from geoplan.push.values import Sight

_WORDS_OF_CHANGE = {"--from": 1, "--replaced": 1, "--clean-leaving": 0, "--follow": 0, "--within": 1, "--retire": 1}
"""The options that make a push a change, each with the number of its values."""
COMPLETED = ("done", "done with findings")
MAX_DIGITS = 18
"""Of the number of a push: more than a state folder ever has."""
MOVE_AWAY = "move it away once you have looked at the units with `geoplan diff`"


class PairProgress(StrEnum):
    """How far a pair's reboot has come."""

    NOT_BEGUN = "not begun"
    REBOOTING = "rebooting"
    """The reboot was sent, or was just about to be: only the units know."""
    RESUBMITTED = "resubmitted"
    """The new active unit took its partners; what is left is to see both units healthy."""
    HEALTHY = "healthy"


@dataclass(slots=True)
class _Site:
    """How far a site has come; records are told apart by their places in the journal."""

    partners_changing: int = -1
    rebooting: int = -1
    healthy: int = -1
    progress: PairProgress = PairProgress.NOT_BEGUN
    before_reboot: tuple[int, PairProgress] = (-1, PairProgress.NOT_BEGUN)
    """What stood before the last reboot, which may turn out never to have been sent."""
    is_formed: bool = False
    has_partners_on: set[str] = field(default_factory=set)
    """The units that took the site's partners since these changed."""


class History:
    """All records of one push, in their order."""

    def __init__(self, path: Path, records: Iterable[AnyRecord] = ()) -> None:
        self.path = path
        self.records: list[AnyRecord] = []
        """Everything that is recorded, in its order; it grows while the push goes on."""
        self.who = "somebody"
        """Who began it, resumed it or gave it up last."""
        self.outcome = "interrupted"
        """How it ended, or that it has not."""
        self.is_finished = False
        """Whether it came to an end, and not only to a stop."""
        self.has_changes = False
        """Whether anything was changed, or may have been."""
        self.backed_up: dict[str, str] = {}
        """The files of the backups, by units."""
        self.step_states: dict[str, str] = {}
        """How each step ended last, by its id."""
        self.renewed: frozenset[str] = frozenset()
        """The units that it takes for new boxes, in one spelling."""
        self.timed: list[models.Timed] = []
        """What a drill saw, in its order."""
        self._sites: defaultdict[str, _Site] = defaultdict(_Site)
        self._reboots: dict[str, list[datetime]] = {}
        for record in records:
            self.add(record)

    @classmethod
    def parse(cls, path: Path, content: bytes) -> History:
        """Read whole lines. Raises :class:`UnusableFileError` where one of them is none of a journal."""
        history = cls(path)
        for number, line in enumerate(content.split(b"\n")[:-1], start=1):
            try:
                record = models.parse(line)
            except models.UnfitRecordError as error:
                if number == 1 and (version := models.other_version(line)):
                    raise UnusableFileError(
                        f"{path}: the journal is one of another version of geoplan: {version}, and not {models.FORMAT}",
                        hint=f"go on with the geoplan that wrote it; or {MOVE_AWAY}",
                    ) from None
                raise _damaged(path, number, str(error)) from None
            if (number == 1) is not isinstance(record, models.Begin):
                raise _damaged(path, number, "only its first record begins a push, and has to")
            history.add(record)
        return history

    def add(self, record: AnyRecord) -> None:
        """Take the next record."""
        number = len(self.records)
        self.records.append(record)
        match record:
            case models.Begin() | models.Resumed():
                self.who = record.who
            case models.Backup():
                self.backed_up[record.unit] = record.file
            case models.StepEnded():
                self.step_states[record.id] = record.state.value
            case models.Stopped():
                self.outcome = record.outcome
            case models.Timed():
                self.timed.append(record)
            case models.End():
                self.outcome, self.is_finished, self.who = record.outcome, True, record.who or self.who
            case models.Resubmitting() | models.Seeding():
                self.has_changes = True
            case models.Renewed():
                self.renewed |= {canonical(unit) for unit in record.units}
            case updates.Preferring() | updates.Installing() | updates.Booting() | secrets.SettingSecret():
                self.has_changes = True
            case models.Changing() | models.Rebooting():
                self.has_changes = True
                self._add_to_site(number, record)
            case _:
                self._add_to_site(number, record)

    def _add_to_site(self, number: int, record: AnyRecord) -> None:
        match record:
            case models.Changing(action=Action.SET_GEO_PARTNERS):
                site = self._sites[record.site]
                site.partners_changing, site.progress = number, PairProgress.NOT_BEGUN
                site.has_partners_on.clear()
            case models.Changing(action=Action.SET_MASTER_HA_PARAMETERS | Action.SET_SLAVE_HA_PARAMETERS):
                self._sites[record.site].is_formed = True
            case models.Changed(action=Action.SET_GEO_PARTNERS):
                self._sites[record.site].has_partners_on.add(canonical(record.unit))
            case models.Rebooting():
                site = self._sites[record.site]
                site.before_reboot = (site.rebooting, site.progress)
                site.rebooting, site.progress = number, PairProgress.REBOOTING
                self._reboots.setdefault(canonical(record.unit), []).append(record.at)
            case models.RebootNotSent():
                site = self._sites[record.site]
                site.rebooting, site.progress = site.before_reboot
                if reboots := self._reboots.get(canonical(record.unit)):
                    reboots.pop()
            case models.TooLate():
                self._sites[record.site].progress = PairProgress.NOT_BEGUN
            case models.Resubmitted():
                self._sites[record.site].progress = PairProgress.RESUBMITTED
            case models.Healthy():
                site = self._sites[record.site]
                site.healthy, site.progress = number, PairProgress.HEALTHY

    # -- what it is called --------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """What it is called: its journal's name without its ending."""
        return self.path.stem

    @property
    def number(self) -> int:
        """Its number, which its journal's name begins with: no other push of the state folder has it."""
        return number_in(self.name)

    @property
    def words_of_change(self) -> tuple[str, ...]:
        """The options that made it a change, as they were typed; empty for any other push, or where none is known."""
        flags = self.begin.flags
        places = [(place, word) for place, word in enumerate(flags) if word in _WORDS_OF_CHANGE]
        return tuple(each for place, word in places for each in flags[place : place + 1 + _WORDS_OF_CHANGE[word]])

    @property
    def groups_given(self) -> tuple[str, ...]:
        """The groups that it was to be of, as they were typed; empty for all of its file."""
        return tuple(name for word, name in pairwise(self.begin.flags) if word == "--group")

    @property
    def old_state(self) -> str | None:
        """What a change began at: a file, or ``live`` for what units held; None for any other push."""
        words = self.words_of_change
        return words[words.index("--from") + 1] if "--from" in words else None

    # -- the push as a whole -----------------------------------------------------------------------------------------

    @property
    def begin(self) -> Begin:
        """Its first record. Raises :class:`UnusableFileError` where there is none."""
        if self.records and isinstance(self.records[0], models.Begin):
            return self.records[0]
        raise UnusableFileError(f"{self.path}: the journal is empty", hint=MOVE_AWAY)

    @cached_property
    def plan(self) -> Plan:
        """The plan that was being carried out. Raises :class:`UnusableFileError` where it cannot be read."""
        try:
            return Plan.model_validate(self.begin.plan)
        except ValueError:
            raise UnusableFileError(f"{self.path}: the journal has no usable plan", hint=MOVE_AWAY) from None

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The parts of the work that it carries out; an empty tuple where its plan cannot be read."""
        with suppress(UnusableFileError):
            return self.plan.phases()
        return ()

    @property
    def topology(self) -> str:
        """What the topology was called."""
        return str(self.begin.plan.get("topology", "topology"))

    @property
    def drill(self) -> str | None:
        """The pair that it drills; None where it is a push, or its plan cannot be read."""
        with suppress(UnusableFileError):
            return drilled_site(self.plan)
        return None

    @property
    def update(self) -> str | None:
        """The firmware that it brings units to; None where it is no update, or its plan cannot be read."""
        with suppress(UnusableFileError):
            return self.plan.firmware.to if self.plan.firmware else None
        return None

    @property
    def rotation(self) -> SecretChange | None:
        """That it sets the Partner Shared Secret; None where it does not, or its plan cannot be read."""
        if not self.begin.plan.get("secret"):  # of most pushes no plan is read for that
            return None
        with suppress(UnusableFileError):
            return self.plan.secret
        return None

    # -- its sites ---------------------------------------------------------------------------------------------------

    @property
    def owed_pairs(self) -> tuple[str, ...]:
        """The pairs that are not finished: see :meth:`is_owed`."""
        pairs = (step.site for step in self.plan.steps if step.action is Action.REBOOT_MASTER)
        return tuple(site for site in pairs if self.is_owed(site))

    def is_owed(self, site: str) -> bool:
        """Return whether a pair has to be rebooted, or to be brought to the end of a reboot, by this push alone.

        That is so once its partners were changed, or may have been, or its reboot was begun, until it is healthy.
        """
        found = self._sites[site]
        return max(found.partners_changing, found.rebooting) > found.healthy

    def was_finished(self, site: str) -> bool:
        """Return whether a pair was rebooted and has come to its end in this push, with nothing owed since."""
        return self._sites[site].healthy >= 0 and not self.is_owed(site)

    def was_touched(self, site: str) -> bool:
        """Return whether a site's partners were changed, or its master rebooted, in this push."""
        found = self._sites[site]
        return max(found.partners_changing, found.rebooting) >= 0

    def was_formed(self, site: str) -> bool:
        """Return whether the HA parameters of a site's units were changed in this push, or may have been."""
        return self._sites[site].is_formed

    def needs_submission(self, site: str, unit: str) -> bool:
        """Return whether a site's partners were changed in this push, and not, as far as is known, on this unit."""
        found = self._sites[site]
        is_changed = found.partners_changing >= 0 or bool(found.has_partners_on)
        return is_changed and canonical(unit) not in found.has_partners_on

    def progress(self, site: str) -> PairProgress:
        """Return how far a pair has come; partners that were changed since begin it anew."""
        return self._sites[site].progress

    def last_reboot(self, site: str) -> Rebooting | None:
        """Return the last reboot of a site's master that may have been sent."""
        number = self._sites[site].rebooting
        record = self.records[number] if number >= 0 else None
        return record if isinstance(record, models.Rebooting) else None

    def has_timed(self, step: str, what: Sight, unit: str, partner: str | None) -> bool:
        """Return whether a drill has seen that already."""
        return (step, what, unit, partner) in {(each.step, each.what, each.unit, each.partner) for each in self.timed}

    def reboots_of(self, unit: str) -> tuple[datetime, ...]:
        """Return when a unit was rebooted in this push."""
        return tuple(self._reboots.get(canonical(unit), ()))


def number_in(name: str) -> int:
    """Return the number that the name of a push begins with; 0 where it has none."""
    number = name.partition("-")[0]
    return int(number) if number.isascii() and number.isdecimal() and len(number) <= MAX_DIGITS else 0


def _damaged(path: Path, number: int, reason: str) -> UnusableFileError:
    return UnusableFileError(f"{path}:{number}: the journal is damaged: {reason}", hint=MOVE_AWAY)
