"""What a comparison of live units with the plan says: as text, as Markdown, as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import partial
from textwrap import fill
from typing import TYPE_CHECKING, NamedTuple

from geoplan.live.findings import Kind
from geoplan.live.findings.collect import OF_HA
from geoplan.live.findings.kinds import NOT_READ, NOTED, OF_STATES, FindingKind, Severity, generic_command
from geoplan.live.links import Colour
from geoplan.live.model import HA_SUBJECT
from geoplan.vendor import PARTNERS_STATUS, SHARED_SECRET
from geoplan.wording import count, some_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from geoplan.live.findings import Difference, Report, SiteReport
    from geoplan.live.findings.kinds import Command, Finding

PUSH: Command = partial(generic_command, "push")
"""Returns the command that pushes, as it is typed, with further words."""


class WayOn(NamedTuple):
    """What leads on: in a sentence, and the command that does it, where there is one."""

    sentence: str
    command: str = ""

    def as_it_is(self) -> WayOn:
        """Return it with a sentence that announces no command where there is none."""
        return self if self.command else WayOn(self.sentence.removesuffix(":"))


def as_text(report: Report, push: Command = PUSH, findings: Iterable[Finding] = (), *, width: int | None = None) -> str:
    """Return a block for each site that differs, what else was found, and a line that counts.

    ``push`` is like :data:`PUSH`. With a ``width`` lines are at most so many columns wide, but for commands and for
    words that are wider.
    """
    findings = tuple(findings)
    others = found_besides(report, findings)
    lines = list(_blocks(report, others, _noted(findings)))
    if lines:
        lines.append(_Line(""))
    lines.append(_Line(summary(report, others, findings)))
    for way in _ways_on(report, push):
        lines += [_Line(way.sentence)] if way.sentence else []
        lines += [_Line(f"  {way.command}", is_command=True)] if way.command else []
    return "\n".join(line.fitted(width) for line in lines) + "\n"


class _Line(NamedTuple):
    """A line of text; a command stays in one piece."""

    text: str
    is_command: bool = False

    def fitted(self, width: int | None) -> str:
        """Return it in lines that are no wider than so many columns."""
        if width is None or self.is_command or len(self.text) <= width:
            return self.text
        indent = self.text[: len(self.text) - len(self.text.lstrip())]
        return fill(
            self.text.lstrip(),
            max(width, _MIN_WIDTH),
            initial_indent=indent,
            subsequent_indent=f"{indent}    ",
            break_long_words=False,
            break_on_hyphens=False,
        )


_MIN_WIDTH = 20


def _blocks(report: Report, others: Iterable[Finding], noted: Iterable[Finding]) -> Iterator[_Line]:
    """Yield the lines of each site, and after them those that several sites share: each heading stands once."""
    headings: dict[tuple[str, ...], str] = {(site.site,): f"{site.site}{_on(site)}" for site in report.sites}
    blocks: dict[tuple[str, ...], list[_Line]] = {}
    told: set[tuple[str, str]] = set()  # what partners share has one way on, however many of them show it
    for site in report.sites:
        block = blocks.setdefault((site.site,), [])
        for difference in site.differences:
            key = difference.message, difference.hint
            what = difference.message if key in told else _with_hint(difference)
            block.append(_Line(f"  {difference.kind}: {what}"))
            told.add(key)
        block += [_Line(f"  note: {note.message}") for note in site.notes]
    for finding in others:
        block = blocks.setdefault(finding.sites, [])
        block.append(_Line(f"  {finding.kind}: {_with_hint(finding)}"))
        block += [_Line(f"      {command}", is_command=True) for command in finding.commands]
    for finding in noted:
        blocks.setdefault(finding.sites, []).append(_Line(f"  note: {_with_hint(finding)}"))
    for sites, block in blocks.items():
        if block:
            yield _Line(headings.get(sites) or ", ".join(sites))
            yield from block


def as_markdown(report: Report, push: Command = PUSH, findings: Iterable[Finding] = ()) -> str:
    """Return a table with a row for each difference, for a ticket or a merge request; ``push`` as in the text."""
    findings = tuple(findings)
    others = found_besides(report, findings)
    lines = [f"# {_cell(report.topology)}: live units against the plan", "", summary(report, others, findings), ""]
    if report.differences or others:
        lines += ["| site | unit | kind | what |", "|---|---|---|---|"]
        lines += [
            f"| {_cell(found.site)} | {found.unit or ''} | {found.kind} | {_cell(_with_hint(found))} |"
            for found in report.differences
        ]
        lines += [
            f"| {_cell(', '.join(each.sites))} | {', '.join(each.units)} | {each.kind} | {_cell(_with_hint(each))} |"
            for each in others
        ]
        lines.append("")
    lines += [f"- {_cell(note.site)}: {_cell(note.message)}" for note in report.notes]
    lines += [f"- {_cell(', '.join(each.sites))}: {_cell(_with_hint(each))}" for each in _noted(findings)]
    ways = (*_ways_of(others), *_ways_on(report, push))
    return "\n".join([*lines, *_as_code(ways)]).rstrip() + "\n"


def as_json(report: Report, findings: Iterable[Finding] = ()) -> str:
    """Return everything, for programs."""
    content = {
        "format": "geoplan/diff/1",
        "topology": report.topology,
        "checksum": report.checksum,
        "in_place": report.is_in_place,
        "sites": [asdict(site) for site in report.sites],
        "pairs_to_finish": list(report.pairs_to_finish),
        "sites_to_resubmit": list(report.sites_to_resubmit),
        "all_green": report.is_all_green,
        "unproven": list(report.unproven),
        "findings": [asdict(finding) for finding in findings],
    }
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


_SHOWN_AS_DIFFERENCES = frozenset(
    {
        FindingKind.GEO_DIFFERS,
        FindingKind.RED_PARTNER,
        FindingKind.CLUSTER_DISABLED,
        FindingKind.CLUSTER_CHECKED,
        FindingKind.CLUSTER_REWRITTEN,
        FindingKind.UNKNOWN_CLUSTER,
    }
)


def found_besides(report: Report, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that matter and that no difference shows already."""
    unread = [found for found in report.differences if found.kind is Kind.UNREADABLE]
    silent = {found.unit or found.site for found in unread}
    ha = {found.unit for found in report.differences if found.subject == HA_SUBJECT}

    def is_shown(finding: Finding) -> bool:
        if finding.kind in _SHOWN_AS_DIFFERENCES:
            return True
        if finding.kind in OF_HA:
            return bool(finding.units) and ha.issuperset(finding.units)
        return finding.kind in OF_STATES | NOT_READ and (
            silent.issuperset(finding.units) or silent.issuperset(finding.sites)
        )

    return tuple(each for each in findings if each.severity is not Severity.KNOWING and not is_shown(each))


def _noted(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.kind in NOTED]


def summary(report: Report, others: Sequence[Finding] = (), findings: Sequence[Finding] = ()) -> str:
    """Say in one line how many sites differ, how much else was found, and of which units the HA partner is not known.

    ``findings`` are all that there are; ``others`` those of them that are to be counted.
    """
    differing = sum(bool(site.differences) for site in report.sites)
    total = len(report.sites)
    besides = f", {count(len(others), 'other finding')}" if others else ""
    unsure = [unit for found in findings if found.kind is FindingKind.PARTNER_NOT_COMPARED for unit in found.units]
    besides += f"; not comparable: the HA partner of {some_of(unsure)}" if unsure else ""
    if not differing:
        said = f"all {total} sites are as planned" if total > 1 else "as planned"
        return f"{report.topology}: {said}{besides}"
    differences = count(len(report.differences), "difference")
    differ = "differs" if differing == 1 else "differ"
    return f"{report.topology}: {differing} of {count(total, 'site')} {differ} from the plan, {differences}{besides}"


def proof(report: Report, push: Command = PUSH) -> list[str]:
    """Say what proves the links that nothing proves; ``push`` is like :data:`PUSH`."""
    return _lines(_proof(report, push))


def _ways_on(report: Report, push: Command) -> Iterator[WayOn]:
    """Name the commands that would finish what is red; what reboots production is never run on its own."""
    if report.sites_with_other_secrets:
        named = _named(report.sites_with_other_secrets)
        yield WayOn(f"to give all units the same {SHARED_SECRET}, as links of {named} need it:", push("--secret"))
    if report.sites_to_resubmit:
        yield WayOn(f"to submit partners again at {_named(report.sites_to_resubmit)} (it reboots nothing):", push())
    if report.pairs_to_finish:
        whose = "its master" if len(report.pairs_to_finish) == 1 else "their masters"
        yield WayOn(
            f"to finish {_named(report.pairs_to_finish)} (it reboots {whose}):",
            push(*_reboot(report.pairs_to_finish)),
        ).as_it_is()
    yield from _proof(report, push)


def _proof(report: Report, push: Command) -> Iterator[WayOn]:
    if not report.unproven or not report.is_in_place:  # what is still to be entered makes the links
        return
    telling = _sites_with_colours(report)
    provable = [site for site in report.sites if site.unproven and site.site in telling]
    hidden = [unit for site in report.sites if site.site not in telling for unit in site.unproven]
    if provable:
        units = ", ".join(unit for site in provable for unit in site.unproven)
        yield WayOn(f"the links of {units} are proven once each of them, while it is active, shows every partner green")
    if pairs := [site.site for site in provable if set(site.unproven) - {site.unit}]:
        yield WayOn(
            f"a failover of {_named(pairs)} shows that, where units tell colours (it reboots the master):",
            push(*_reboot(pairs)),
        ).as_it_is()
    if hidden:
        yield WayOn(
            f"the links of {', '.join(hidden)} can be seen in the web interface alone, since units tell no colours of "
            f"them over the API: look at {PARTNERS_STATUS} on each of these units while it is active; no push and "
            "no reboot tells more. 'geoplan probe' writes down what a unit answers, for the project to learn from"
        )


def _sites_with_colours(report: Report) -> frozenset[str]:
    """Return the sites of whose links any unit, at either end, tells a colour."""
    told = [link for link in report.links if link.is_asked and link.colour is not Colour.NOT_TOLD]
    return frozenset(site for link in told for site in (link.site, link.partner_site))


def _reboot(pairs: Iterable[str]) -> Iterator[str]:
    for pair in pairs:
        yield from ("--reboot", f"always={pair}")


def _named(sites: Iterable[str]) -> str:
    return ", ".join(f"'{site}'" for site in sites)


def _lines(ways: Iterable[WayOn]) -> list[str]:
    return [line for way in ways for line in (way.sentence, f"  {way.command}" if way.command else "") if line]


def _as_code(ways: Iterable[WayOn]) -> list[str]:
    """Return sentences and commands as Markdown wants them."""
    lines: list[str] = []
    for way in ways:
        lines += ["", _cell(way.sentence)] if way.sentence else []
        lines += ["", f"    {way.command}"] if way.command else []
    return lines


def _ways_of(findings: Iterable[Finding]) -> Iterator[WayOn]:
    """Yield what findings say to type; a table's cell would change a command."""
    for finding in findings:
        for number, command in enumerate(finding.commands):
            yield WayOn("" if number else f"{', '.join(finding.sites)}: {finding.hint}", command)


def _with_hint(found: Difference | Finding) -> str:
    hint = found.hint.removesuffix(":")  # what it leads to stands below
    return f"{found.message} ({hint})" if hint else found.message


def _on(site: SiteReport) -> str:
    return f" (on {site.unit})" if site.unit else ""


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
