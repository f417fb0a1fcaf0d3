"""Many topology files checked: what is wrong with each, and which cannot be read at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from geoplan.diagnostics import report
from geoplan.errors import UnusableFileError
from geoplan.files import display_name
from geoplan.topology.loader import check_topology
from geoplan.wording import count, join_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from geoplan.diagnostics import Diagnostic
    from geoplan.topology.model import Topology


class CheckedFile(NamedTuple):
    """One file, and what is wrong with it."""

    path: str
    """What messages call it."""
    diagnostics: tuple[Diagnostic, ...] = ()
    topology: Topology | None = None
    unreadable: UnusableFileError | None = None
    """Why nothing of it could be read."""

    @property
    def is_usable(self) -> bool:
        """Whether a plan can be made of it."""
        return self.topology is not None


def check_files(paths: Iterable[str]) -> list[CheckedFile]:
    """Check files, each by itself and in their order; one that cannot be read keeps no other from being checked."""
    return [_checked(path) for path in paths]


def _checked(path: str) -> CheckedFile:
    try:
        checked = check_topology(path)
    except UnusableFileError as error:
        return CheckedFile(display_name(path), unreadable=error)
    return CheckedFile(display_name(path), checked.diagnostics, checked.topology)


def raise_unreadable(files: Iterable[CheckedFile]) -> None:
    """Raise :class:`geoplan.errors.UnusableFileError` with every file that cannot be read, if there is one."""
    match [file.unreadable for file in files if file.unreadable]:
        case []:
            return
        case [error]:
            raise error
        case errors:
            message = "\n  ".join([f"{count(len(errors), 'file')} cannot be read", *map(str, errors)])
            raise UnusableFileError(message, hint=errors[0].hint)


def summary_of_all(files: Sequence[CheckedFile]) -> str:
    """Say in a line how many files are OK, and how many are not."""
    unreadable = sum(file.unreadable is not None for file in files)
    usable = sum(file.is_usable for file in files)
    faulty = len(files) - usable - unreadable
    kinds = ((usable, "OK"), (faulty, "with errors"), (unreadable, "not readable"))
    return f"{count(len(files), 'file')}: {join_words(f'{number} {kind}' for number, kind in kinds if number)}"


def as_json_of_all(files: Sequence[CheckedFile]) -> str:
    """Return for programs what is wrong with each of several files, with how many faults there are in all."""
    reports = [{"path": file.path, "usable": file.is_usable, **_report(file)} for file in files]
    whole = {
        "format": "geoplan/checks/1",
        "usable": sum(file.is_usable for file in files),
        "not_usable": sum(not file.is_usable for file in files),
        "files": reports,
    }
    return json.dumps(whole, ensure_ascii=False, indent=2)


def _report(file: CheckedFile) -> dict[str, object]:
    if file.unreadable:
        return {"unreadable": str(file.unreadable), "hint": file.unreadable.hint}
    return report(file.diagnostics)
