"""The setting of the Partner Shared Secret as its operator sees it: nothing of it shows what the secret is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.cli.units_session import UnitsSession
from geoplan.push.events import Event, EventKind
from geoplan.push.secret_checks import what_to_know
from geoplan.push.secret_run import run_rotation
from geoplan.push.summary import name_step
from geoplan.vendor import SHARED_SECRET
from geoplan.wording import count

if TYPE_CHECKING:
    from geoplan.cli.connection import TypedCommands
    from geoplan.cli.push_options import PushFlags
    from geoplan.live.fleet import Fleet
    from geoplan.plan.model import Plan
    from geoplan.push.approval import Review
    from geoplan.push.listener import Found
    from geoplan.push.options import Options
    from geoplan.push.run import PushResult
    from geoplan.push.store import Store


class SecretSession(UnitsSession):
    """The setting of the secret as its operator sees it."""

    def __init__(self, plan: Plan, typed: TypedCommands, options: Options, flags: PushFlags, review: Review) -> None:
        super().__init__(plan, typed, options, flags, review)
        self._watched = 0.0
        """How many seconds each pair is watched once it is whole."""
        self.noun = "push of the secret before, the way back," if self._goes_back else "push of the secret"

    @property
    def _goes_back(self) -> bool:
        return self._plan.secret is not None and self._plan.secret.goes_back

    @property
    def _kind(self) -> tuple[str, ...]:
        return ("--secret", "--back") if self._goes_back else ("--secret",)

    def _way_back(self) -> str:
        """Say how all units get the secret again that they had before."""
        if self._goes_back:
            return f"to set the new one instead: {self._typed('push', '--abandon')}, then push --secret once more"
        if not self._options.has_way_back:
            return "there is no way back without the secret that units had before"
        return f"to go back, with the old one in GEOPLAN_OLD_SECRET: {self._typed('push', '--secret', '--back')}"

    async def _push(self, fleet: Fleet, store: Store) -> PushResult:
        self._watched = fleet.timings.sync_seconds
        return await run_rotation(fleet, self._options, store, self, stop=self._stop)

    def may_begin(self, found: Found) -> bool:
        """Show the steps, what nobody has confirmed and what it costs, and ask."""
        view, alone = self._view, found.verdict.left_alone
        units = [unit.address for site in self._plan.sites if site.name not in alone for unit in site.units]
        which = "that they had before" if self._goes_back else "that was given"
        sets = "would set" if self.only_reads else "sets"
        which = "that it is given" if self.only_reads and not self._goes_back else which
        view.say(f"{sets} the {SHARED_SECRET} {which} on {count(len(units), 'unit')}, each by itself")
        for step in (each for each in self._plan.steps if each.site not in alone):
            pair = ": standby first, the active unit at once after it" if step.on.unit == "both" else ""
            view.say(f"  {step.number:>3}  {name_step(step)}{pair}")
        if found.options.resume:
            view.say("note: it is set again on every unit, so it need not be the one that was given before")
        for line in what_to_know(self._plan, found.facts, self._watched):
            view.say(f"note: {line}")
        view.say(f"plan {self._plan.checksum}")
        details: dict[str, object] = {"checksum": self._plan.checksum, "units": units}
        message = f"{count(len(units), 'unit')} to be given the {SHARED_SECRET}"
        view.show(Event(EventKind.DIFFERENCES, self._seconds(), message, details=details))
        return True if self._flags.dry_run else self._is_agreed()

    def _question(self) -> str:
        return f"Set the {SHARED_SECRET} now?"

    def _summary(self, result: PushResult) -> str:
        if result.declined:
            return "nothing was changed"
        if self._options.only_preflight:
            return "nothing blocks it; nothing was changed"
        if self._flags.dry_run:
            return "nothing was changed: this was a dry run"
        if not result.is_complete:
            return f"done: all units have the same {SHARED_SECRET}, with findings; red links: {self._typed('push')}"
        return f"done and verified: all units have the same {SHARED_SECRET}, and all links that were green are"
