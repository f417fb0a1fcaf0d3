"""A push on units themselves as its operator sees it: a push's session with other words, and a table at its end."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from geoplan.cli.push_session import PushSession
from geoplan.push.events import Event, EventKind
from geoplan.push.units_run import UnitsResult

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.cli.connection import TypedCommands
    from geoplan.push.run import PushResult


class UnitsSession(PushSession):
    """A push on units themselves as its operator sees it."""

    shows_versions = False
    """Whether its table names the version of each unit."""

    @property
    @abstractmethod
    def _kind(self) -> tuple[str, ...]:
        """The options that make it what it is."""

    @property
    def _way(self) -> tuple[str, ...]:
        """Further options without which it does not go on."""
        return ()

    def command(self, *more: str) -> str:
        """Return the command that does something more about this push."""
        return super().command(*self._kind, *more)

    def _resuming(self, unfinished: TypedCommands | None = None) -> str:
        typed = unfinished or self._typed
        return typed("push", *self._kind, *self._way, "--resume", *(() if unfinished else self._recording))

    def _conclude(self, result: PushResult) -> int:
        if isinstance(result, UnitsResult):
            for line in _table(result, with_versions=self.shows_versions):
                self._view.say(line)
            if result.compared:
                details: dict[str, object] = {"compared": [row._asdict() for row in result.compared]}
                message = "before and after"
                self._view.show(Event(EventKind.VERIFIED, self._seconds(), message, details=details))
        code, summary = self._exit_code(result), self._summary(result)
        self._show_end(summary, code)
        if self._flags.output_format != "json":
            self._view.say(summary)
        return code


def _table(result: UnitsResult, *, with_versions: bool) -> Iterator[str]:
    """Yield before and after of every unit: its version, where that counts, and what else changed."""
    width = max((len(f"{row.unit}  {row.site}") for row in result.compared), default=0)
    nothing = "nothing else changed" if with_versions else "nothing changed"
    for row in result.compared:
        version = f"{row.before or 'not told'} -> {row.after or 'not told'}  " if with_versions else ""
        changed = dict.fromkeys((*row.changed, *filter(None, (row.serves,))))
        yield f"{f'{row.unit}  {row.site}':<{width}}  {version}{'; '.join(changed) or nothing}"
