"""An update as its operator sees it: a push's session with other words, and a table of before and after."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from geoplan.cli.signals import interruptible
from geoplan.cli.units_session import UnitsSession
from geoplan.errors import PushRefusedError
from geoplan.push.events import Event, EventKind
from geoplan.push.firmware_progress import is_version
from geoplan.push.summary import name_step
from geoplan.push.update_checks import what_to_know
from geoplan.push.update_run import run_update
from geoplan.wording import count

if TYPE_CHECKING:
    from geoplan.live.fleet import Fleet
    from geoplan.push.listener import Found
    from geoplan.push.run import PushResult
    from geoplan.push.store import Store


class UpdateSession(UnitsSession):
    """An update as its operator sees it."""

    noun = "update"
    shows_versions = True

    @property
    def _to(self) -> str:
        return self._plan.firmware.to if self._plan.firmware else ""

    @property
    def _kind(self) -> tuple[str, ...]:
        return ("--upgrade-to", self._to)

    @property
    def _way(self) -> tuple[str, ...]:
        """The options that say how units get the version."""
        if self._options.restores_firmware:
            return ("--back",)
        return ("--image", str(self._options.image.path)) if self._options.image else ()

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
        brings = f"brings {count(len(due), 'unit')} to {self._to} {how}".rstrip()
        view.say(brings if due else f"all units run {self._to} already; what is left:")
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
        seen = [found.facts.unit(unit.address) for unit in due]
        is_answered = any(unit is not None and is_version(unit.firmware, self._to) for unit in seen)
        if due and options.asks_after_first and not is_answered and not sys.stdin.isatty():
            raise PushRefusedError(
                "an update asks again after its first unit, and there is no terminal to ask on; this run has changed "
                "nothing",
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
