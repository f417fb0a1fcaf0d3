"""A failover drill as a command: a push's session with other words, and a report that is filed at its end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from geoplan.cli.push_session import PushSession
from geoplan.cli.push_views import PlainView
from geoplan.plan.drill import drilled_site, goes_back

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.cli.connection import TypedCommands
    from geoplan.cli.push_views import View
    from geoplan.errors import GeoplanError
    from geoplan.live.model import Observations
    from geoplan.live.polling import Timings
    from geoplan.plan.model import SiteSettings
    from geoplan.push.listener import Found
    from geoplan.push.run import PushResult


class _BesideReport(PlainView):
    """Lines on standard error, where standard output is the report's."""

    def say(self, text: str) -> None:
        """Write a text."""
        click.echo(text, err=True)


class DrillSession(PushSession):
    """A drill as its operator sees it."""

    noun = "drill"
    shows_report = False
    """Whether standard output is for the report alone."""
    poll_seconds = 0.0
    """How often it looks, once that is known."""
    facts: Observations | None = None
    """What the units told before the drill, once its checks have passed."""

    said_at_end = ""
    """How it ended, in words, once it has."""

    @property
    def has_begun(self) -> bool:
        """Whether its first step has begun."""
        return self._has_begun

    @property
    def _site(self) -> SiteSettings:
        return self._plan.site(drilled_site(self._plan) or "")

    def drill(self, *more: str) -> str:
        """Return the command that does something more about this drill."""
        return replace(self._typed, unfinished=None)("drill", "--site", self._site.name, *more)

    def _resuming(self, unfinished: TypedCommands | None = None) -> str:  # noqa: ARG002 - a drill is of one pair
        return self.drill(*(["--back"] if goes_back(self._plan) else []), "--resume")

    def _view_of(self, timings: Timings) -> View:
        self.poll_seconds = timings.poll_seconds
        return _BesideReport(self._plan) if self.shows_report else super()._view_of(timings)

    def may_begin(self, found: Found) -> bool:
        """Show what the drill reboots and what may come of it, and ask for it."""
        self.facts = found.facts
        site = self._site
        master, slave = (unit.address for unit in site.units)
        self._view.say(f"drill of '{site.name}': reboots {master}, so that {slave} becomes active")
        if goes_back(self._plan):
            self._view.say(f"then reboots {slave}, so that {master} is active again")
        elif site.preferred_host == "none":
            self._view.say(
                f"under No Preferred Host the pair then stays on {slave}; going back: {self.drill('--back')}"
            )
        return super().may_begin(found)

    def _show_end(self, message: str, code: int, error: GeoplanError | None = None) -> None:
        self.said_at_end = message
        super()._show_end(message, code, error)

    def _question(self) -> str:
        return f"Fail '{self._site.name}' over now?"

    def _way_back(self) -> str:
        """Say how the master becomes active again, once what was said before is done."""
        master = self._site.units[0].address
        if self._site.preferred_host != "none":
            return f"to go back: {master} takes over again by itself once it is up; see that it comes back"
        if goes_back(self._plan):
            return f"going back to {master} is its second step"
        return f"then, to go back once both units are up (it reboots {self._site.units[1].address}):\n  {self._back()}"

    def _back(self) -> str:
        return self.drill("--back")

    def _exit_code(self, result: PushResult) -> int:
        return super()._exit_code(result) or (1 if self._is_red(result) else 0)

    def _is_red(self, result: PushResult) -> bool:
        return bool(result.progress.red_steps(self._plan))

    def _summary(self, result: PushResult) -> str:
        if result.declined or self._flags.dry_run:
            return super()._summary(result)
        if self._is_red(result):
            return "\n".join(("drilled, and not everything was as it should be", *self._ways_on(result)))
        if not result.is_complete:
            return "\n".join(("drilled, with findings", *self._ways_on(result)))
        return "drilled and verified: the site stayed in GEO"

    def _ways_on(self, result: PushResult) -> Iterator[str]:
        """Yield what mends the links, where the report has not said so already, and how to go back after it."""
        report = result.report
        if self._is_red(result) and not (report.sites_to_resubmit or report.pairs_to_finish or report.unproven):
            yield "its links are green now, and were not in time: see why, then drill again"
        if not goes_back(self._plan):
            yield self._way_back()
