"""Where a push keeps what must outlive it: the journal, its lock and the backups."""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_state_path

from geoplan.errors import UnusableFileError

if TYPE_CHECKING:
    from collections.abc import Iterator

PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600
STATE_DIR_VARIABLE = "GEOPLAN_STATE_DIR"


def state_folder(given: str | None = None) -> Path:
    """Return the folder of all pushes: the given one, ``GEOPLAN_STATE_DIR``, or the user's state directory."""
    named = given or os.environ.get(STATE_DIR_VARIABLE)
    return Path(named) if named else user_state_path("geoplan", appauthor=False)


def folder_of(state: Path, topology: str, lab_file: str | None = None) -> Path:
    """Return the folder of one topology's pushes; those to a lab, by its endpoints file, stand apart."""
    identity = topology if lab_file is None else f"{topology}\n{Path(lab_file).resolve()}"
    slug = re.sub(r"[\W_]+", "-", topology.lower()).strip("-")[:40] or "topology"
    return state / "pushes" / f"{slug}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"


def make_private(folder: Path) -> Path:
    """Make a folder that only its owner can look into, and all that lead to it."""
    for missing in reversed([place for place in (folder, *folder.parents) if not place.exists()]):
        missing.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    folder.chmod(PRIVATE_FOLDER)
    return folder


@contextmanager
def usable(folder: Path) -> Iterator[None]:
    """Say which folder of journals cannot be used, and what to do, where the system refuses the block something there.

    Raises :class:`UnusableFileError`.
    """
    try:
        yield
    except OSError as error:
        raise UnusableFileError(
            f"cannot keep the push's journal in {folder}: {error.strerror or error}",
            hint="name a folder that you can write to with --state-dir; without a journal nothing is changed",
        ) from None


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that only its owner can read; it is on disk when this returns."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on disk, where the system can do that."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
