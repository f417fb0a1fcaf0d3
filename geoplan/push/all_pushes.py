"""All pushes of a state folder, or those on some units: when, who, what, and how they ended."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from geoplan.errors import UnusableFileError
from geoplan.push import journal as journals
from geoplan.push import records as models
from geoplan.push.history import COMPLETED, number_in
from geoplan.push.outcome import StepState
from geoplan.push.state_dir import journals_folder, require_own, usable
from geoplan.push.summary import name_step, not_done
from geoplan.wording import count, local_time, shell_command, shown, some_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from geoplan.push.history import History

FORMAT = "geoplan/push-history/1"
NARROWEST = 40
OWN_WORDS = frozenset({*COMPLETED, "refused", "abandoned", "interrupted", "stopped", "not verified"})
"""Of outcomes: what else a journal has there is shown as it is."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A journal of which nothing is known, and why."""

    path: Path
    why: str
    hint: str | None


@dataclass(frozen=True, slots=True)
class AllPushes:
    """What journals tell, the newest first; what cannot be read is named."""

    pushes: tuple[History, ...]
    unreadable: tuple[Unreadable, ...]


def read_all(state: Path, keys: Collection[str] | None = None) -> AllPushes:
    """Read the journals of a state folder; with ``keys``, those that name any of these units, and all that are damaged.

    Raises :class:`UnusableFileError` where the folder itself cannot be used.
    """
    with usable(state):
        require_own(state)
        require_own(journals_folder(state))
    pushes: list[History] = []
    unreadable: list[Unreadable] = []
    for path in reversed(journals.paths(state)):
        try:
            if keys is not None and journals.units_of(path).isdisjoint(keys):
                continue
            history = journals.read(path)
            if history.records:
                pushes.append(history)
            else:
                unreadable.append(Unreadable(path, "the journal is empty, or cut off in its first record", None))
        except UnusableFileError as error:
            unreadable.append(Unreadable(path, str(error), error.hint))
    return AllPushes(tuple(pushes), tuple(unreadable))


def as_text(found: AllPushes, *, running: Collection[Path] = (), width: int = 80) -> str:
    """Return a block for each push, no line wider than ``width`` but for what can be typed; ``running`` go on now."""
    blocks = [_block(history, max(width, NARROWEST), is_running=history.path in running) for history in found.pushes]
    blocks += [_unreadable(each, max(width, NARROWEST)) for each in found.unreadable]
    return "\n".join(f"{block}\n" for block in blocks) or "no push yet\n"


def _block(history: History, width: int, *, is_running: bool) -> str:
    begin = history.begin
    facts = [
        ("by", begin.who),
        ("drill of", history.drill or ""),
        ("topology", history.topology + (f", {shell_command(begin.file)}" if begin.file else "")),
        ("flags", shell_command(*begin.flags)),
        ("undoes", _undone(history)),
        ("units", _units(history)),
        ("reboots", _reboots(history)),
        ("steps", _steps(history)),
        ("journal", shell_command(str(history.path))),
    ]
    lines = [f"{history.number}  {local_time(begin.at)}  {_ending(history, is_running=is_running)}"]
    lines += [f"  {name:<8}  {value}" for name, value in facts if value]
    return "\n".join(_wrapped(shown(line), width) for line in lines)


def _wrapped(line: str, width: int) -> str:
    return textwrap.fill(line, width, subsequent_indent=" " * 12, break_long_words=False, break_on_hyphens=False)


def _unreadable(journal: Unreadable, width: int) -> str:
    lines = [f"not read  {journal.why}", *([f"  hint: {journal.hint}"] if journal.hint else [])]
    if str(journal.path) not in journal.why:
        lines.insert(1, f"  journal   {shell_command(str(journal.path))}")
    return "\n".join(_wrapped(shown(line), width) for line in lines)


def _ending(history: History, *, is_running: bool) -> str:
    if is_running:
        return "running now"
    step = stopped_at(history)
    words = f"{history.outcome}{f' at step {step}' if step else ''}"
    return words if history.is_finished else f"{words}, unfinished"


def stopped_at(history: History) -> str | None:
    """Return the step at which an unfinished push came to its stop, with its number; None where it is not known."""
    if history.is_finished and history.outcome != "abandoned":
        return None
    try:
        undone = not_done(history)
        total = len(history.plan.steps)
    except UnusableFileError:
        return None
    failed = [step for step in undone if history.step_states.get(step.id) == StepState.FAILED]
    at = next(iter(failed), next((step for step in undone if step.id not in history.step_states), None))
    return f"{at.number} of {total}, {name_step(at)}" if at else None


def _undone(history: History) -> str:
    """Say which push it took back, by its number."""
    undoes = history.begin.undoes
    return str(number_in(undoes)) if undoes else ""


def _units(history: History) -> str:
    labs = {key.partition("@")[2] for key in history.begin.units.values()} - {""}
    where = f" (of the lab {some_of(sorted(labs))})" if labs else ""
    return f"{some_of(tuple(history.begin.units))}{where}"


def rebooted(history: History) -> dict[str, list[str]]:
    """Return when a push rebooted which units, as far as it is not known that a reboot was never sent."""
    masters = dict.fromkeys(each.unit for each in history.records if isinstance(each, models.Rebooting))
    times = {unit: [moment.isoformat() for moment in history.reboots_of(unit)] for unit in masters}
    return {unit: moments for unit, moments in times.items() if moments}


def _reboots(history: History) -> str:
    found = rebooted(history)
    return some_of([f"{unit}{f' ({len(times)} times)' if len(times) > 1 else ''}" for unit, times in found.items()])


def _steps(history: History) -> str:
    try:
        total = len(history.plan.steps)
        undone = len(not_done(history))
    except UnusableFileError:
        return "the journal has no usable plan"
    return f"{total - undone} of {count(total, 'step')} done or in place"


def as_plain(found: AllPushes, *, running: Collection[Path] = ()) -> dict[str, Any]:
    """Return the same as JSON holds it."""
    return {
        "format": FORMAT,
        "pushes": [_plain(history, is_running=history.path in running) for history in found.pushes],
        "unreadable": [{"journal": str(each.path), "why": each.why, "hint": each.hint} for each in found.unreadable],
    }


def _plain(history: History, *, is_running: bool) -> dict[str, Any]:
    begin = history.begin
    user, at, host = begin.who.rpartition("@")
    last: Sequence[models.AnyRecord] = history.records[-1:]
    return {
        "number": history.number,
        "began": begin.at.isoformat(),
        "ended": None if is_running else last[0].at.isoformat(),
        "user": user if at else begin.who,
        "host": host if at else None,
        "topology": history.topology,
        "file": begin.file,
        "flags": list(begin.flags),
        "undoes": number_in(begin.undoes) if begin.undoes else None,
        "phases": [phase.value for phase in history.phases],
        "outcome": None if is_running else history.outcome,
        "finished": history.is_finished,
        "running": is_running,
        "stopped_at": None if is_running else stopped_at(history),
        "units": dict(begin.units),
        "reboots": rebooted(history),
        "checksum": begin.checksum,
        "backups": dict(history.backed_up),
        "journal": str(history.path),
    }
