"""``geoplan push --record``: where the record of a push goes, and when it is written."""

from __future__ import annotations

import os
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import click

from geoplan.cli.options import names_folder
from geoplan.errors import GeoplanError, UnusableFileError
from geoplan.files import read_bounded, write_atomically
from geoplan.push import journal as journals
from geoplan.push.change_record import NOT_BEGUN, Ended, as_markdown, push_named_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from geoplan.plan.model import Plan
    from geoplan.push.approval import Review
    from geoplan.push.history import History
    from geoplan.push.store import Store

ENDINGS = (".md", ".markdown")
_HINT = "nothing was changed; choose another FILE for --record"


def require_place(output: str, *, resumes: bool) -> None:
    """Check before anything is changed that a record can be written there, and replaces nobody's file.

    A push that is resumed may replace its own record, and every push one that says that none was begun. Raises
    :class:`click.BadParameter` for a file of another ending, and :class:`UnusableFileError` for a place that cannot be
    used.
    """
    path = Path(output)
    if names_folder(output) or PurePath(output).suffix.lower() not in ENDINGS:
        raise click.BadParameter(f"a record is Markdown: let {output} end in .md.", param_hint="'--record'")
    if os.path.lexists(path) and (_push_of(path) is None or not (resumes or _push_of(path) == NOT_BEGUN)):
        raise _is_there(output)
    if not os.access(path.parent, os.W_OK | os.X_OK):
        why = "cannot be written to" if path.parent.is_dir() else "is no folder"
        raise UnusableFileError(f"cannot write {output}: {path.parent} {why}", hint=_HINT)


def _push_of(path: Path) -> str | None:
    try:
        return push_named_in(read_bounded(path, _LONGEST_HEAD).decode(errors="replace"))
    except UnusableFileError:
        return None


_LONGEST_HEAD = 400  # bytes


def _is_there(output: str) -> UnusableFileError:
    return UnusableFileError(f"{output} is there already, and the record of this push does not replace it", hint=_HINT)


class Recorder:
    """Writes the record of one run of a push, which it tells from earlier ones by what has come to the journals."""

    def __init__(  # noqa: PLR0913 - what a push is
        self, output: str, store: Store, plan: Plan, destination: str, review: Review, *, is_lab: bool
    ) -> None:
        """Look at the journals. Raises :class:`UnusableFileError` where the record of another push is in the way."""
        self._output = output
        self._store = store
        self._plan = plan
        self._destination = destination
        self._approval = review.approval.checksum if review.approval else None
        self._is_lab = is_lab
        recorded = _push_of(Path(output))
        self._may_replace = recorded is not None
        if recorded not in (None, NOT_BEGUN):
            unfinished = store.past().unfinished
            if unfinished is None or unfinished.name != recorded:
                raise _is_there(output)
        self._before = _sizes(store)

    def write(self, message: str, exit_code: int, at: datetime, go_on: str) -> None:
        """Write the record as a whole, for its owner alone; what was pushed is pushed, where that fails."""
        ended = Ended(
            at,
            journals.who(),
            message,
            exit_code,
            self._destination,
            self._approval,
            go_on="" if self._is_lab else go_on,
            keeps_journal=not self._is_lab,
        )
        try:
            text = as_markdown(self._plan, ended, self._own_history())
            content = text.encode(errors="backslashreplace")
            write_atomically(Path(self._output), content, may_replace=self._may_replace, is_private=True)
        except (GeoplanError, OSError) as error:
            why = (error.strerror if isinstance(error, OSError) else None) or str(error)
            click.echo(f"geoplan: warning: the record {self._output} could not be written: {why}", err=True)
        else:
            click.echo(f"record: {self._output}", err=True)

    def _own_history(self) -> History | None:
        """Return the journal that this run has begun or gone on with, or None where it came to neither."""
        written = [path for path, size in _sizes(self._store).items() if size != self._before.get(path)]
        return journals.read(written[-1]) if written else None


def _sizes(store: Store) -> Mapping[Path, int]:
    """Return how long the journals are that name any of the units, the oldest first."""
    keys = frozenset(store.keys.values())
    found = journals.paths(store.state)
    return {path: path.stat().st_size for path in found if not keys.isdisjoint(journals.units_of(path))}
