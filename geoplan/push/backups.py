"""A backup of every unit before anything is changed, for its owner's eyes alone."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from geoplan.errors import PushRefusedError, UnitError, UnusableFileError
from geoplan.push.events import EventKind
from geoplan.push.facts import State
from geoplan.push.failures import reason_of
from geoplan.push.places import make_private, write_private

if TYPE_CHECKING:
    from pathlib import Path

    from geoplan.push.context import Context
    from geoplan.push.facts import Facts, UnitFacts


async def back_up(context: Context, facts: Facts, folder: Path) -> None:
    """Write a backup of every unit that has none in the journal yet, many at once.

    A standby that answers no reads has none, which is said. Raises :class:`PushRefusedError` where another one fails:
    nothing has been changed then.
    """
    done = context.journal.history.backed_up
    missing = [unit for unit in facts.units.values() if unit.address not in done]
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
    if not problems:
        context.say(EventKind.BACKUP, f"{len(missing)} units backed up in {folder}")
    if problems:
        raise PushRefusedError(
            "not every unit could be backed up; nothing was changed", problems, hint="see to these units first"
        )


async def _back_up_unit(context: Context, unit: UnitFacts, folder: Path) -> str | None:
    try:
        content = await context.fleet.unit(unit.address).backup()
    except UnitError as error:
        reason = reason_of(error)
        if unit.failure and unit.state in (State.STANDBY, State.DOWN):
            message = f"{unit.address}: not backed up: {reason}"
            context.journal.write("note", message=message)
            context.say(EventKind.NOTE, message)
            return None
        return f"{unit.address}: no backup: {reason}"
    path = folder / f"{unit.address.replace(':', '_')}.backup"
    if path.exists():  # from a run that ended before it could note it
        path.unlink()
    write_private(path, content)
    digest = hashlib.sha256(content).hexdigest()
    context.journal.write("backup", unit=unit.address, file=str(path), sha256=digest)
    context.say(EventKind.BACKUP, f"{len(content)} bytes in {path}", unit=unit.address)
    return None
