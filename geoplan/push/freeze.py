"""Nobody pushes tonight: a marker in the folder of all pushes, which every push finds before it asks any unit.

It is for people, as a sign at a door is. Whoever may begin a push may also take it away, and the next one begins.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, NamedTuple

from geoplan.errors import PushRefusedError, UnusableFileError
from geoplan.files import read_bounded, sync_folder, write_private
from geoplan.push.journal import who
from geoplan.push.problems import Problem
from geoplan.push.state_dir import make_own, require_own, usable
from geoplan.push.values import Moment, Strict, Text
from geoplan.wording import local_time, shell_command, shown

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

LONGEST_REASON = 500
"""Characters."""
_MAX_BYTES = 16 * 1024
_KEPT = ("the freeze", "name a folder that you can write to with --state-dir; pushes are not frozen")


class Freeze(Strict):
    """Who froze pushes, when, and why."""

    format: Literal["geoplan/freeze/1"] = "geoplan/freeze/1"
    who: Text
    at: Moment
    reason: Text | None = None


class Frozen(NamedTuple):
    """That a marker is there."""

    path: Path
    freeze: Freeze | None
    """None where it cannot be read: somebody meant something by it, so it freezes all the same."""

    def __str__(self) -> str:
        return self._said("are")

    def when_thawed(self) -> str:
        """Say it of what is over."""
        return self._said("were")

    def _said(self, are: str) -> str:
        if self.freeze is None:
            return f"pushes {are} frozen, and who froze them cannot be read in {shown(str(self.path))}"
        why = f": {self.freeze.reason}" if self.freeze.reason else ""
        return shown(f"pushes {are} frozen by {self.freeze.who} since {local_time(self.freeze.at)}{why}")


def marker(state: Path) -> Path:
    """Return where the marker of a state folder is."""
    return state / "frozen.json"


def frozen(state: Path) -> Frozen | None:
    """Return the marker of a state folder, or None where there is none."""
    path = marker(state)
    with usable(state):
        require_own(state)
        if not path.is_symlink() and not path.exists():
            return None
    with suppress(UnusableFileError, ValueError, RecursionError):
        return Frozen(path, Freeze.model_validate(json.loads(read_bounded(path, _MAX_BYTES).decode("ascii"))))
    return Frozen(path, None)


def freeze(state: Path, at: datetime, reason: str | None = None) -> Frozen:
    """Freeze the pushes of a state folder; those that are under way go on.

    Raises :class:`PushRefusedError` where somebody has frozen them before: that one's reason stays.
    """
    path = marker(state)
    own = Freeze(who=who(), at=at, reason=reason)
    content = json.dumps(own.model_dump(exclude_none=True) | {"at": at.isoformat()}, ensure_ascii=True).encode("ascii")
    with usable(state, *_KEPT):
        make_own(state)
        try:
            write_private(path, content)
        except FileExistsError:
            raise PushRefusedError(f"{frozen(state)}; that stays as it is", hint=to_thaw(state)) from None
        except OSError:
            path.unlink(missing_ok=True)  # half a marker would freeze as well
            raise
    return Frozen(path, own)


def thaw(state: Path) -> Frozen | None:
    """Let pushes begin again; return what kept them from it, or None where nothing did.

    Raises :class:`UnusableFileError` where the marker cannot be taken away.
    """
    found = frozen(state)
    if found is not None:
        try:
            found.path.unlink(missing_ok=True)
        except OSError as error:
            raise UnusableFileError(
                f"pushes stay frozen: cannot remove {found.path}: {error.strerror or error}",
                hint="remove it by hand, whatever it is; then pushes may begin again",
            ) from None
        with suppress(OSError):  # it is gone, be it that a crash now brings it back
            sync_folder(state)
    return found


def require_thawed(state: Path) -> None:
    """Check that pushes may begin. Raises :class:`PushRefusedError` that says who froze them, and how to thaw."""
    found = frozen(state)
    if found is not None:
        raise PushRefusedError(f"{found}; nothing was changed", hint=to_thaw(state))


def frozen_problems(state: Path) -> tuple[Problem, ...]:
    """Return that pushes are frozen as something that blocks a push: for one that only looks whether it could begin."""
    found = frozen(state)
    return () if found is None else (Problem("all pushes", str(found), to_thaw(state)),)


def to_thaw(state: Path) -> str:
    """Say how pushes are let begin again."""
    command = shell_command("geoplan", "push", "--thaw", "--state-dir", str(state))
    return f"ask whoever froze them; to let pushes begin again: {command}"
