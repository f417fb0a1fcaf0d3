"""``geoplan drill``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from geoplan.cli.connection import TypedCommands, connection_options
from geoplan.cli.files import load_part, write
from geoplan.cli.formats import chosen_format, format_option
from geoplan.cli.options import Command, InputFile, Part, output_option
from geoplan.cli.push_command import window_options
from geoplan.cli.push_options import PushFlags, origin_of, state_dir_option
from geoplan.cli.refusals import ended, note_report, tells_refusals
from geoplan.wording import shown

if TYPE_CHECKING:
    from geoplan.cli.connection import ConnectionOptions
    from geoplan.cli.drill_session import DrillSession
    from geoplan.cli.push_command import WindowOptions
    from geoplan.live.model import Observations
    from geoplan.plan.model import Plan
    from geoplan.push.store import Store
    from geoplan.topology.model import Topology

EPILOG = """
A drill reboots a unit that carries traffic: do it in a maintenance window. Everything is checked before, as before a
reboot in a push: both units, both lists on both, all partners up, room for one more reboot, and no debt.
--dry-run makes the same checks, then carries the drill out on simulated units that hold what the live ones told.

\b
  geoplan drill my.yaml --site Dublin --dry-run
  geoplan drill my.yaml --site Dublin -o dublin.md
  geoplan drill my.yaml --site Dublin --back

Exit codes: 0 the site stayed in GEO; 1 it did not, or that is not proven; 3 stopped part-way; 4 refused, by a check or
by you, and nothing rebooted.
"""


@click.command("drill", cls=Command, epilog=EPILOG)
@click.argument("path", metavar="TOPOLOGY", type=InputFile())
@click.option("--site", "site", metavar="NAME", help="The pair, by its name in any case or its slug.")
@click.option(
    "--back",
    is_flag=True,
    help="Under No Preferred Host: reboot the slave as well, so that the master is active again.",
)
@click.option("--yes", "-y", is_flag=True, help="Do not ask before the reboot.")
@click.option(
    "--dry-run", is_flag=True, help="Check everything, then drill simulated units that hold the same; reboot nothing."
)
@click.option("--resume", is_flag=True, help="Go on with the drill that was stopped or interrupted.")
@window_options
@output_option
@format_option("drill")
@state_dir_option
@connection_options
@tells_refusals("geoplan/drill/1")
def command(  # noqa: PLR0913 - one for each option
    *,
    path: str,
    site: str | None,
    back: bool,
    yes: bool,
    dry_run: bool,
    resume: bool,
    window: WindowOptions,
    output: str | None,
    output_format: str | None,
    state_dir: str | None,
    reach: ConnectionOptions,
) -> int:
    """Fail one pair of live units over by a reboot, and prove that its site stays in GEO.

    It measures when the other unit is active, when each partner sees it green and it sees them, and when the rebooted
    unit is back. What it proves of the slave's links a later push knows.

    Under Prefer Master the master takes over again by itself. Under No Preferred Host the pair stays on the slave;
    --back makes the master active again, also after an earlier drill.
    """
    from datetime import UTC, datetime

    from geoplan.cli import push_freeze, push_session
    from geoplan.cli.approving import Named, review_of
    from geoplan.cli.drill_session import DrillSession
    from geoplan.cli.push_units import push_store
    from geoplan.cli.window import end_of
    from geoplan.plan.drill import make_drill
    from geoplan.push.drill_report import FORMAT
    from geoplan.push.options import Options
    from geoplan.topology.names import site_named
    from geoplan.topology.part import only_groups

    if site is None:
        raise click.UsageError("Missing option '--site': a drill is of one pair at a time.")
    chosen = chosen_format("drill", output_format, output)
    if dry_run and (resume or output or output_format not in (None, "text")):
        raise click.UsageError("--dry-run measures nothing on units: leave --resume, -o and --format out")
    if not dry_run:
        push_freeze.require_thawed(state_dir)
    topology, _ = load_part(path, Part())
    name = site_named(topology, site, place=path).name
    part = Part()
    if topology.groups is not None:
        group = next(each.name for each in topology.partner_groups() if any(one.name == name for one in each.sites))
        topology, part = only_groups(topology, (group,)), Part((group,))
    plan = make_drill(topology, name, back=back)
    store = push_store(topology, reach, state_dir)
    typed = TypedCommands(reach, path, None, state_dir, part)
    options = Options(
        max_clusters=topology.limits.max_clusters,
        origin=origin_of(click.get_current_context(), path),
        resume=resume,
        until=end_of(window, datetime.now(UTC)),
    )
    flags = PushFlags(path, None, state_dir, "text", yes=yes, dry_run=dry_run, lab=False, jobs=8, part=part)
    review = review_of(plan, options, typed, named=Named(), resume=resume)
    session = DrillSession(plan, typed, options, flags, review)
    session.shows_report = chosen != "text" and output in (None, "-") and not dry_run
    if dry_run:
        code = push_session.run(topology, store, session)
        return code if session.facts is None else _on_twin(topology, plan, store, session.facts) or code
    try:
        code = push_session.run(topology, store, session)
    finally:
        is_filed = _file(store, session, chosen, output)
    if not is_filed and chosen == "json" and output in (None, "-"):
        click.echo(ended(FORMAT, session.said_at_end, code))
    return code


def _on_twin(topology: Topology, plan: Plan, store: Store, facts: Observations) -> int:
    """Carry the drill out on simulated units that hold what the live ones told, and say how it went."""
    from geoplan.push.drill_report import seen_lines
    from geoplan.twin.drill import forecast_drill
    from geoplan.twin.snapshot import Snapshot

    forecast = forecast_drill(Snapshot(topology, plan, facts, store.past().ledger.known_links()), plan)
    lines = ["", "on simulated units that hold the same, with the times of the topology:"]
    lines += [f"  {line}" for line in seen_lines(forecast.report)] if forecast.report else []
    lines += [f"  {shown(problem)}" for problem in forecast.problems]
    lines += [f"  note: {shown(note)}" for note in forecast.notes]
    lines += [f"  {shown(forecast.verdict)}", "this proves nothing of the live units: drill them for that"]
    click.echo("\n".join(lines))
    return 0 if forecast.is_well else 1


def _file(store: Store, session: DrillSession, chosen: str, output: str | None) -> bool:
    """Write the report of what this run has begun or gone on with; return False where it has not come to a reboot."""
    from geoplan.push.drill_report import as_json, as_markdown, as_text, report_of

    history = store.past().latest if session.has_begun else None
    if history is None or history.drill is None:
        return False
    report = report_of(history, session.poll_seconds)
    if not report.failovers:
        return False
    write({"json": as_json, "markdown": as_markdown, "text": as_text}[chosen](report), output)
    if output not in (None, "-"):
        click.echo(f"{report.verdict}\nreport: {output}")
    note_report()
    return True
