"""``geoplan push``."""

from __future__ import annotations

import click

from geoplan.cli.connection import connection_options
from geoplan.cli.formats import format_option
from geoplan.cli.options import Command, InputFile, change_options, group_option, options_together, phase_option
from geoplan.cli.push_command import (
    PushCommand,
    ha_change_options,
    journal_options,
    lab_options,
    place_options,
    review_options,
    run_options,
    secret_options,
    seed_options,
    update_options,
    window_options,
)
from geoplan.cli.push_freeze import freeze_options
from geoplan.cli.push_options import flags_options

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
  geoplan push my.yaml --upgrade-to 7.2.60.1 --image LoadMaster-7.2.60.1.bin
  geoplan push my.yaml --secret --window "Sat 22:00-04:00"
  geoplan push --freeze --reason "change freeze until Monday"

Exit codes: 0 done and verified, or nothing to do; 1 done with findings; 3 stopped part-way; 4 refused, by a check or by
you, and nothing changed.
"""


@click.command("push", cls=Command, epilog=EPILOG)
@click.argument("path", metavar="TOPOLOGY", type=InputFile(), required=False)
@group_option
@phase_option
@change_options
@seed_options
@ha_change_options
@update_options
@secret_options
@window_options
@run_options
@journal_options
@freeze_options
@review_options
@flags_options
@place_options
@format_option("push")
@lab_options
@connection_options
@options_together("given", PushCommand)
def command(given: PushCommand) -> int:
    """Carry the plan out over the units' API: lists, reboots, submissions, clusters, each read back.

    It finds the active units, takes a backup of all, writes only what differs, and reboots one master after the
    other. It can be stopped at any time and resumed.

    With --from OLD it does only what leads from there to here: sites that leave are unlinked first, and sites that
    join get the GEO configuration of their group before they are linked. With --from live what the units hold is OLD;
    units that only others name are asked if they are in the networks of --within, or on a terminal you say so.

    HA parameters of a pair at work change only with --from, one after the other, and once you have typed the pair's
    name; or give it with --accept-ha-change.

    With --undo it takes the last push back: lists, clusters and HA parameters of pairs at work become what its journal
    says was there before. What somebody has changed since is a refusal; pairs that it formed, restores and firmware
    stay.

    With --upgrade-to it brings all units to a firmware instead, pair by pair, and compares what they held before.

    With --secret it sets the Partner Shared Secret on all units, pair by pair; nothing of it is kept or shown.

    With --freeze nobody pushes from this --state-dir until --thaw: every push that finds that stops before it begins.
    """
    from geoplan.cli import approving, push_freeze, push_history, push_record, window

    if given.freezing.is_given:
        return push_freeze.carry_out(given.freezing, given.places.state_dir, given.output_format)
    if given.journals.history:
        return push_history.show(given.path, given.reach, given.places.state_dir, given.output_format)
    path = given.require_usable()
    window.require_usable(given.window)
    approving.require_checksum(given.reviewed.checksum)
    if given.places.record is not None:
        push_record.require_place(given.places.record, resumes=given.journals.resume)
    with push_record.recorded(given, path):
        return _carry_out(given, path)


def _carry_out(given: PushCommand, path: str) -> int:
    """Push, or tell of the last one."""
    from geoplan.cli import approving, push_freeze, push_journal, push_session
    from geoplan.cli.push_goal import goal_of
    from geoplan.cli.secret_session import SecretSession
    from geoplan.cli.update_session import UpdateSession

    if given.changes_units:
        push_freeze.require_thawed(given.places.state_dir)
    goal = goal_of(given, path)
    if given.journals.only_tells:
        return push_journal.tell(goal, given, path)
    if goal.undoing and not goal.plan.steps:
        number = goal.undoing.history.number
        click.echo(f"push {number} changed no list and no cluster: there is nothing to take back")
        return 0
    if goal.plan.firmware is not None and not goal.plan.steps:
        push_journal.tell_that_all_run(goal.plan.firmware.to, goal.store)
        return 0
    named = approving.Named.read(given.reviewed.plan_file, given.reviewed.checksum)
    goal = goal.with_what_is_due(given, named)
    options, typed = goal.options(given, path), goal.typed(given, path)
    review = approving.review_of(goal.plan, options, typed, named=named, resume=given.journals.resume)
    kind = UpdateSession if goal.plan.firmware else SecretSession if goal.plan.secret else push_session.PushSession
    session = kind(goal.plan, typed, options, goal.push_flags(given, path), review)
    return push_session.run(goal.topology, goal.store, session)
