"""What journals of older versions hold, read once and written again as journals of this version.

They lay in one folder for each topology, told by its name; a lab's lay in folders of the same kind, told by name and
file. Only where a folder is exactly the one of its topology's name are its units real ones: a lab is gone by now.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

from geoplan.addresses import canonical
from geoplan.errors import PushRefusedError, UnusableFileError
from geoplan.files import read_bounded, sync_folder, write_private
from geoplan.push import lock
from geoplan.push import records as models
from geoplan.push.history import MOVE_AWAY
from geoplan.push.journal import MAX_BYTES, SUFFIX, new_path, who
from geoplan.push.state_dir import journals_folder, old_folder_of, require_own, usable

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from pathlib import Path

CARRIED = ".carried"
"""What the name of a journal ends in once it is carried over."""


def carry_over(state: Path, locks: Path) -> None:
    """Write the journals of older versions again, those to real units, the oldest first.

    Raises :class:`UnusableFileError` where one is damaged, and :class:`PushRefusedError` while an older version of
    geoplan is pushing.
    """
    if not _old_journals(state):
        return
    with lock.only_push(locks, {"the older journals": f"older journals of {state.resolve()}"}, "older journals", who()):
        for path in _old_journals(state):
            with usable(state):
                _carry(state, path)


def _old_journals(state: Path) -> list[Path]:
    with usable(state):
        require_own(state)
        require_own(journals_folder(state))
        found = [path for path in journals_folder(state).glob(f"*/*{SUFFIX}") if _is_of_real_units(state, path)]
    return sorted(found, key=lambda path: path.name)


def _is_of_real_units(state: Path, path: Path) -> bool:
    first, end, _ = read_bounded(path, MAX_BYTES).partition(b"\n")
    if not end:
        return False  # nothing was recorded
    plan = _parse(path, 1, first).get("plan")
    topology = plan.get("topology") if isinstance(plan, dict) else None
    return isinstance(topology, str) and old_folder_of(state, topology).name == path.parent.name


def _carry(state: Path, path: Path) -> None:
    _require_no_push(path.parent / "lock")
    tag = f"{path.stem}-{path.parent.name[-12:]}"
    if not any(journals_folder(state).glob(f"*-{tag}{SUFFIX}")):  # else it was carried before it could be renamed
        content = read_bounded(path, MAX_BYTES)
        lines = content[: content.rfind(b"\n") + 1].split(b"\n")[:-1]
        records = [_converted(path, number, line) for number, line in enumerate(lines, start=1)]
        begin = records[0]
        if not isinstance(begin, models.Begin):
            raise _damaged(path, 1, "only its first record begins a push, and has to")
        target = new_path(state, tag, begin.units.values())
        partial = target.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        write_private(partial, b"".join(record.to_line().encode("ascii") + b"\n" for record in records))
        partial.rename(target)
        sync_folder(target.parent)
    path.rename(path.with_name(path.name + CARRIED))
    sync_folder(path.parent)


def _converted(path: Path, number: int, line: bytes) -> models.AnyRecord:
    content = _parse(path, number, line)
    event, at = content.pop("event", None), content.pop("at", None)
    try:
        if event == "begin":
            if content.get("format") != models.OLD_FORMAT:
                raise _damaged(path, number, "it is one of another version")
            content |= {"format": models.FORMAT, "units": _units_of(content["plan"])}
        return models.make(str(event), datetime.fromisoformat(str(at)), **content)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise _damaged(path, number, str(error)) from None


def _units_of(plan: Any) -> dict[str, str]:  # noqa: ANN401 - as the journal has it
    addresses = {str(unit["address"]) for site in plan["sites"] for unit in site["units"]}
    return {address: canonical(address) for address in sorted(addresses)}


def _parse(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        content = json.loads(line.decode(errors="surrogateescape"))
    except (ValueError, RecursionError) as error:
        raise _damaged(path, number, str(error)) from None
    if not isinstance(content, dict):
        raise _damaged(path, number, "it is no record")
    return content


def _require_no_push(path: Path) -> None:
    """Raise :class:`PushRefusedError` while an older version of geoplan, which has locks of its own, is pushing."""
    if sys.platform == "win32" or not path.exists():
        return
    handle = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise PushRefusedError(f"a push by an older geoplan is running: {path}", hint=lock.WAIT) from None
    finally:
        os.close(handle)


def _damaged(path: Path, number: int, reason: str) -> UnusableFileError:
    return UnusableFileError(f"{path}:{number}: the journal is damaged: {reason}", hint=MOVE_AWAY)
