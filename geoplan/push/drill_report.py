"""What a failover drill has shown, out of its journal: when what was seen, how exactly, and what is proven."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from geoplan.push import records as models
from geoplan.push.values import Sight
from geoplan.wording import count, shown, some_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from geoplan.plan.model import Plan, SiteSettings, Step
    from geoplan.push.history import History

FORMAT = "geoplan/drill/1"
GREEN, RED, NOT_TOLD, NOT_SEEN = "green", "red", "not told", "not seen"


@dataclass(frozen=True, slots=True)
class Seen:
    """When something was seen, and how long after the reboot was sent, in seconds.

    ``seconds`` is None where the run that sent the reboot was cut off before.
    """

    at: str
    seconds: float | None


@dataclass(frozen=True, slots=True)
class LinkSeen:
    """The link of the new active unit with one partner site, from both ends."""

    site: str
    partner: str
    """The unit that was active there."""
    is_seen_green: Seen | None
    """When the partner showed the new active unit green first."""
    sees_green: Seen | None
    """When the new active unit showed the partner green first."""
    state: str
    """green, red, not told, or not seen."""


@dataclass(frozen=True, slots=True)
class Failover:
    """One reboot and what followed."""

    rebooted: str
    took_over: str
    active: Seen | None
    back: Seen | None
    whole: Seen | None
    links: tuple[LinkSeen, ...]

    @property
    def lost(self) -> tuple[LinkSeen, ...]:
        """The links of which it is not proven that they hold."""
        return tuple(link for link in self.links if link.state != GREEN)

    @property
    def is_proven(self) -> bool:
        """Whether the other unit took over, the pair is whole, and every partner site was linked meanwhile."""
        return self.active is not None and self.whole is not None and not self.lost


@dataclass(frozen=True, slots=True)
class Interruption:
    """The time after a reboot in which no run of the drill was looking."""

    since: str
    """When the run before wrote its last record."""
    until: str
    """When the drill was resumed."""


@dataclass(frozen=True, slots=True)
class DrillReport:
    """A drill from its first reboot to its end, or to where it has come."""

    topology: str
    site: str
    who: str
    outcome: str
    looked_every: float
    """In seconds, as planned."""
    at_most_late: float
    """The longest time between two looks, in seconds: nothing was seen later than that after it happened."""
    failovers: tuple[Failover, ...]
    active: str | None
    """The unit that was seen active last; None where nobody saw any since the last reboot."""
    journal: str
    interruptions: tuple[Interruption, ...] = ()
    """When nobody looked, though a reboot was under way: what happened then was seen later, or not at all."""
    format: str = FORMAT

    @property
    def is_proven(self) -> bool:
        """Whether everything that was to be shown was shown."""
        return bool(self.failovers) and all(each.is_proven for each in self.failovers)

    @property
    def verdict(self) -> str:
        """Say in one sentence what the drill has shown."""
        lost = list(dict.fromkeys(link.site for each in self.failovers for link in each.lost))
        if self.is_proven:
            sites = len(self.failovers[0].links)
            linked = f": {count(sites, 'partner site')} saw it, and it saw {'that' if sites == 1 else 'them'}"
            return f"'{self.site}' stayed in GEO{linked if sites else ''}"
        if red := [link.site for each in self.failovers for link in each.lost if link.state == RED]:
            return f"'{self.site}' DROPPED OUT for {', '.join(dict.fromkeys(red))}: its links stayed red"
        unseen = [each.took_over for each in self.failovers if each.active is None]
        reasons = [f"nobody saw {some_of(unseen)} active"] if unseen else []
        reasons += [f"links with {', '.join(lost)}"] if lost and not unseen else []
        reasons += ["the drill was interrupted"] if reasons and self.interruptions else []
        if not reasons and any(each.whole is None for each in self.failovers):
            reasons.append("the drill did not come to its end")
        return f"not proven that '{self.site}' stayed in GEO" + (f": {'; '.join(reasons)}" if reasons else "")


def report_of(history: History, looked_every: float) -> DrillReport:
    """Return what a drill's journal shows. Raises :class:`UnusableFileError` where its plan cannot be read."""
    plan = history.plan
    site = plan.site(history.drill or "")
    began = {record.step for record in history.records if isinstance(record, models.Rebooting)}
    failovers = tuple(failover_of(history, plan, step) for step in plan.steps if step.id in began)
    within = [each.within for each in history.timed if each.within is not None]
    return DrillReport(
        topology=plan.topology,
        site=site.name,
        who=history.begin.who,
        outcome=history.outcome,
        looked_every=round(looked_every, 3),
        at_most_late=round(max((*within, looked_every)), 3),
        failovers=failovers,
        active=_active_now(site, failovers),
        journal=str(history.path),
        interruptions=tuple(_interruptions(history)),
    )


def _interruptions(history: History) -> Iterator[Interruption]:
    is_under_way = False
    for before, record in pairwise(history.records):
        is_under_way = (is_under_way or isinstance(before, models.Rebooting)) and not isinstance(before, models.Healthy)
        if is_under_way and isinstance(record, models.Resumed):
            yield Interruption(_moment(before.at), _moment(record.at))


def _active_now(site: SiteSettings, failovers: tuple[Failover, ...]) -> str | None:
    if not failovers:
        return site.units[0].address
    last = failovers[-1]
    if last.whole is None:
        return None if last.active is None else last.took_over
    return last.took_over if site.preferred_host == "none" else site.units[0].address


def failover_of(history: History, plan: Plan, step: Step) -> Failover:
    """Return what a drill's journal shows of one of its reboots."""
    site = plan.site(step.site)
    rebooted, took_over = (unit.address for unit in site.units)
    if step.on.unit == "slave":
        rebooted, took_over = took_over, rebooted
    timed = [each for each in history.timed if each.step == step.id]

    def first(what: Sight, **of: str) -> Seen | None:
        for each in timed:
            if each.what is what and all(getattr(each, name) == value for name, value in of.items()):
                return Seen(_moment(each.at), None if each.seconds is None else round(each.seconds, 3))
        return None

    def link(other: SiteSettings) -> LinkSeen:
        units = [unit.address for unit in other.units]
        ends = [end for each in timed for end in (each.unit, each.partner) if each.partner and end in units]
        partner = ends[0] if ends else units[0]
        sees = first(Sight.SEES_GREEN, unit=took_over, partner=partner)
        is_seen = first(Sight.SEEN_GREEN, unit=partner, partner=took_over)
        wrong = {each.what for each in timed if each.what in (Sight.RED, Sight.NOT_TOLD) and each.partner in units}
        state = GREEN if sees and is_seen and not wrong else NOT_SEEN
        state = RED if Sight.RED in wrong else NOT_TOLD if wrong else state
        return LinkSeen(other.name, partner, is_seen, sees, state)

    others = [other for other in plan.sites_of(site.group) if other.name != site.name]
    return Failover(
        rebooted,
        took_over,
        active=first(Sight.ACTIVE),
        back=first(Sight.BACK),
        whole=first(Sight.WHOLE),
        links=tuple(map(link, others)),
    )


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


# -- as it is filed ----------------------------------------------------------------------------------------------------


def as_json(report: DrillReport) -> str:
    """Return a report as JSON; times are UTC, and seconds since the reboot was sent."""
    return json.dumps(asdict(report) | {"is_proven": report.is_proven, "verdict": report.verdict}, indent=2)


def as_markdown(report: DrillReport) -> str:
    """Return a report as Markdown, for a ticket."""
    lines = [f"# Failover drill of {_cell(report.site)}", "", f"**{_cell(report.verdict)}.**", ""]
    lines += [f"- {_cell(line)}" for line in _facts(report)]
    for each in report.failovers:
        lines += ["", f"## {each.rebooted} rebooted, {each.took_over} took over", ""]
        lines += ["| seen | after the reboot | at (UTC) |", "|---|---|---|"]
        lines += [f"| {_cell(what)} | {_after(seen)} | {seen.at if seen else ''} |" for what, seen in _rows(each)]
    return "\n".join(lines) + "\n"


def as_text(report: DrillReport) -> str:
    """Return a report for people at a terminal."""
    return "\n".join((*seen_lines(report), *map(shown, (*_facts(report), report.verdict)))) + "\n"


def seen_lines(report: DrillReport) -> Iterator[str]:
    """Yield what was seen after each reboot, and how long after it."""
    for each in report.failovers:
        yield shown(f"{each.rebooted} rebooted, {each.took_over} took over:")
        rows = list(_rows(each))
        width = max(len(what) for what, _ in rows)
        yield from (shown(f"  {what.ljust(width)}  {_after(seen):>9}") for what, seen in rows)


def _facts(report: DrillReport) -> Iterator[str]:
    yield (
        f"looked every {report.looked_every:g} s; nothing was seen more than {report.at_most_late:g} s "
        f"after it happened{', but for what is not timed' if report.interruptions else ''}"
    )
    for each in report.interruptions:
        yield (
            f"interrupted: nobody looked from {each.since} to {each.until}; what is not timed was first seen after "
            "that, and what was not seen cannot be measured any more"
        )
    if report.active is None:
        yield "nobody saw which unit is active now"
    else:
        is_over = all(each.whole for each in report.failovers)
        yield f"the pair {'is now' if is_over else 'was last seen'} on {report.active}"
    yield f"by {report.who}, topology {report.topology}, outcome: {report.outcome}"
    yield f"journal: {report.journal}"


def _rows(each: Failover) -> Iterator[tuple[str, Seen | None]]:
    yield f"{each.took_over} is active", each.active
    for link in each.links:
        if link.state == GREEN:
            yield f"{link.site} ({link.partner}) sees it green", link.is_seen_green
            yield f"it sees {link.site} ({link.partner}) green", link.sees_green
        else:
            one_end = ", green on one end alone" if link.is_seen_green or link.sees_green else ""
            yield f"link with {link.site} ({link.partner}): {link.state.upper()}{one_end}", None
    yield f"{each.rebooted} answers again", each.back
    yield "both units are where they stay", each.whole


def _after(seen: Seen | None) -> str:
    if seen is None:
        return "-"
    return "not timed" if seen.seconds is None else f"{seen.seconds:.2f} s"


def _cell(text: str) -> str:
    return shown(text).replace("|", "\\|")
