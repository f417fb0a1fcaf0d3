"""A backup of every unit before anything is changed, for its owner's eyes alone."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from geoplan.errors import PushRefusedError, UnitError, UnusableFileError
from geoplan.files import make_private, write_private
from geoplan.live.activity import look_at
from geoplan.live.findings import NoteKind
from geoplan.live.findings.leaving import silent_leavers
from geoplan.live.model import State
from geoplan.push.change_checks import pairs_to_join
from geoplan.push.events import EventKind
from geoplan.wording import count, shell_command

if TYPE_CHECKING:
    from pathlib import Path

    from geoplan.live.model import Observation, Observations
    from geoplan.push.context import Context


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
    try:
        make_private(folder)
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
    path = folder / f"{unit.address.replace(':', '_')}.backup"
    if path.exists():  # from a run that ended before it could note it
        path.unlink()
    write_private(path, content)
    digest = hashlib.sha256(content).hexdigest()
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
