"""What the report says, as words: each kind of failure, of loss and of task once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan import vendor
from geoplan.twin.failures import Failure, FailureKind
from geoplan.twin.report import Outcome, Report, Row, Task, TaskKind, Until, worst_of
from geoplan.wording import count, join_words, some_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from geoplan.twin.report import Doubt
    from geoplan.twin.world import Link, Start

_FAILURES: Mapping[FailureKind, str] = {
    FailureKind.UNIT_OFF: "{sites}: {units} off",
    FailureKind.SITE_OFF: "{sites}: both units off",
    FailureKind.REGION_OFF: "{sites} off together",
    FailureKind.FAILOVER: "{sites}: failover by hand",
    FailureKind.NETWORK_CUT: "no network from {sites} to {others}",
    FailureKind.REPLICATION_BROKEN: "{sites}: replication broken",
    FailureKind.NEVER_SUBMITTED: "{sites}: nothing submitted on its slave {units}",
}
_TASKS: Mapping[TaskKind, str] = {
    TaskKind.BRING_BACK: "bring back {units}",
    TaskKind.MEND_NETWORK: "mend the network from {sites} to {others}",
    TaskKind.MEND_REPLICATION: "mend the replication of {sites}, and compare both lists on its two units",
    TaskKind.SUBMIT: f"submit {vendor.GEO_PARTNERS} again on {{units}} while it is active",
    TaskKind.GRANT_ACCESS: f"enter {{others}} in {vendor.REMOTE_GEO_ACCESS} of {{sites}}, and submit its "
    f"{vendor.GEO_PARTNERS} again",
    TaskKind.SET_SECRET: "set the same Partner Shared Secret on {units}",
    TaskKind.MAKE_ACTIVE: "make {units} active, which still has its links: that ends it at once",
    TaskKind.COMPARE: "compare the GEO configuration of {sites} with that of its partners",
}
_ASSUMED: Mapping[str, str] = {
    "LINKS_AFTER_BOOT": "the links of a unit are green again once it is up",
    "LINKS_AFTER_CUT": "links are green again once the network is whole",
    "ENTRIES_APART": "of what was changed apart from each other the later change stays",
}
"""What each fact of the ledger is that a report may rest on."""

MOST_TASKS = 6
NOTHING = "-"
"""What is lost where nothing is."""


def failure_in_words(failure: Failure) -> str:
    """Return what fails."""
    if failure.region and failure.kind is FailureKind.REGION_OFF:
        return f"region {failure.region} off: {join_words(failure.sites)}"
    return _FAILURES[failure.kind].format(
        sites=join_words(failure.sites), units=join_words(failure.units or ("",)), others=_others(failure.others)
    )


def _others(others: tuple[str, ...]) -> str:
    """Return what is on the other side: of several sites always all that are not on this one."""
    return "all others" if len(others) > 1 else "".join(others)


def row_in_words(row: Row) -> str:
    """Return what fails, and from which starting state, where that is not the one without any failover."""
    failures = "; then ".join(map(failure_in_words, row.failures))
    first = row.starts[0]
    return failures if first.failed_over is None else f"{failures}, {start_in_words(first)}"


def start_in_words(start: Start) -> str:
    """Return what has happened before anything fails."""
    if start.master is not None:
        return f"once {start.master} is active again"
    return "" if start.failed_over is None else f"after a failover of {start.failed_over}"


def lost_in_words(outcome: Outcome) -> str:
    """Return what a failure costs while it lasts; a dash for nothing."""
    parts = list(_losses(outcome))
    if outcome.at_failover and (outcome.lost or outcome.red):
        parts[0] += ", once it fails over"
    return "; ".join(parts) or NOTHING


def _losses(outcome: Outcome) -> Iterator[str]:
    if outcome.cut_off:
        each = "it" if len(outcome.cut_off) == 1 else "each"
        yield f"{join_words(outcome.cut_off)}: cut off, though {each} has a unit left"
    if outcome.red:
        yield f"{links_in_words(outcome.red)}, though both sites are up"
    if outcome.down or outcome.isolated:
        yield join_words((*outcome.down, *outcome.isolated))
    elif outcome.parted:
        yield links_in_words(outcome.parted)
    if briefly := [site for site in outcome.briefly if site not in outcome.lost]:
        yield f"{join_words(briefly)}, for moments"
    if older := [site for site in outcome.older if site not in outcome.lost]:
        yield f"an older configuration answers at {join_words(older)}"
    if outcome.behind:
        yield f"{join_words(outcome.behind)} hold{'s' if len(outcome.behind) == 1 else ''} an older configuration"


def links_in_words(links: tuple[Link, ...]) -> str:
    """Return which links."""
    named = [f"{one} - {other}" for one, other in links]
    return f"link{'' if len(named) == 1 else 's'} {some_of(named)}"


def ending_in_words(outcome: Outcome) -> str:
    """Return what ends it: the standby by itself, or what somebody has to do."""
    if outcome.until is Until.TAKEOVER:
        return "the standby takes over, by itself"
    if outcome.until is Until.NOTHING_LOST and not outcome.behind:
        return "-"
    return "; ".join(map(task_in_words, outcome.tasks)) or "-"


def task_in_words(task: Task) -> str:
    """Return what a person has to do."""
    return _TASKS[task.kind].format(
        sites=join_words(task.sites),
        units=join_words(task.units or ("",)),
        others=_others(task.others) if task.kind is TaskKind.MEND_NETWORK else some_of(task.others),
    )


def cases_in_words(report: Report) -> str:
    """Return how many cases were tried: all there are, or a part that was drawn."""
    if report.seed is None:
        return "the only case" if report.cases == 1 else f"all {report.cases:,} cases"
    return f"{report.cases:,} of {report.possible:,} cases, drawn with seed {report.seed}"


def scope_in_words(report: Report) -> str:
    """Return what was tried from which states."""
    sites = sum(len(sites) for _, sites in report.groups)
    begun = "as they are now" if report.is_live else "as planned"
    return (
        f"{count(sites, 'site')}, {begun}; {cases_in_words(report)} from {count(len(report.starts), 'starting state')}"
    )


def verdict(report: Report) -> list[str]:
    """Return what matters most, a sentence each: what is cut off now, or by a single failure."""
    said = []
    if report.now.is_silent or report.now.down or report.now.behind or report.off:
        loss = lost_in_words(report.now)
        wrong = [*([loss] if loss != NOTHING else []), *([f"off: {join_words(report.off)}"] if report.off else [])]
        said.append(f"Before anything fails: {'; '.join(wrong)}. {_sentence(report.now.tasks)}".strip())
    by_loss: dict[str, list[Row]] = {}
    for row in worst_of(report.faults):
        by_loss.setdefault(lost_in_words(row.outcome), []).append(row)
    said += [_fault_in_words(loss, rows) for loss, rows in by_loss.items()]
    said += [*(doubt_in_words(doubt) for doubt in report.doubts), *(f"Note: {note}." for note in report.notes)]
    if report.is_well:
        proviso = " Its units did not tell everything." if report.doubts or report.notes else ""
        said.insert(0, f"OK: no single failure cuts off a site that has a unit left.{proviso}")
    return said


def _fault_in_words(loss: str, rows: list[Row]) -> str:
    """Return one loss with all single failures that lead to it."""
    alone = _ends_in_words(rows)
    tasks = dict.fromkeys(task for row in rows for task in row.outcome.tasks if task.kind is not TaskKind.BRING_BACK)
    return f"{loss}, by: {some_of(list(map(row_in_words, rows)))}. {alone}{_sentence(list(tasks))}".strip()


def _ends_in_words(rows: Sequence[Row]) -> str:
    """Return after which failures a loss does not end by itself, where it does after others."""
    stays = [row for row in rows if row.outcome.until is Until.PERSON]
    if not stays:
        return ""
    if len(stays) == len(rows):
        return "It does not come back by itself. "
    return (
        f"It does not come back by itself after: {some_of(list(map(row_in_words, stays)))}; "
        "after the others it does, once what failed is up again. "
    )


def doubt_in_words(doubt: Doubt) -> str:
    """Return what was not told, and what follows if it is the worse of both."""
    off = ", which is off" if doubt.is_off else ""
    told = f"Not told: the links of {doubt.unit} ({doubt.site}){off}, to {some_of(doubt.partners)}."
    tried = "Tried both ways, as if it were up again" if doubt.is_off else "Tried both ways"
    if not doubt.is_fault:
        return f"{told} {tried}: no single failure of {doubt.site} cuts off a site either way."
    cut_off = []
    if doubt.at_once:
        cut_off.append(f"{join_words(doubt.at_once)} {'is' if len(doubt.at_once) == 1 else 'are'} cut off")
    if doubt.rows:
        failures = some_of([failure_in_words(row.failures[0]) for row in worst_of(doubt.rows)])
        cut_off.append(f"this cuts off {join_words(_cut_off(doubt.rows))}: {failures}")
    return (
        f"{told} {tried}: if they are not there, {'; '.join(cut_off)}. "
        f"See them green while {doubt.unit} is active, or submit {vendor.GEO_PARTNERS} again on it then."
    )


def assumed_in_words(report: Report) -> str:
    """Return what nobody has confirmed of what is said to come back by itself, and what to do if it does not.

    Empty where nothing rests on that.
    """
    if not report.assumed:
        return ""
    said = join_words(f"{_ASSUMED[fact]} ({fact})" for fact in report.assumed)
    told = f"Not confirmed by the vendor: {said}. See geoplan facts"
    if {"LINKS_AFTER_BOOT", "LINKS_AFTER_CUT"}.intersection(report.assumed):
        return f"{told}; if links stay red, submit {vendor.GEO_PARTNERS} again on the active unit at each end."
    return f"{told}."


def _cut_off(rows: tuple[Row, ...]) -> tuple[str, ...]:
    sites = [
        site for row in rows for site in (*row.outcome.cut_off, *(site for link in row.outcome.red for site in link))
    ]
    return tuple(dict.fromkeys(sites))


def _sentence(tasks: Sequence[Task]) -> str:
    words = "; ".join(map(task_in_words, tasks[:MOST_TASKS]))
    more = f"; and {count(len(tasks) - MOST_TASKS, 'more task')}" if len(tasks) > MOST_TASKS else ""
    return f"{words[:1].upper()}{words[1:]}{more}." if words else ""
