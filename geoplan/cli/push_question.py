"""What a push says before it asks: where it goes, what it would change unit by unit, and which masters it reboots."""

from __future__ import annotations

import sys
from contextlib import suppress
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import click

from geoplan.addresses import canonical
from geoplan.cli.ha_question import ha_change_is_accepted, ha_change_lines
from geoplan.cli.output import Outlet
from geoplan.cli.signals import interruptible
from geoplan.errors import PushRefusedError
from geoplan.live.findings.compare import Kind
from geoplan.live.findings.newcomers import seeded_sites
from geoplan.push.change_progress import renewed_units
from geoplan.wording import count, some_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from geoplan.cli.connection import ConnectionOptions
    from geoplan.cli.push_options import PushFlags
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


def require_reader() -> None:
    """Check that somebody can be shown something and asked. Raises :class:`PushRefusedError`."""
    if not sys.stdin.isatty():
        raise PushRefusedError("there is no terminal to ask on; nothing was changed", hint="give --yes")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, Outlet) and stream.lost_because:
            raise PushRefusedError(
                f"what would be changed cannot be shown: {stream.lost_because}; nothing was changed",
                hint="let the output go somewhere, or give --yes",
            )


def change_lines(plan: Plan, found: Found, *, diff: str) -> Iterator[str]:
    """Yield what a push would change: each difference, their number, the pairs to form and the masters to reboot.

    ``diff`` is the command that shows what is left out here.
    """
    yield from _who_moves(plan, found)
    yield from ha_change_lines(plan)
    lines = list(_difference_lines(found.before))
    yield from lines[:MAX_LINES]
    if len(lines) > MAX_LINES:
        yield f"and {len(lines) - MAX_LINES} more lines: {diff}"
    red = sum(difference.kind is Kind.RED for difference in found.before.differences)
    differing = count(len(found.before.differences) - red, "difference")
    if red:  # these no step writes: they follow from the reboots and submissions
        differing += f", {count(red, 'red partner link')}"
    yield f"{plan.topology}: {_extent(plan)}, {count(len(plan.steps), 'step')}, {differing}"
    if found.verdict.forms:
        yield f"pairs to form of single units: {', '.join(found.verdict.forms)}"
    if found.verdict.resubmits:
        yield f"partners to submit again, since links are red: {', '.join(found.verdict.resubmits)}"
    reboots = ", ".join(found.verdict.reboots) or "none"
    yield f"masters to reboot{_order(plan, found)}: {reboots}"
    yield f"plan {plan.checksum}"


UNCONFIRMED = (
    "--seed-by-api sends a restore of GEO Configuration to each site that joins. Not confirmed of a restore is whether",
    "it also writes the two lists, restarts anything, or reaches the standby. It brings neither the IP database nor",
    "GEO's own parameters. Each unit that is seeded is backed up before, and looked at from all sides afterwards.",
)
SEED_WORD = "restore"


def seed_is_accepted(plan: Plan, found: Found, flags: PushFlags, again: str) -> bool:
    """Ask whether GEO Configuration may be restored over the API, which ``--yes`` does not answer.

    ``again`` is the command that answers it beforehand. Raises :class:`PushRefusedError` where nobody can be asked.
    Without an FQDN there is nothing to restore, and no question.
    """
    sites = seeded_sites(plan)
    groups = {plan.site(site).group for site in sites}
    units = [unit for unit in found.facts.units.values() if plan.site(unit.site).group in groups]
    if not any(unit.fqdns for unit in units):
        return True
    for line in UNCONFIRMED:
        click.echo(line, err=True)
    click.echo(f"sites to seed: {', '.join(sites)}", err=True)
    if flags.accepts_seed_by_api:
        return True
    if not sys.stdin.isatty():
        raise PushRefusedError(
            "--seed-by-api has a question of its own, which --yes does not answer; this run has changed nothing",
            hint=f"answer it beforehand: {again}\n        or leave --seed-by-api out, and restore it by hand",
        )
    with interruptible():
        answer: str = click.prompt(f"Type '{SEED_WORD}' to send it, anything else to stop", default="", err=True)
    return answer.strip() == SEED_WORD


def own_questions_are_accepted(plan: Plan, found: Found, flags: PushFlags, command: Callable[..., str]) -> bool:
    """Ask what ``--yes`` does not answer; ``command`` types commands about this push.

    Raises :class:`PushRefusedError` where nobody can be asked.
    """
    options = found.options
    resume = ("--resume",) if options.resume else ()
    seed = ("--seed-by-api", "--accept-seed-by-api")
    if options.seed_by_api and not seed_is_accepted(plan, found, flags, command(*resume, *seed)):
        return False
    given = seed if options.seed_by_api and flags.accepts_seed_by_api else seed[: int(options.seed_by_api)]
    again = partial(command, *resume, *given)
    return ha_change_is_accepted(plan, found.facts, flags.accepts_ha_change, again)


def is_said(destination: Destination, question: str) -> bool:
    """Ask for a yes; return False where that is not said, or nobody can be asked. Of a lab nothing is in AWS."""
    if destination.place is not Place.NETWORK:
        return True
    if not sys.stdin.isatty():
        return False
    with interruptible(), suppress(click.Abort):
        return click.confirm(question, err=True)
    return False


def _who_moves(plan: Plan, found: Found) -> Iterator[str]:
    """Yield who leaves, who joins and which masters are rebooted for what, where a plan is a change."""
    change = plan.change
    if change is None:
        return
    if not found.options.undoes:  # of which the plan was shown first
        yield f"change from '{change.old_topology}' ({change.old_checksum})"
    if change.leaving:
        yield f"leaves: {', '.join(change.leaving)}"
    for part in change.parts:
        if moving := [site for site in part.sites if site not in change.leaving]:
            yield f"leaves group '{part.group}': {', '.join(moving)}"
    for group in change.joined:
        yield (
            f"joins {plan.group_label(group.name)}, whose GEO configuration is that of '{group.reference}': "
            + ", ".join(group.joining)
        )
    if new := sorted(unit for site in plan.sites for unit in renewed_units(plan, site)):
        yield f"new units: {', '.join(new)}"
    for name in found.verdict.reboots:
        site, old = plan.site(name), change.old_site(name)
        had = {canonical(address) for address in old.geo_partners} if old else set()
        gained = [address for address in site.geo_partners if canonical(address) not in had]
        why = f"its slave links {some_of(gained)}" if gained else "a unit of it is new, or its reboot is still due"
        yield f"reboots the master of '{name}': {why}"


def _extent(plan: Plan) -> str:
    """Say how many sites a plan is about, in which groups, and how many leave them."""
    leaving = len(plan.change.leaving) if plan.change else 0  # each has a group of its own in the plan
    staying = [group for group in plan.groups if not plan.change or group.sites[0] not in plan.change.leaving]
    sites = count(len(plan.sites) - leaving, "site")
    is_named = len(staying) == 1 and plan.is_group_written(staying[0].name)
    groups = f" in {plan.scope if is_named and not leaving else count(len(staying), 'group')}"
    if plan.change and len(staying) == len(plan.sites) - leaving > 1:
        groups = ", each alone"
    return f"{sites}{groups}" + (f", {count(leaving, 'site')} to leave" if leaving else "")


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
