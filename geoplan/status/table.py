"""The table of a status: a row for each unit, fitted to the width of a terminal."""

from __future__ import annotations

from io import StringIO
from types import MappingProxyType
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from geoplan.console import laid_out
from geoplan.live.findings.kinds import FindingKind, Severity
from geoplan.live.findings.states import UnitState
from geoplan.live.model import Cause
from geoplan.vendor import parse_version
from geoplan.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from geoplan.live.findings.kinds import Finding
    from geoplan.status.model import Count, SiteStatus, Status, UnitStatus


HEADINGS = ("Unit", "Role", "State", "Health", "Firmware", "HA", "Prefers", "Links", "Clusters")
NOT_TOLD = "?"
NOT_THERE = "-"
GAPS = (2, 1)  # between columns: the second where the first does not fit
INDENT = "  "
NOT_COMPARABLE = "not comparable"
SHORT_ROLES = MappingProxyType({"standalone": "alone"})
_STYLES = {
    UnitState.ACTIVE: "bold green",
    UnitState.STANDBY: "cyan",
    UnitState.ALONE: "green",
    UnitState.UNCONNECTED: "bold yellow",
    UnitState.DOWN: "bold red",
    UnitState.UNKNOWN: "bold yellow",
}
WRONG = "bold yellow"
"""How a cell is shown that is not as it should be."""
_CAUSES = {
    Cause.UNREACHABLE: "no API",
    Cause.PROXY: "no proxy",
    Cause.UNAUTHORIZED: "denied",
    Cause.UNREADABLE: "no API",
    Cause.REFUSED: "refuses",
    Cause.NOT_ASKED: "not asked",
}


def table(sites: Sequence[SiteStatus], width: int, groups: Sequence[str] = ()) -> list[Text]:
    """Return the lines of the table: a row for each unit, below the name of its site or, with room for it, beside it.

    Where even that is too wide, as with IPv6, an address has a line of its own. Of several ``groups`` each has a
    heading, with its sites below it.
    """
    if len(groups) <= 1:
        return _table(sites, width)[0]
    place = {group: number for number, group in enumerate(groups)}
    sites = sorted(sites, key=lambda site: place[site.group])
    (head, rule, *rest), sizes = _table(sites, width)
    lines, group = [head, rule], None
    for site, size in zip(sites, sizes, strict=True):
        if site.group != group:
            lines += [Text()] if group is not None else []
            lines.append(Text(f"Group {site.group}", style="bold cyan"))
        group = site.group
        lines += rest[:size]
        del rest[:size]
    return lines


def _table(sites: Sequence[SiteStatus], width: int) -> tuple[list[Text], list[int]]:
    """Return the headings, a rule and the lines of each site, and how many lines each site has."""
    whole = _rows(sites)
    if _width(beside := _with_sites(sites, whole), GAPS[0]) <= width:
        return _joined(beside, GAPS[0]), [len(site.units) for site in sites]
    below = [(whole, GAPS[0]), (whole, GAPS[1]), (_rows(sites, SHORT_ROLES), GAPS[1])]
    for rows, gap in below:
        if _width(rows, gap) <= width:
            return _below_sites(sites, _joined(rows, gap)), [1 + len(site.units) for site in sites]
    rows, gap = below[-1]
    joined = [Text(INDENT).append_text(line) for line in _joined([_narrow(row) for row in rows], gap)]
    return _below_sites(sites, joined, own_lines=True), [1 + 2 * len(site.units) for site in sites]


def _narrow(row: Sequence[Text]) -> list[Text]:
    """Return a row without its address, which has a line of its own, and with no cell that is wider than need be."""
    return [Text("not compared") if cell.plain == NOT_COMPARABLE else cell for cell in row[1:]]


def _rows(sites: Sequence[SiteStatus], roles: Mapping[str, str] = MappingProxyType({})) -> list[list[Text]]:
    """Return the headings and a row for each unit."""
    return [
        [Text(heading, style="bold") for heading in HEADINGS],
        *(row_of(site, unit, roles) for site in sites for unit in site.units),
    ]


def _with_sites(sites: Sequence[SiteStatus], rows: list[list[Text]]) -> list[list[Text]]:
    names = ["Site", *(name for site in sites for name in (site.name, *[""] * (len(site.units) - 1)))]
    return [[Text(name, style="bold"), *row] for name, row in zip(names, rows, strict=True)]


def _below_sites(sites: Sequence[SiteStatus], rows: list[Text], *, own_lines: bool = False) -> list[Text]:
    head, rule, *rest = rows
    lines = [head, rule]
    for site in sites:
        lines.append(Text(site.name, style="bold"))
        for unit in site.units:
            lines += [Text(f"{INDENT}{unit.address}")] if own_lines else []
            lines.append(rest.pop(0))
    return lines


def _width(rows: Sequence[Sequence[Text]], gap: int) -> int:
    widths = _widths(rows)
    return sum(widths) + gap * (len(widths) - 1)


def _widths(rows: Sequence[Sequence[Text]]) -> list[int]:
    return [max(cell_len(cell.plain) for cell in column) for column in zip(*rows, strict=True)]


def _joined(rows: Sequence[Sequence[Text]], gap: int) -> list[Text]:
    """Align rows by terminal cells, with a rule below the first."""
    widths = _widths(rows)
    lines = []
    for row in rows:
        line = Text()
        for cell, width in zip(row, widths, strict=True):
            line.append_text(cell).append(" " * (width - cell_len(cell.plain) + gap))
        line.rstrip()
        lines.append(line)
    rule = Text("─" * _width(rows, gap), style="dim")
    return [lines[0], rule, *lines[1:]]


def row_of(site: SiteStatus, unit: UnitStatus, roles: Mapping[str, str] = MappingProxyType({})) -> list[Text]:
    """Return the cells of a unit, one for each heading; ``roles`` are shorter words for some."""
    is_paired = site.kind == "ha_pair"
    is_stand_in = site.failed_over and unit.address == site.active
    return [
        Text(unit.address),
        Text(roles.get(unit.role, unit.role)),
        Text(unit.state.value, style=WRONG if is_stand_in else _STYLES[unit.state]),
        Text(unit.health or NOT_THERE),
        _firmware(unit),
        _ha(unit) if is_paired else Text(NOT_THERE),
        _preferred(unit) if is_paired else Text(NOT_THERE),
        _counted(unit, unit.partners),
        _counted(unit, unit.clusters),
    ]


def _firmware(unit: UnitStatus) -> Text:
    if unit.firmware:
        return Text(".".join(map(str, parse_version(unit.firmware))))
    if unit.state is UnitState.DOWN or unit.failure is None:
        return Text(NOT_THERE if unit.state is UnitState.DOWN else NOT_TOLD)
    return Text(_CAUSES[unit.failure.cause], style=WRONG)


def _ha(unit: UnitStatus) -> Text:
    if unit.ha is None:
        return Text(NOT_THERE if unit.state is UnitState.DOWN else NOT_TOLD)
    if not unit.ha_differs:
        if "partner" in unit.ha_not_compared and unit.ha.partner:
            return Text(NOT_COMPARABLE)
        return Text(NOT_TOLD if unit.ha_not_compared else "ok")
    first, *others = unit.ha_differs
    return Text(f"{first} +{len(others)}" if others else first, style=WRONG)


def _preferred(unit: UnitStatus) -> Text:
    if unit.state is UnitState.DOWN:
        return Text(NOT_THERE)
    if unit.ha is None or unit.ha.prefers_master is None:
        return Text(NOT_TOLD)
    return Text("master" if unit.ha.prefers_master else "none")


def _counted(unit: UnitStatus, counted: Count | None) -> Text:
    if counted is None or unit.state is UnitState.DOWN:
        return Text(NOT_THERE)
    if counted.good is None:
        return Text(f"{NOT_TOLD}/{counted.planned}")
    return Text(f"{counted.good}/{counted.planned}", style="" if counted.good == counted.planned else WRONG)


DEFAULT_WIDTH = 80


def as_text(status: Status, *, width: int = DEFAULT_WIDTH, color: bool = False) -> str:
    """Return the table and the findings ``width`` columns wide, with escape codes for colour only where asked for."""
    return laid_out(as_lines(status, width=width), width=width, color=color, soft_wrap=True)


def as_lines(status: Status, *, width: int, height: int | None = None) -> list[Text]:
    """Return all lines, none wider than ``width`` but for commands to type, which are left whole.

    With a ``height`` that they exceed, sites with which nothing is wrong are left out, and then what is too much.
    """
    sentences = list(_findings(status, width))
    rows = [*table(status.sites, width, status.groups), Text()] if status.sites else []
    lines = [*rows, *sentences]
    if height is None or _height(lines, width) <= height:
        return lines
    troubled = {name for finding in status.findings for name in finding.sites}
    shown = [site for site in status.sites if site.name in troubled]
    left_out = len(status.sites) - len(shown)
    rows = table(shown, width, status.groups) if shown else []
    if left_out:
        rows.append(Text(f"and {count(left_out, 'site')} with which nothing is wrong", style="dim"))
    lines = [*rows, Text(), *sentences]
    if _height(lines, width) <= height:
        return lines
    end = [Text("and more: make the terminal larger", style="dim"), lines.pop()]
    while lines and _height([*lines, *end], width) > height:
        lines.pop()
    return [*lines, *end]


def _height(lines: Sequence[Text], width: int) -> int:
    return sum(max(1, -(-line.cell_len // width)) for line in lines)


def summary(status: Status) -> str:
    """Say in one line how many units there are and how much is wrong."""
    sites = len(status.sites) + status.sites_left_out
    units = sum(len(site.units) for site in status.sites) + status.units_left_out
    size = f"{status.topology}: {count(sites, 'site')}, {count(units, 'unit')}"
    problems = sum(finding.severity is not Severity.KNOWING for finding in status.findings)
    if problems:
        return f"{size}: {count(problems, 'finding')}"
    unsure = sum(finding.kind is FindingKind.PARTNER_NOT_COMPARED for finding in status.findings)
    besides = f"; not comparable: {count(unsure, 'HA partner')}" if unsure else ""
    verdict = "nothing seen is wrong, but links are not told" if _has_untold_links(status) else "all is well"
    return f"{size}: {verdict}{besides}"


def _has_untold_links(status: Status) -> bool:
    """Return whether a unit does not tell which partners it sees: nobody knows then whether these links are green."""
    is_unread = any("partner_status" in unit.unread for site in status.sites for unit in site.units)
    return is_unread or any(finding.kind is FindingKind.LINKS_NOT_TOLD for finding in status.findings)


def _findings(status: Status, width: int) -> Iterator[Text]:
    for finding in status.findings:
        yield from _finding(finding, width)
        yield Text()
    yield Text(summary(status), style="bold green" if is_seen_well(status) else "bold yellow")


def is_seen_well(status: Status) -> bool:
    """Return whether nothing has to be done, and nothing that counts is hidden."""
    return status.is_well and not _has_untold_links(status)


def _finding(finding: Finding, width: int) -> Iterator[Text]:
    is_problem = finding.severity is not Severity.KNOWING
    title = Text("! " if is_problem else "- ", style="bold yellow" if is_problem else "cyan")
    if len(finding.sites) == 1:
        title.append(f"{finding.sites[0]}: ", style="bold")
    yield from _wrapped(title.append(finding.message, style="not bold default"), width)
    if finding.hint:
        yield from _wrapped(Text(f"{INDENT}hint: {finding.hint}", style="dim"), width)
    for command in finding.commands:
        yield Text(f"{INDENT * 2}{command}")


def _wrapped(text: Text, width: int) -> Iterator[Text]:
    """Break a sentence so that what follows its first line is indented."""
    console = Console(file=StringIO(), width=width, legacy_windows=False)
    first, *rest = text.wrap(console, width - len(INDENT))
    yield first
    for line in rest:
        yield Text(INDENT).append_text(line)
