"""``geoplan follow``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from geoplan.cli.connection import TypedCommands, connection_options
from geoplan.cli.files import load_part, planned, planned_change
from geoplan.cli.formats import format_option
from geoplan.cli.options import (
    ChangeOptions,
    Command,
    FiniteSeconds,
    Part,
    change_options,
    group_option,
    jobs_option,
    phase_option,
    topology_argument,
)
from geoplan.cli.refusals import tells_refusals

if TYPE_CHECKING:
    from geoplan.cli.connection import ConnectionOptions

EVERY_SECONDS = 5.0
MIN_SECONDS, MAX_SECONDS = 0.1, 3600.0
MAX_PORT = 65535

EPILOG = """
A line is told for each step that is seen done, WRONG, UNDONE or OUT OF ORDER. NOW opens the window after a reboot in
which the submission has to reach the slave, HURRY says that it is about to close, and TOO LATE that it is closed: then
the master has to be rebooted again.

A submission changes no list. On a slave it is seen by the partners that turn green, unless they were changed at that
time themselves; on another unit by the time of its last change, if it tells that and all else stayed as it was. TICK IT
asks for a step that nothing would show, or that may have been done before the watch began: type its number and Enter,
or tick it on the page. Nothing is ever ticked by guess, and what units show otherwise is not ticked by hand.

JSON is one object a line: format geoplan/follow/1, at, event (done, wrong, undone, out_of_order, asks, window_open,
window_closing, too_late), step, number, message, by_hand. Where it is refused: event ended, message, exit_code,
problems.

Exit codes: 0 all steps are done; 1 it was ended with steps left; 141 nobody reads its output, and it serves no page.
"""


@click.command("follow", cls=Command, epilog=EPILOG)
@topology_argument
@group_option
@phase_option
@change_options
@click.option(
    "--interval",
    "seconds",
    type=FiniteSeconds(MIN_SECONDS, MAX_SECONDS),
    default=EVERY_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="Between two looks; around a reboot it looks more often.",
)
@click.option("--serve", is_flag=True, help="Serve the runbook on 127.0.0.1, with steps that tick themselves.")
@click.option(
    "--listen", "port", type=click.IntRange(1, MAX_PORT), metavar="PORT", help="Serve it at this port of 127.0.0.1."
)
@format_option("follow")
@jobs_option
@connection_options
@tells_refusals("geoplan/follow/1")
def command(  # noqa: PLR0913 - one for each option
    *,
    path: str,
    part: Part,
    phase: str | None,
    change: ChangeOptions,
    seconds: float,
    serve: bool,
    port: int | None,
    output_format: str,
    jobs: int,
    reach: ConnectionOptions,
) -> int:
    """Watch people work by hand from the runbook, and tick off what they do. Exit 0 once all is done.

    It asks the units by health check and over the API, only reads, and writes nothing to any unit. Ctrl-C ends it with
    what is done and what is left.
    """
    from geoplan.cli import changing
    from geoplan.cli.following import follow_units
    from geoplan.cli.push_units import accesses_of

    change.require_usable(phase)
    topology, part = load_part(path, part)
    old = changing.start_of(topology, TypedCommands(reach, path, phase, None, part, change=change), "follow")
    plan = planned(topology, phase) if old is None else planned_change(topology, old, change)
    page = None
    if serve or port is not None:
        from geoplan.render.runbook.html import render
        from geoplan.topology.api import apis_of, usual_apis

        units = (unit.address for site in plan.sites for unit in site.units)
        old_apis = apis_of(old.topology) if old and old.topology else {}
        page = render(plan, usual_apis(units) | old_apis | apis_of(topology), is_followed=True)
    return follow_units(
        plan,
        accesses_of(topology, plan, reach, old),
        is_lab=reach.lab_file() is not None,
        seconds=seconds,
        jobs=jobs,
        as_json=output_format == "json",
        page=page,
        port=port or 0,
    )
