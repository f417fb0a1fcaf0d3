"""``geoplan push``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from geoplan.cli.files import load_topology, phase_option, plan_phases, read_text, topology_argument
from geoplan.cli.units import reach_options

if TYPE_CHECKING:
    from geoplan.cli.units import Reach
    from geoplan.plan.model import Plan
    from geoplan.push.context import Options

EPILOG = """
Everything is checked before anything is changed, and nothing is changed that is in place. A push that stops, for
whatever reason, goes on with --resume. --lab needs no LoadMaster at all.

\b
  geoplan push topologies/section-5.4.yaml --lab --yes
  geoplan push my.yaml --only-preflight
  geoplan push my.yaml --reboot "always=HA Pair 1"

Exit codes: 0 done and verified, or nothing to do; 1 done with findings; 3 stopped part-way; 4 refused, nothing changed.
"""


@click.command("push", epilog=EPILOG)
@topology_argument
@phase_option
@click.option("--yes", "-y", is_flag=True, help="Do not ask before anything is changed.")
@click.option("--dry-run", is_flag=True, help="Show the requests that would change a unit, in order; change nothing.")
@click.option("--only-preflight", is_flag=True, help="Only check that a push could begin.")
@click.option("--resume", is_flag=True, help="Go on with the push that was stopped or interrupted.")
@click.option("--status", is_flag=True, help="Show the last push and the way back by hand; live units: geoplan status.")
@click.option("--abandon", is_flag=True, help="Give the unfinished push up; what it changed stays.")
@click.option("--plan", "plan_file", metavar="PLAN.json", help="Push only if the topology still gives this plan.")
@click.option("--checksum", metavar="sha256:…", help="Push only if the plan still has this checksum.")
@click.option(
    "--reboot",
    "reboots",
    metavar="[changed|always[=SITE]|never]",
    multiple=True,
    help="Which pairs to reboot: those whose partners change, all, one more (repeatable), none.  [default: changed]",
)
@click.option("--jobs", type=click.IntRange(1), default=8, show_default=True, help="How many steps at once.")
@click.option("--parallel-groups", is_flag=True, help="Reboot pairs of different groups at the same time.")
@click.option("--remove-unknown", is_flag=True, help="Remove live addresses that the plan does not have.")
@click.option("--accept-geo-merge", is_flag=True, help="Let units with different GEO configurations become partners.")
@click.option("--backup-dir", metavar="DIR", type=click.Path(file_okay=False), help="Where backups go.")
@click.option("--state-dir", metavar="DIR", type=click.Path(file_okay=False), help="Where journals are kept.")
@click.option("--format", "output_format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--lab", is_flag=True, help="Push to an embedded lab: a rehearsal.")
@reach_options
def command(  # noqa: PLR0913 - one for each option
    *,
    path: str,
    phase: str | None,
    yes: bool,
    dry_run: bool,
    only_preflight: bool,
    resume: bool,
    status: bool,
    abandon: bool,
    plan_file: str | None,
    checksum: str | None,
    reboots: tuple[str, ...],
    jobs: int,
    parallel_groups: bool,
    remove_unknown: bool,
    accept_geo_merge: bool,
    backup_dir: str | None,
    state_dir: str | None,
    output_format: str,
    lab: bool,
    reach: Reach,
) -> int:
    """Carry the plan out over the units' API: lists, reboots, submissions, clusters, each read back.

    It finds the active units, takes a backup of all, writes only what differs, and reboots one master after the
    other. It can be stopped at any time and resumed.
    """
    from geoplan.plan.planner import make_plan
    from geoplan.push.places import state_folder
    from geoplan.push.store import Store, unit_keys

    if lab and (reach.endpoints or resume or dry_run or status or abandon):
        raise click.UsageError("--lab stands alone: its units are gone when the push ends")
    topology = load_topology(path)
    phases = plan_phases(topology, phase)
    addresses = (unit.address for site in topology.sites for unit in site.units)
    store = Store(state_folder(state_dir), unit_keys(addresses, reach.lab_id()))
    if resume and phase is None:
        from geoplan.cli import push_journal

        phases = push_journal.phases_to_resume(store) or phases
    plan = make_plan(topology, phases)
    if status or abandon:
        from geoplan.cli import push_journal

        tell = push_journal.abandon if abandon else push_journal.show
        return tell(store, plan, output_format)
    _require_reviewed(plan, plan_file, checksum)
    options = _options(plan, reboots, jobs=1 if dry_run else jobs)
    from dataclasses import replace

    from geoplan.cli import push_session
    from geoplan.cli.push_units import Wishes

    options = replace(
        options,
        parallel_groups=parallel_groups,
        remove_unknown=remove_unknown,
        accept_geo_merge=accept_geo_merge,
    )
    wishes = Wishes(
        path=path,
        phase=phase,
        store=store,
        state_dir=state_dir,
        backup_folder=Path(backup_dir) if backup_dir else None,
        output_format=output_format,
        yes=yes,
        dry_run=dry_run,
        resume=resume,
        only_preflight=only_preflight,
        lab=lab,
    )
    return push_session.run(topology, plan, reach, options, wishes)


def _options(plan: Plan, reboots: tuple[str, ...], *, jobs: int) -> Options:
    from geoplan.push.context import Options, RebootMode

    modes: list[RebootMode] = []
    sites: list[str] = []
    for written in reboots:
        word, is_of_site, site = written.partition("=")
        if is_of_site and word == RebootMode.ALWAYS:
            sites.append(_pair(plan, site))
        elif written in list(RebootMode):
            modes.append(RebootMode(written))
        else:
            raise click.UsageError(f"--reboot {written}: write changed, always, always=SITE or never")
    if len(set(modes)) > 1 or (sites and RebootMode.NEVER in modes):
        raise click.UsageError("--reboot: these contradict each other")
    return Options(jobs=jobs, reboot=modes[0] if modes else RebootMode.CHANGED, reboot_sites=tuple(sites))


def _pair(plan: Plan, name: str) -> str:
    pairs = [step.site for step in plan.steps if step.action == "reboot_master"]
    if name not in pairs:
        known = ", ".join(f"'{pair}'" for pair in pairs) or "none"
        raise click.UsageError(f"--reboot always={name}: the plan reboots no such pair; its pairs are {known}")
    return name


def _require_reviewed(plan: Plan, plan_file: str | None, checksum: str | None) -> None:
    """Refuse a plan that is another one than was reviewed."""
    from geoplan.errors import PushRefusedError

    reviewed = {checksum} if checksum else set()
    if plan_file:
        reviewed.add(_checksum_of(plan_file))
    for wanted in reviewed:
        if wanted != plan.checksum:
            raise PushRefusedError(
                f"the topology now gives another plan than the reviewed one: {plan.checksum} in place of {wanted}",
                hint="review the plan again; nothing was changed",
            )


def _checksum_of(path: str) -> str:
    from pydantic import ValidationError

    from geoplan.errors import UnusableFileError
    from geoplan.plan.model import Plan

    try:
        return Plan.model_validate_json(read_text(path)).checksum
    except (ValidationError, json.JSONDecodeError) as error:
        first = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise UnusableFileError(
            f"{path} is not a usable plan: {first}", hint="make it with geoplan plan --format json"
        ) from None
