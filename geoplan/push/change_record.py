"""One push as one file for the change ticket: what, who, approved by what, before and after, when, and how it ended.

It is made of the journal, so it has no secret, and says of a push that was stopped exactly what was done.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from geoplan.errors import UnusableFileError
from geoplan.live.model import LIST_NAMES
from geoplan.push import firmware_records as updates
from geoplan.push import records as models
from geoplan.push import secret_records as secrets
from geoplan.push import values
from geoplan.push.history import number_in
from geoplan.push.outcome import StepState
from geoplan.push.summary import say_step
from geoplan.vendor import NO_PREFERRED_HOST, PREFER_MASTER, SHARED_SECRET
from geoplan.wording import count, local_time, shell_command, shown_in_line, shown_lines, some_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from geoplan.plan.model import Plan
    from geoplan.push.history import History
    from geoplan.push.records import AnyRecord
    from geoplan.push.values import Value

NOT_BEGUN = "not begun"
_HEAD = re.compile(rf"<!-- geoplan/push-record/1: ({NOT_BEGUN}(?: [0-9a-f]+)?|[\w.-]+) -->")
"""The first line of every such file, with the name of its push: what begins otherwise is no record."""
_NAMES = {str(subject): name for subject, name in LIST_NAMES.items()} | {
    "cluster": "cluster",
    "ha_parameters": "HA parameters",
}
_MEANS_SOMETHING = re.compile(r"([\\`*_\[\]<>|~&#!$])")


class Consent(StrEnum):
    """Who approved a push that was not begun, as its record says it."""

    NOT_ASKED = "nobody: it ended before anybody was asked"
    NO_TERMINAL = "nobody: there was no terminal to ask on"
    NOT_GIVEN = "nobody: it was asked, and not agreed to"
    BEFOREHAND = "--yes"
    GIVEN = "whoever began it"


@dataclass(frozen=True, slots=True)
class Ended:
    """How one run of a push ended, as its operator was told."""

    at: datetime
    who: str
    message: str
    exit_code: int
    destination: str
    approval: str | None = None
    """The checksum of the approval that it was held against."""
    go_on: str = ""
    """The command that leads on from where it stopped."""
    keeps_journal: bool = True
    """Whether its journal outlives it."""
    consent: Consent = Consent.NOT_ASKED
    reasons: tuple[str, ...] = ()
    """Everything that blocked it: where, what, and what to do."""
    hint: str = ""
    file: str = ""
    """The topology's file, where no plan was made of it."""


class Change(NamedTuple):
    """One thing that was done to a unit, or may have been."""

    at: datetime
    unit: str
    what: str
    before: str = ""
    after: str = ""
    is_read_back: bool | None = None
    """None for what nothing reads back."""


def as_markdown(plan: Plan | None, ended: Ended, history: History | None) -> str:
    """Return the record of a push; ``history`` is None where it ended before it had begun, and changed nothing.

    ``plan`` is None where it ended before one was made.
    """
    topology = plan.topology if plan else ended.file
    name = f"Push {history.number}: {topology}" if history else f"Push of {topology}, not begun"
    push = history.name if history else not_begun(plan, ended.destination)
    lines = [f"<!-- geoplan/push-record/1: {push} -->", f"# {_words(name)}", "", *_outcome(ended, history)]
    lines += ["", "| | |", "|---|---|"]
    lines += [
        f"| {key} | {value} |" for key, value in (*_of_plan(plan, ended, history), *_facts(ended, history)) if value
    ]
    if ended.reasons:
        lines += ["", "## What blocked it", "", *(f"- {_words(reason)}" for reason in ended.reasons)]
    if history:
        lines += ["", "## Steps", "", *_steps(history), "", "## Before and after", "", *_changes(history)]
    return "\n".join(lines) + "\n"


def not_begun(plan: Plan | None, destination: str) -> str:
    """Return what stands in place of a push's name: the same one for each attempt at the same plan on the same units.

    Where there was no plan it is that of no other attempt.
    """
    if plan is None:
        return NOT_BEGUN
    of_both = f"{plan.checksum}\n{destination}".encode(errors="backslashreplace")
    return f"{NOT_BEGUN} {hashlib.sha256(of_both).hexdigest()[:16]}"


def push_named_in(first_line: str) -> str | None:
    """Return the name of the push that a record is of, :data:`NOT_BEGUN`, or None for a file that is no record."""
    found = _HEAD.match(first_line)
    return found[1] if found else None


def _outcome(ended: Ended, history: History | None) -> Iterator[str]:
    what = history.outcome if history else "nothing was changed"
    yield f"**{_words(what)}** (exit code {ended.exit_code})"
    # As it was told, line by line; a longer fence than any in it keeps it whole.
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", ended.message)), default=0))
    yield from ("", f"{fence}text", *shown_lines(ended.message).splitlines(), fence)


def _of_plan(plan: Plan | None, ended: Ended, history: History | None) -> Iterator[tuple[str, str]]:
    yield "went", _words(ended.destination)
    if plan is None:
        yield "topology", _code(ended.file)
        return
    file = f", {_code(history.begin.file)}" if history and history.begin.file else ""
    yield "topology", _words(plan.topology) + file
    yield "of", _words(plan.scope)
    yield "plan", _code(plan.checksum)


def _facts(ended: Ended, history: History | None) -> Iterator[tuple[str, str]]:
    yield "approved by", _approved(ended, history) if history else ended.consent.value
    yield "what to do", _words(ended.hint)
    if history is None:
        yield "by", _words(ended.who)
        yield "ended", local_time(ended.at)
        return
    begin = history.begin
    yield "by", _words(begin.who)
    yield "options", _code(shell_command(*begin.flags)) if begin.flags else ""
    yield "takes back", f"push {number_in(begin.undoes)}" if begin.undoes else ""
    yield "began", local_time(begin.at)
    for record in history.records:
        if isinstance(record, models.Resumed):
            yield "resumed", f"{local_time(record.at)} by {_words(record.who)}"
    yield "ended", local_time(history.records[-1].at)
    yield "units", _words(some_of(tuple(begin.units)))
    yield "backups", f"of {count(len(history.backed_up), 'unit')}" if history.backed_up else "none"
    yield "journal", _code(str(history.path)) if ended.keeps_journal else "gone with the lab"
    yield "goes on with", _code(ended.go_on) if ended.go_on and not history.is_finished else ""


def _approved(ended: Ended, history: History) -> str:
    """Say what was approved beforehand: a checksum that was typed, or the file that was given."""
    flags = history.begin.flags
    typed = [_code(value) for option, value in pairwise(flags) if option == "--checksum"]
    files = [_code(value) for option, value in pairwise(flags) if option == "--plan"]
    found = [*typed, *([_code(ended.approval)] if ended.approval and _code(ended.approval) not in typed else [])]
    if files:
        found.append(f"in {files[0]}")
    return ", ".join(found) or (Consent.BEFOREHAND if "--yes" in flags else Consent.GIVEN)


def _steps(history: History) -> Iterator[str]:
    try:
        steps = history.plan.steps
    except UnusableFileError:
        yield "The journal has no usable plan."
        return
    told = _told_of_steps(history.records)
    yield from ("| # | step | unit | ended | how | why |", "|---|---|---|---|---|---|")
    for step in steps:
        cells = told.get(step.id, _NOT_DONE)
        yield f"| {step.number} | {_words(say_step(step))} | {' | '.join(map(_words, cells))} |"


_NOT_DONE = ("", "", "not done", "")


def _told_of_steps(records: Sequence[AnyRecord]) -> dict[str, tuple[str, str, str, str]]:
    """Return of each step that ended its unit, when, how and why.

    What a resumed run found in place, though an earlier one of the same push has done it, was done: then.
    """
    done: dict[str, models.Changed | models.Rebooting | models.Resubmitted] = {}
    told: dict[str, tuple[str, str, str, str]] = {}
    for record in records:
        match record:
            case models.Changed() | models.Rebooting() | models.Resubmitted() if record.step:
                done[record.step] = record
            case models.RebootNotSent():
                done.pop(record.step, None)
            case models.StepEnded(state=StepState.IN_PLACE | StepState.RECORDED) if by := done.get(record.id):
                if told.get(record.id, _NOT_DONE)[2] != StepState.DONE:
                    told[record.id] = (by.unit, local_time(by.at), StepState.DONE.value, "")
            case models.StepEnded():
                told[record.id] = (record.unit or "", local_time(record.at), record.state.value, record.why or "")
            case _:
                pass
    return told


def _changes(history: History) -> Iterator[str]:
    found = changes(history.records)
    if not found:
        yield "Nothing was changed."
        return
    yield from ("| at | unit | what | before | after | read back |", "|---|---|---|---|---|---|")
    words = {True: "yes", False: "**no**", None: ""}
    for each in found:
        cells = map(_words, (local_time(each.at), each.unit, each.what, each.before, each.after))
        yield f"| {' | '.join(cells)} | {words[each.is_read_back]} |"


def changes(records: Sequence[AnyRecord]) -> list[Change]:
    """Return what was done to units, or may have been, in its order."""
    later = _Later()
    found: list[Change] = []
    for record in reversed(records):
        if change := _change(record, later):
            found.append(change)
        later.take(record)
    return found[::-1]


@dataclass
class _Later:
    """What came after a record, of what says how that one ended."""

    read_back: set[tuple[str | None, str]] = field(default_factory=set)
    """The steps with the units that were read back."""
    never_sent: set[str] = field(default_factory=set)
    """The units of which it turned out that what was recorded last was never carried out."""

    def take(self, record: AnyRecord) -> None:
        match record:
            case models.Changed():
                self.read_back.add((record.step, record.unit))
            case models.Changing():
                self.read_back.discard((record.step, record.unit))
            case models.RebootNotSent() | secrets.SecretNotSet() | updates.NotInstalled():
                self.never_sent.add(record.unit)
            case models.Rebooting() | secrets.SettingSecret() | updates.Installing():
                self.never_sent.discard(record.unit)


def _change(record: AnyRecord, later: _Later) -> Change | None:
    match record:
        case models.Changing():
            what = f"{_NAMES[record.what]} of {record.site}"
            is_read_back = (record.step, record.unit) in later.read_back
            return Change(record.at, record.unit, what, _value(record.before), _value(record.after), is_read_back)
        case models.Rebooting() if record.unit not in later.never_sent:
            return Change(record.at, record.unit, f"reboot of the master of {record.site}")
        case models.Resubmitting():
            before = "not told" if record.before is None else _value(record.before)
            what = f"{LIST_NAMES['geo_partners']} of {record.site}, submitted again"
            return Change(record.at, record.unit, what, before, _value(record.after))
        case models.Seeding():
            had = ", ".join(record.before) or "empty"
            return Change(
                record.at, record.unit, f"GEO configuration of {record.site}", had, f"that of {record.source}"
            )
        case secrets.SettingSecret() if record.unit not in later.never_sent:
            return Change(record.at, record.unit, f"{SHARED_SECRET} of {record.site}, which nothing shows")
        case _:
            return _change_of_firmware(record, later)


def _change_of_firmware(record: AnyRecord, later: _Later) -> Change | None:
    match record:
        case updates.Preferring():
            before, after = (PREFER_MASTER if each else NO_PREFERRED_HOST for each in (record.before, record.after))
            return Change(record.at, record.unit, f"preferred host of {record.site}", before, after)
        case updates.Installing() if record.unit not in later.never_sent:
            return Change(record.at, record.unit, f"firmware of {record.site}", record.before, record.after)
        case updates.Booting():
            return Change(record.at, record.unit, f"boot into the firmware, {record.site}")
        case _:
            return None


def _value(value: Value) -> str:
    match value:
        case tuple():
            return " ".join(value) or "empty"
        case values.ClusterValue():
            place = "" if value.latitude is None else f", latitude {value.latitude}, longitude {value.longitude}"
            return f"'{value.name}' ({value.address}), {value.type}{place}"
        case values.HaValue():
            told = value.model_dump(exclude_none=True)
            return ", ".join(f"{name.replace('_', ' ')} {each}" for name, each in told.items()) or "not told"
        case None:
            return "not there"


def _words(text: str) -> str:
    """Return a text of anybody's as words of a cell: nothing in it marks anything up, ends the cell or the line."""
    return _MEANS_SOMETHING.sub(r"\\\1", shown_in_line(text))


def _code(text: str) -> str:
    """Return a text as code in a cell, or as words where code cannot hold it."""
    shown = shown_in_line(text)
    return _words(text) if "`" in shown or "|" in shown else f"`{shown}`"
