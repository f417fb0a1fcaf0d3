"""An update as its operator sees it: a push's session with other words, and a table of before and after."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from geoplan.cli.push_session import PushSession
from geoplan.cli.signals import interruptible
from geoplan.errors import PushRefusedError
from geoplan.push.events import Event, EventKind
from geoplan.push.summary import name_step
from geoplan.push.units_run import UnitsResult
from geoplan.push.update_checks import what_to_know
from geoplan.push.update_run import run_update
from geoplan.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.cli.connection import TypedCommands
    from geoplan.live.fleet import Fleet
    from geoplan.push.listener import Found
    from geoplan.push.run import PushResult
    from geoplan.push.store import Store


class UpdateSession(PushSession):
    """An update as its operator sees it."""

    noun = "update"

    @property
    def _to(self) -> str:
        return self._plan.firmware.to if self._plan.firmware else ""

    def command(self, *more: str) -> str:
        """Return the command that does something more about this update."""
        return super().command("--upgrade-to", self._to, *more)

    def _way(self) -> list[str]:
        """Return the options that say how units get the version."""
        if self._options.restores_firmware:
            return ["--back"]
        return ["--image", str(self._options.image.path)] if self._options.image else []

    def _resuming(self, unfinished: TypedCommands | None = None) -> str:
        typed = unfinished or self._typed
        return typed("push", "--upgrade-to", self._to, *self._way(), "--resume")

    def _way_back(self) -> str:
        """Say how the units that were updated go back: only by a command of its own."""
        firmware = self._plan.firmware
        due = [unit.present for unit in firmware.units if firmware.is_due(unit)] if firmware else []
        before = sorted({version for version in due if version})
        typed = [self._typed("push", "--upgrade-to", version, "--back") for version in before]
        first = self._typed("push", "--abandon")
        return f"to go back instead: {first}, then: {', or: '.join(typed)}"

    async def _push(self, fleet: Fleet, store: Store) -> PushResult:
        return await run_update(fleet, self._options, store, self, stop=self._stop)

    def may_begin(self, found: Found) -> bool:
        """Show the steps, what nobody has confirmed and what it costs, and ask."""
        options, view = found.options, self._view
        firmware = self._plan.firmware
        due = [unit for unit in firmware.units if firmware.is_due(unit)] if firmware else []
        how = "by restorepatch" if options.restores_firmware else f"with {options.image.name}" if options.image else ""
        view.say(f"brings {count(len(due), 'unit')} to {self._to} {how}".rstrip())
        for step in self._plan.steps:
            view.say(f"  {step.number:>3}  {name_step(step)}")
        for line in what_to_know(self._plan, options):
            view.say(f"note: {line}")
        view.say(f"plan {self._plan.checksum}")
        details = {"checksum": self._plan.checksum, "units": [unit.address for unit in due], "to": self._to}
        message = f"{count(len(due), 'unit')} to update"
        view.show(Event(EventKind.DIFFERENCES, self._seconds(), message, details=details))
        if self._flags.dry_run:
            return True
        if options.asks_after_first and not options.resume and not sys.stdin.isatty():
            raise PushRefusedError(
                "an update asks again after its first unit, and there is no terminal to ask on; nothing was changed",
                hint="give --no-canary, or run it on a terminal",
            )
        return self._is_agreed()

    def may_go_on(self, question: str) -> bool:
        """Ask whether to go on after the first unit; where nobody can be asked, the push stops there."""
        if self._flags.dry_run:
            return True
        with interruptible(), suppress(click.Abort):
            return click.confirm(question, err=True)
        return False

    def _question(self) -> str:
        return f"Update to {self._to} now?"

    def _conclude(self, result: PushResult) -> int:
        if isinstance(result, UnitsResult):
            for line in _table(result):
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

    def _summary(self, result: PushResult) -> str:
        if result.declined:
            return "nothing was changed"
        if self._options.only_preflight:
            return "nothing blocks the update; nothing was changed"
        if self._flags.dry_run:
            return "nothing was changed: this was a dry run"
        if not result.is_complete:
            return f"done: all units run {self._to}, with findings"
        return f"done and verified: all units run {self._to}, and nothing else has changed"


def _table(result: UnitsResult) -> Iterator[str]:
    """Yield before and after of every unit: its version, and what else changed."""
    width = max((len(f"{row.unit}  {row.site}") for row in result.compared), default=0)
    for row in result.compared:
        version = f"{row.before or 'not told'} -> {row.after or 'not told'}"
        yield f"{f'{row.unit}  {row.site}':<{width}}  {version}  {'; '.join(row.changed) or 'nothing else changed'}"
