"""``geoplan push``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from geoplan.cli.connection import TypedCommands, connection_options
from geoplan.cli.files import load_part, plan_phases, planned_change
from geoplan.cli.formats import format_option
from geoplan.cli.options import (
    ChangeOptions,
    Command,
    InputFile,
    Part,
    change_options,
    group_option,
    phase_option,
    variant_option,
)
from geoplan.cli.push_options import (
    GivenFlags,
    PushFlags,
    flags_options,
    keep_backups_option,
    origin_of,
    state_dir_option,
)

if TYPE_CHECKING:
    from geoplan.cli.connection import ConnectionOptions

EPILOG = """
Everything is checked before anything is changed, and nothing is changed that is in place. A push that stops, for
whatever reason, goes on with --resume. --lab needs no LoadMaster at all.

\b
  geoplan push topologies/section-5.4.yaml --lab --yes
  geoplan push my.yaml --only-preflight
  geoplan push my.yaml --group shop
  geoplan push my.yaml --reboot "always=HA Pair 1"
  geoplan push new.yaml --from old.yaml
  geoplan push new.yaml --from live
  geoplan push my.yaml --undo --only-preflight

Exit codes: 0 done and verified, or nothing to do; 1 done with findings; 3 stopped part-way; 4 refused, by a check or by
you, and nothing changed.
"""


@click.command("push", cls=Command, epilog=EPILOG)
@click.argument("path", metavar="TOPOLOGY", type=InputFile(), required=False)
@group_option
@phase_option
@change_options
@click.option(
    "--seed-by-api",
    is_flag=True,
    help="With --from: restore GEO Configuration on sites that join over the API, after a question of its own.",
)
@click.option(
    "--accept-seed-by-api", is_flag=True, help="Answer the question of --seed-by-api, which --yes does not answer."
)
@click.option("--yes", "-y", is_flag=True, help="Do not ask before anything is changed, or a push abandoned.")
@click.option("--dry-run", is_flag=True, help="Show the requests that would change a unit, in order; change nothing.")
@click.option("--only-preflight", is_flag=True, help="Only check that a push could begin.")
@click.option("--resume", is_flag=True, help="Go on with the push that was stopped or interrupted.")
@click.option(
    "--status",
    is_flag=True,
    help="Show what the last push did, and how to undo it by hand. For live units: geoplan status.",
)
@click.option("--history", is_flag=True, help="List all pushes, the newest first; with TOPOLOGY, those on its units.")
@click.option("--abandon", is_flag=True, help="Abandon the unfinished push; its changes are not undone.")
@click.option(
    "--undo",
    is_flag=False,
    flag_value="last",
    metavar="[PUSH]",
    help="Take back the lists and clusters of the last push, or of PUSH, a number of --history.",
)
@click.option(
    "--plan",
    "plan_file",
    metavar="FILE",
    type=InputFile(),
    help="Push only if FILE still fits: a reviewed plan, or an approval of plan --live.",
)
@click.option("--checksum", metavar="sha256:…", help="Push only what has this checksum: a plan's, or an approval's.")
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=8,
    show_default=True,
    help="How many steps to do, and units to ask, at once.",
)
@flags_options
@click.option(
    "--backup-dir",
    metavar="DIR",
    type=click.Path(file_okay=False),
    help="Where backups go.  [default: backups, in the folder of the journals]",
)
@keep_backups_option
@state_dir_option
@format_option("push")
@click.option("--lab", is_flag=True, help="Push to an embedded lab: a rehearsal.")
@variant_option
@connection_options
def command(  # noqa: PLR0913 - one for each option
    *,
    path: str | None,
    part: Part,
    phase: str | None,
    change: ChangeOptions,
    seed_by_api: bool,
    accept_seed_by_api: bool,
    yes: bool,
    dry_run: bool,
    only_preflight: bool,
    resume: bool,
    status: bool,
    history: bool,
    abandon: bool,
    undo: str | None,
    plan_file: str | None,
    checksum: str | None,
    flags: GivenFlags,
    jobs: int,
    backup_dir: str | None,
    keep_backups: int,
    state_dir: str | None,
    output_format: str,
    lab: bool,
    variants: tuple[str, ...],
    reach: ConnectionOptions,
) -> int:
    """Carry the plan out over the units' API: lists, reboots, submissions, clusters, each read back.

    It finds the active units, takes a backup of all, writes only what differs, and reboots one master after the
    other. It can be stopped at any time and resumed.

    With --from OLD it does only what leads from there to here: sites that leave are unlinked first, and sites that
    join get the GEO configuration of their group before they are linked. With --from live what the units hold is OLD;
    units that only others name are asked if they are in the networks of --within, or on a terminal you say so.

    With --undo it takes the last push back: lists and clusters become what its journal says was there before. What
    somebody has changed since is a refusal; pairs that it formed, restores and firmware stay.
    """
    from geoplan.cli import approving, changing, push_session, push_undo
    from geoplan.cli.push_units import push_store, typed_after
    from geoplan.plan.planner import make_plan
    from geoplan.push.store import addresses_of

    if history:
        from geoplan.cli import push_history

        return push_history.show(path, reach, state_dir, output_format)
    if path is None:
        raise click.UsageError("Missing argument 'TOPOLOGY'. Only --history goes without it.")
    if lab and (reach.endpoints is not None or resume or dry_run or status or abandon):
        raise click.UsageError("--lab stands alone: its units are gone when the push ends")
    if variants and not lab:
        raise click.UsageError("--variant is of units of the lab: give --lab with it")
    if lab and change.old is not None:
        raise click.UsageError(
            "--lab begins with fresh units, and --from with those of OLD: run geoplan lab with a topology of all "
            "units, push OLD to it, and then this one, each with its --endpoints file"
        )
    if undo is not None and (lab or status or abandon or phase or change.old is not None):
        raise click.UsageError("--undo has a plan of its own: leave --lab, --phase, --from, --status and --abandon out")
    if (seed_by_api or accept_seed_by_api) and change.old is None:
        raise click.UsageError("--seed-by-api matters only with --from")
    if accept_seed_by_api and not seed_by_api:
        raise click.UsageError("--accept-seed-by-api answers a question that only --seed-by-api asks")
    approving.require_checksum(checksum)
    change.require_usable(phase)
    topology, part = load_part(path, part)
    typed = TypedCommands(reach, path, None, state_dir, part, change=change)
    old = changing.start_of_push(topology, typed, goes_on=resume or status or abandon)
    changed = None if old is None else planned_change(topology, old, change)
    phases = plan_phases(topology, phase)
    units = None if changed is None else addresses_of(changed)
    store = push_store(topology, reach, state_dir, is_lasting=not lab, units=units)
    if resume and phase is None and changed is None:
        from geoplan.cli import push_journal

        phases = push_journal.phases_to_resume(store) or phases
    undoing = (
        None if lab or status or abandon or changed else push_undo.taken_back(topology, store, undo, resume=resume)
    )
    plan = undoing.plan if undoing else changed or make_plan(topology, phases)
    typed = replace(typed, undo=undoing.name if undoing else None)
    if status or abandon:
        from geoplan.cli import push_journal

        if abandon:
            return push_journal.abandon(store, plan, output_format, typed, yes=yes)
        typed = replace(typed, part=typed_after(store.past(), topology, typed).unfinished or part)
        apis = {**(reach.apis(old.topology) if old and old.topology else {}), **reach.apis(topology)}
        return push_journal.show(store, plan, apis, output_format, typed)
    options = replace(
        flags.options(plan),
        jobs=1 if dry_run else jobs,
        max_clusters=topology.limits.max_clusters,
        backup_folder=None if backup_dir is None or dry_run else Path(backup_dir),
        keep_backups=None if dry_run else keep_backups,
        origin=origin_of(click.get_current_context(), path),
        resume=resume,
        only_preflight=only_preflight,
        seed_by_api=seed_by_api,
        undoes=undoing.name if undoing else None,
    )
    if undoing and not plan.steps:
        click.echo(f"push {undoing.name} changed no list and no cluster: there is nothing to take back")
        return 0
    review = approving.review_of(plan, options, typed, plan_file=plan_file, checksum=checksum, resume=resume)
    push = PushFlags(
        path,
        phase,
        state_dir,
        output_format,
        yes=yes,
        dry_run=dry_run,
        lab=lab,
        jobs=jobs,
        part=part,
        old=old,
        accepts_seed_by_api=accept_seed_by_api,
        variants=variants,
    )
    return push_session.run(topology, store, push_session.PushSession(plan, typed, options, push, review))
