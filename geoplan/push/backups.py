"""A backup of every unit before anything is changed, for its owner's eyes alone."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.errors import PushRefusedError, UnitError, UnusableFileError
from geoplan.files import write_private
from geoplan.live.activity import look_at
from geoplan.live.findings import NoteKind
from geoplan.live.findings.leaving import silent_leavers
from geoplan.live.model import State
from geoplan.push.change_progress import pairs_to_join
from geoplan.push.events import EventKind
from geoplan.push.history import COMPLETED
from geoplan.push.state_dir import make_own, require_own
from geoplan.wording import count, shell_command

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from geoplan.live.model import Observation, Observations
    from geoplan.plan.model import SiteSettings
    from geoplan.push.context import Context
    from geoplan.push.history import History
    from geoplan.push.ledger import Ledger
    from geoplan.push.store import Store


SUFFIX = ".backup"
BY_BACKUP_DIR = "with --backup-dir"
_MAY_BE_ACTIVE = (State.ACTIVE, State.CONTRADICTORY)


async def back_up(context: Context, facts: Observations, folder: Path) -> None:
    """Write a backup of every unit that has none in the journal yet, many at once.

    A standby may have none, which is said: its active unit's holds the same configuration. Raises
    :class:`PushRefusedError` where an active unit or a standalone gives none: nothing has been changed then.
    """
    done = context.history.backed_up
    silent = silent_leavers(context.plan, facts)
    missing = [unit for unit in facts.units.values() if unit.address not in done]
    missing = [unit for unit in missing if not (unit.site in silent and unit.failure)]
    if not missing:
        return
    folder = folder.absolute()  # as the journal names it, from wherever it is read
    try:
        require_own(folder.parent, BY_BACKUP_DIR)
        make_own(folder, BY_BACKUP_DIR)
        results = await context.fleet.ask_each(missing, lambda unit: _back_up_unit(context, unit, folder))
    except OSError as error:
        raise UnusableFileError(
            f"cannot write a backup into {folder}: {error.strerror or error}", hint="nothing was changed"
        ) from None
    problems = [problem for problem in results if problem]
    backed_up = sum(unit.address in context.history.backed_up for unit in missing)
    if not problems:
        what = f"{count(backed_up, 'unit')} backed up"
        context.reporter.say(EventKind.BACKUP, f"{what} in {shell_command(str(folder))}", what=what)
    if problems:
        raise PushRefusedError(
            "not every unit could be backed up; nothing was changed", problems, hint="repair these units first"
        )


async def _back_up_unit(context: Context, unit: Observation, folder: Path) -> str | None:
    try:
        content = await context.fleet.unit(unit.address).backup()
    except UnitError as error:
        reason = error.reason
        if unit.failure is not None and unit.site in pairs_to_join(context.plan):
            return None  # its pair is to be made whole by hand first
        if await _may_be_missing(context, unit):
            message = f"{unit.address}: the standby is not backed up: {reason}"
            context.note(NoteKind.NOT_BACKED_UP, message, site=unit.site, unit=unit.address)
            return None
        return f"{unit.address}: no backup: {reason}"
    path = folder / f"{unit.address.replace(':', '_')}{SUFFIX}"
    if path.exists():  # from a run that ended before it could note it
        path.unlink()
    write_private(path, content)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != hashlib.sha256(content).hexdigest():
        return f"{unit.address}: no backup: {path} does not hold what was written; check the disk"
    context.journal.write("backup", unit=unit.address, file=str(path), sha256=digest)
    what = f"{len(content)} bytes"
    context.reporter.say(EventKind.BACKUP, f"{what} in {shell_command(str(path))}", unit=unit.address, what=what)
    return None


async def _may_be_missing(context: Context, unit: Observation) -> bool:
    """Return whether a unit is no more than its pair's standby, now as before.

    A unit that was down before is one that a push which is resumed has rebooted.
    """
    was_standby = unit.state is State.STANDBY or (unit.state is State.DOWN and unit.failure is not None)
    return was_standby and (await look_at(context.fleet.unit(unit.address))).state not in _MAY_BE_ACTIVE


# -- how long they are kept --------------------------------------------------------------------------------------------


def prune(store: Store, ledger: Ledger, keep: int) -> list[str]:
    """Remove the backups of each unit but those of its last ``keep`` pushes; return what could not be removed, and why.

    What may still be wanted stays, however old: backups of a push that is unfinished, of the last one that came to its
    end, and all of a pair that owes something. It is called while the units are locked. Whatever stops it in between,
    the next call goes on.
    """
    histories = tuple(store.histories(more_than=keep))
    wanted = {file for key in store.keys.values() for file in _wanted(histories, key, keep)}
    owing = _owing(histories, ledger)
    failures = []
    for history in histories:
        for unit, file in history.backed_up.items():
            key = history.begin.units.get(unit)
            if key not in store.keys.values() or file in wanted or canonical(unit) in owing:
                continue
            try:
                _remove(Path(file), history.path.stem)
            except OSError as error:
                failures.append(f"cannot remove the old backup {shell_command(file)}: {error.strerror or error}")
    return failures


def _wanted(histories: Sequence[History], key: str, keep: int) -> Iterator[str]:
    """Yield the backups of a unit that are to stay."""
    own = [
        (history, file)
        for history in histories
        for unit, file in history.backed_up.items()
        if history.begin.units.get(unit) == key
    ]
    yield from (file for _, file in own[-keep:])
    yield from (file for history, file in own if not history.is_finished)
    yield from [file for history, file in own if history.outcome in COMPLETED][-1:]


def _owing(histories: Sequence[History], ledger: Ledger) -> frozenset[str]:
    """Return the units of all pairs that owe something, by their canonical addresses."""
    pairs = [[canonical(unit.address) for unit in site.units] for history in histories for site in _sites_of(history)]
    return frozenset(unit for pair in pairs if any(ledger.owes(each) for each in pair) for unit in pair)


def _sites_of(history: History) -> tuple[SiteSettings, ...]:
    try:
        return history.plan.sites
    except UnusableFileError:  # then nothing is known of its pairs
        return ()


def _remove(path: Path, push: str) -> None:
    """Remove a backup from where a push puts them, and its folder once that is empty; anything else is left alone."""
    is_ours = path.is_absolute() and path.parent.name == push and path.suffix == SUFFIX
    if not is_ours or path.is_symlink() or not path.is_file():
        return
    path.unlink()
    with suppress(OSError):  # there are others in it
        path.parent.rmdir()
