"""Folders of files that commands write: nothing in one is replaced that geoplan did not write there itself.

A list beside the files says which these are, each with its checksum; the same rule holds for every such folder.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from geoplan.cli.files import write
from geoplan.cli.options import names_folder
from geoplan.errors import UnusableFileError
from geoplan.files import read_bounded, write_atomically
from geoplan.wording import count, shown, some_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

LIST = ".geoplan-files"
_HEAD = "# What geoplan wrote into this folder, each with its checksum: it replaces nothing else here."
_LINE = re.compile(r"(?P<checksum>[0-9a-f]{64}|-) {2}(?P<name>[^\s/][^\n]*)")
_BEGUN = "-"
"""In place of the checksum of a file that is being written: whoever is cut off then may write it again."""
_MAX_LIST_BYTES = 16 * 1024 * 1024


def is_folder(output: str | None) -> bool:
    """Return whether ``-o`` names a folder: one that is there, or a name with a slash at its end."""
    return output is not None and output != "-" and (names_folder(output) or Path(output).is_dir())


@contextmanager
def written_folder(output: str, names: Sequence[str]) -> Iterator[Callable[[str, str], None]]:
    """Make a folder for files of these names, and yield what writes one of them, by its name and its text.

    Raises :class:`UnusableFileError` before anything is written where a name is taken by what geoplan did not write
    there, or by what was changed since. At the end files of before that are none of these are named; they stay.
    """
    folder = Path(output)
    written: dict[str, str] = {}
    known = _known(folder)
    _require_own(folder, names, known)
    kept = {name: checksum for name, checksum in known.items() if name not in names and _is_there(folder, name)}
    _make(folder)
    _save(folder, kept | dict.fromkeys(names, _BEGUN))

    def write_one(name: str, text: str) -> None:
        _make((folder / name).parent)
        write(text, str(folder / name), is_complete=True)
        written[name] = hashlib.sha256(text.encode()).hexdigest()

    yield write_one
    _save(folder, kept | written)
    if kept:
        are = "is" if len(kept) == 1 else "are"
        told = f"{count(len(kept), 'file')} of an earlier run {are} still there: {some_of(sorted(kept))}"
        click.echo(f"geoplan: note: {shown(told)}", err=True)


def _known(folder: Path) -> Mapping[str, str]:
    """Return what geoplan wrote there, by the files' names, with their checksums; nothing where no list tells."""
    try:
        text = read_bounded(folder / LIST, _MAX_LIST_BYTES).decode(errors="replace")
    except UnusableFileError:
        return {}
    found = (_LINE.fullmatch(line) for line in text.splitlines()[1:] if text.startswith(_HEAD))
    return {each["name"]: each["checksum"] for each in found if each}


def _save(folder: Path, files: Mapping[str, str]) -> None:
    lines = [_HEAD, *(f"{checksum}  {name}" for name, checksum in sorted(files.items()))]
    try:
        write_atomically(folder / LIST, "".join(f"{line}\n" for line in lines).encode())
    except OSError as error:
        raise _not_written(folder / LIST, error) from None


def _require_own(folder: Path, names: Sequence[str], known: Mapping[str, str]) -> None:
    foreign = [name for name in (LIST, *names) if not _may_be_written(folder, name, known)]
    if foreign:
        are = "was" if len(foreign) == 1 else "were"
        is_own = f"{are} not written there by geoplan, or {are} changed since"
        raise UnusableFileError(
            f"cannot write {folder}: {some_of(foreign)} {is_own}",
            hint="nothing was written; move that away, or choose another folder",
        )


def _may_be_written(folder: Path, name: str, known: Mapping[str, str]) -> bool:
    """Return whether nothing has a name yet, or what geoplan wrote; what leads there below the folder is no link."""
    path = folder
    for part in Path(name).parts:
        path /= part
        if path.is_symlink():
            return False
    if not os.path.lexists(path):
        return True
    if name == LIST:
        return bool(known)
    return name in known and known[name] in (_BEGUN, _checksum(path))


def _is_there(folder: Path, name: str) -> bool:
    return (folder / name).is_file()


def _checksum(path: Path) -> str | None:
    """Return the checksum of a file; None for what is none, or cannot be read."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return None
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _not_written(folder, error) from None


def _not_written(path: Path, error: OSError) -> UnusableFileError:
    return UnusableFileError(f"cannot write {path}: {error.strerror or error}", hint="choose another folder")
