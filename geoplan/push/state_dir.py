"""Where a push keeps what must outlive it: the journal, the locks of units and the backups."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_state_path

from geoplan.errors import UnusableFileError
from geoplan.files import make_private
from geoplan.wording import shell_command

if TYPE_CHECKING:
    from collections.abc import Iterator


OTHERS_MAY_WRITE = 0o022
STATE_DIR_VARIABLE = "GEOPLAN_STATE_DIR"
BY_OPTION = "with --state-dir; for locks, with XDG_STATE_HOME"


def state_folder(given: str | None = None) -> Path:
    """Return the folder of all pushes: the given one, ``GEOPLAN_STATE_DIR``, or the user's state directory.

    Raises :class:`UnusableFileError` where none is named and the user has none.
    """
    named = given or os.environ.get(STATE_DIR_VARIABLE)
    found = Path(named) if named else _users_own()
    if found is None:
        raise UnusableFileError(
            "there is no home directory to keep journals of pushes in",
            hint="name a folder with --state-dir, or let HOME name a home directory",
        )
    return found


def locks_folder(state: Path) -> Path:
    """Return where the locks of units are: one place for a user on a machine, wherever journals are kept.

    A user without a home directory has none but the folder of the pushes.
    """
    return (_users_own() or state) / "locks"


def _users_own() -> Path | None:
    """Return the user's state directory, or None for a user without a home directory."""
    try:
        found = user_state_path("geoplan", appauthor=False)
    except (RuntimeError, KeyError):
        return None
    return found if found.is_absolute() else None  # else it would be another one in each folder


def journals_folder(state: Path) -> Path:
    """Return where the journals of all pushes are, in the order of their numbers."""
    return state / "pushes"


def old_folder_of(state: Path, topology: str) -> Path:
    """Return where geoplan kept the journals of a topology's pushes to real units while it told them by its name."""
    slug = re.sub(r"[\W_]+", "-", topology.lower()).strip("-")[:40] or "topology"
    return state / "pushes" / f"{slug}-{hashlib.sha256(topology.encode(errors='surrogateescape')).hexdigest()[:12]}"


def make_own(folder: Path, by: str = BY_OPTION) -> Path:
    """Make a folder for what pushes write, private to the user; one that is there has to be the user's own.

    Raises :class:`UnusableFileError` where it is not: see :func:`require_own`.
    """
    if not folder.is_symlink() and not folder.exists():
        make_private(folder)
    require_own(folder, by)
    return folder


def require_own(folder: Path, by: str = BY_OPTION) -> None:
    """Check that a folder of what pushes write, if it is there, is the user's own.

    Raises :class:`UnusableFileError` where it is a symbolic link, or another user's: who owns it decides what is in
    it. What leads to it may be either.
    """
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISLNK(found.st_mode):
        raise UnusableFileError(
            f"{folder} is a symbolic link, which is not followed", hint=f"name the folder itself, {by}"
        )
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    if hasattr(os, "geteuid") and found.st_uid != os.geteuid():
        raise UnusableFileError(f"{folder} belongs to another user", hint=f"name a folder of your own, {by}")
    if hasattr(os, "geteuid") and found.st_mode & OTHERS_MAY_WRITE:
        raise UnusableFileError(f"others can write to {folder}", hint=shell_command("chmod", "700", str(folder)))


@contextmanager
def usable(
    folder: Path,
    kept: str = "the push's journal",
    hint: str = "name a folder that you can write to with --state-dir; without a journal nothing is changed",
) -> Iterator[None]:
    """Say which folder cannot be used, and what to do, where the system refuses the block something there.

    Raises :class:`UnusableFileError`.
    """
    try:
        yield
    except OSError as error:
        raise UnusableFileError(f"cannot keep {kept} in {folder}: {error.strerror or error}", hint=hint) from None
