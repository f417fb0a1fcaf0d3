"""What a push says before it asks: where it goes, what it would change unit by unit, and which masters it reboots."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from geoplan.live.findings.compare import Kind
from geoplan.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.cli.connection import ConnectionOptions
    from geoplan.live.findings.compare import Report
    from geoplan.plan.model import Plan
    from geoplan.push.listener import Found

MAX_LINES = 200
"""Of the differences: what is longer is read in ``geoplan diff``, not above a question."""


class Place(StrEnum):
    """Where a push goes."""

    NETWORK = "network"
    LAB = "lab"
    EMBEDDED_LAB = "embedded_lab"


class Destination(NamedTuple):
    """Where a push goes, for programs and in words."""

    place: Place
    lab_file: str | None = None

    @property
    def message(self) -> str:
        """What follows *push*."""
        match self.place:
            case Place.EMBEDDED_LAB:
                return "to an embedded lab"
            case Place.LAB:
                return f"to the lab of {self.lab_file}"
            case Place.NETWORK:
                return "to the network: these are real LoadMasters"

    @property
    def question(self) -> str:
        """What is asked before anything is changed there."""
        units = "these real LoadMasters" if self.place is Place.NETWORK else "these units of the lab"
        return f"Change {units} now?"


def destination_of(reach: ConnectionOptions, *, lab: bool) -> Destination:
    """Return where a push goes; ``lab`` is whether to an embedded one."""
    if lab:
        return Destination(Place.EMBEDDED_LAB)
    lab_file = reach.lab_file()
    return Destination(Place.NETWORK) if lab_file is None else Destination(Place.LAB, lab_file)


def change_lines(plan: Plan, found: Found, *, diff: str) -> Iterator[str]:
    """Yield what a push would change: each difference, their number, the pairs to form and the masters to reboot.

    ``diff`` is the command that shows what is left out here.
    """
    lines = list(_difference_lines(found.before))
    yield from lines[:MAX_LINES]
    if len(lines) > MAX_LINES:
        yield f"and {len(lines) - MAX_LINES} more lines: {diff}"
    red = sum(difference.kind is Kind.RED for difference in found.before.differences)
    differing = count(len(found.before.differences) - red, "difference")
    if red:  # these no step writes: they follow from the reboots and submissions
        differing += f", {count(red, 'red partner link')}"
    is_named = len(plan.groups) == 1 and plan.is_group_written(plan.groups[0].name)
    sites, groups = count(len(plan.sites), "site"), plan.scope if is_named else count(len(plan.groups), "group")
    yield f"{plan.topology}: {sites} in {groups}, {count(len(plan.steps), 'step')}, {differing}"
    if found.verdict.forms:
        yield f"pairs to form of single units: {', '.join(found.verdict.forms)}"
    if found.verdict.resubmits:
        yield f"partners to submit again, since links are red: {', '.join(found.verdict.resubmits)}"
    reboots = ", ".join(found.verdict.reboots) or "none"
    yield f"masters to reboot{_order(plan, found)}: {reboots}"
    yield f"plan {plan.checksum}"


def _difference_lines(report: Report) -> Iterator[str]:
    for site in report.sites:
        if site.differences:
            yield f"{site.site} (on {site.unit})" if site.unit else site.site
            yield from (f"  {difference.kind}: {difference.message}" for difference in site.differences)


def _order(plan: Plan, found: Found) -> str:
    """Say in which order masters are rebooted, where there is one."""
    if len(found.verdict.reboots) <= 1:
        return ""
    groups = {plan.site(site).group for site in found.verdict.reboots}
    is_parallel = found.options.parallel_groups and len(groups) > 1
    return ", one at a time in each group" if is_parallel else ", one after the other"
