"""``geoplan push --record``: where the record of a push goes, and when it is written."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import click

from geoplan.cli.files import planned
from geoplan.cli.options import names_folder
from geoplan.cli.push_question import destination_of
from geoplan.errors import GeoplanError, PushRefusedError, UnusableFileError
from geoplan.files import display_name, read_bounded, write_atomically
from geoplan.live.polling import SystemClock
from geoplan.push import journal as journals
from geoplan.push.change_record import NOT_BEGUN, Consent, Ended, as_markdown, not_begun, push_named_in
from geoplan.topology.loader import check_topology
from geoplan.topology.part import only_groups

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from geoplan.cli.push_command import PushCommand
    from geoplan.plan.model import Plan
    from geoplan.push.approval import Review
    from geoplan.push.history import History
    from geoplan.push.store import Store

ENDINGS = (".md", ".markdown")
_HINT = "nothing was changed; choose another FILE for --record"


def require_place(output: str, *, resumes: bool) -> None:
    """Check before anything is changed that a record can be written there, and replaces nobody's file.

    A push that is resumed may replace its own record, and another attempt at the same one that says that none was
    begun; which that is shows once it is planned. Raises
    :class:`click.BadParameter` for a file of another ending, and :class:`UnusableFileError` for a place that cannot be
    used.
    """
    path = Path(output)
    if names_folder(output) or PurePath(output).suffix.lower() not in ENDINGS:
        raise click.BadParameter(f"a record is Markdown: let {output} end in .md.", param_hint="'--record'")
    if os.path.lexists(path):
        push = _push_of(path)
        if push is None or not (resumes or push.startswith(f"{NOT_BEGUN} ")):
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


@contextmanager
def recorded(given: PushCommand, path: str) -> Iterator[None]:
    """Write a record also of a push that ends before any unit is asked: by a freeze, or for want of a plan."""
    output = given.places.record
    before = _identity(output)
    try:
        yield
    except (GeoplanError, click.Abort) as error:
        if output is not None and _identity(output) == before:
            _write_early(given, path, output, error)
        raise


def _identity(output: str | None) -> tuple[int, int] | None:
    """Return what tells a file from the one that replaces it."""
    try:
        status = os.lstat(output) if output is not None else None
    except OSError:
        return None
    return (status.st_ino, status.st_mtime_ns) if status else None


def _write_early(given: PushCommand, path: str, output: str, error: GeoplanError | click.Abort) -> None:
    plan, to = None, ""
    with suppress(GeoplanError, click.UsageError):
        to = destination_of(given.reach, lab=given.lab.lab).message
        plan = _planned(given, path)
    told = error if isinstance(error, GeoplanError) else None
    ended = Ended(
        SystemClock().wall(),
        journals.who(),
        str(told) if told else "interrupted; nothing was changed",
        told.exit_code if told else _INTERRUPTED,
        to,
        consent=Consent.NOT_ASKED if told else Consent.NOT_GIVEN,
        reasons=error.problems if isinstance(error, PushRefusedError) else (),
        hint=(told and told.hint) or "",
        file=display_name(path),
    )
    own = not_begun(plan, to)
    may_replace = own != NOT_BEGUN and _push_of(Path(output)) == own
    _write(output, lambda: as_markdown(plan, ended, None), may_replace=may_replace)


_INTERRUPTED = 130


def _planned(given: PushCommand, path: str) -> Plan | None:
    """Return the plan of a push that its file alone says; None for one that goes by journals or units."""
    kinds = (given.change.old, given.update.upgrade_to, given.journals.undo)
    if given.secret.secret or given.journals.resume or any(kind is not None for kind in kinds):
        return None
    topology = check_topology(path).topology
    if topology is None:
        return None
    return planned(only_groups(topology, given.part.groups, place=path) if given.part.groups else topology, given.phase)


def _write(output: str, text: Callable[[], str], *, may_replace: bool) -> None:
    """Write a record as a whole, for its owner alone; what was pushed is pushed, where that fails."""
    try:
        content = text().encode(errors="backslashreplace")
        write_atomically(Path(output), content, may_replace=may_replace, is_private=True)
    except (GeoplanError, OSError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        click.echo(f"geoplan: warning: the record {output} could not be written: {why}", err=True)
    else:
        click.echo(f"record: {output}", err=True)


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
        self._resumed: Path | None = None
        named = _push_of(Path(output))
        self._may_replace = named is not None
        if named not in (None, not_begun(plan, destination)):
            unfinished = store.past().unfinished
            if unfinished is None or unfinished.name != named:
                raise _is_there(output)
            self._resumed = unfinished.path
        self._before = _sizes(store)

    def write(  # noqa: PLR0913 - what is told at the end
        self,
        message: str,
        exit_code: int,
        at: datetime,
        *,
        go_on: str,
        consent: Consent,
        refused: PushRefusedError | None = None,
    ) -> None:
        """Write the record as a whole; what was pushed is pushed, where that fails."""
        ended = Ended(
            at,
            journals.who(),
            message,
            exit_code,
            self._destination,
            self._approval,
            go_on="" if self._is_lab else go_on,
            keeps_journal=not self._is_lab,
            consent=consent,
            reasons=refused.problems if refused else (),
            hint=(refused.hint or "") if refused else "",
        )
        _write(
            self._output,
            lambda: as_markdown(self._plan, ended, self._own_history()),
            may_replace=self._may_replace,
        )

    def _own_history(self) -> History | None:
        """Return the journal that this run has begun, gone on with or was to go on with; None where there is none."""
        written = [path for path, size in _sizes(self._store).items() if size != self._before.get(path)]
        path = written[-1] if written else self._resumed
        return journals.read(path) if path else None


def _sizes(store: Store) -> Mapping[Path, int]:
    """Return how long the journals are that name any of the units, the oldest first."""
    keys = frozenset(store.keys.values())
    found = journals.paths(store.state)
    return {path: path.stat().st_size for path in found if not keys.isdisjoint(journals.units_of(path))}
