"""``geoplan runbook``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from geoplan.cli.changing import start_of
from geoplan.cli.connection import ConnectionOptions, TypedCommands, connection_options, require_live
from geoplan.cli.files import load_part, planned, planned_change
from geoplan.cli.folders import is_folder
from geoplan.cli.formats import chosen_format, format_option
from geoplan.cli.options import (
    ChangeOptions,
    Command,
    Part,
    change_options,
    group_option,
    no_pager_option,
    output_or_folder_option,
    phase_option,
    topology_argument,
)
from geoplan.cli.output import write_runbook
from geoplan.cli.runbook_folder import write_folder

if TYPE_CHECKING:
    from geoplan.cli.files import OldState
    from geoplan.topology.model import Topology

LOOKS_A_BOOT = 40
"""Of a push for a picture: each of 3 seconds or less shows in it, and 18 sites take seconds."""


@click.command("runbook", cls=Command)
@topology_argument
@group_option
@format_option("runbook")
@phase_option
@change_options
@output_or_folder_option
@click.option(
    "--timeline", is_flag=True, help="Rehearse the push on simulated units, and show it over time. HTML only."
)
@no_pager_option
@connection_options
def command(  # noqa: PLR0913 - one for each option
    *,
    path: str,
    part: Part,
    output_format: str | None,
    phase: str | None,
    change: ChangeOptions,
    output: str | None,
    timeline: bool,
    no_pager: bool,
    reach: ConnectionOptions,
) -> None:
    """Write the runbook for the maintenance window.

    Markdown renders on GitHub. HTML is one page that works offline, remembers the ticks and prints well. On a terminal
    the Markdown is shown page by page. With --from OLD it is the runbook of what leads from there to here; with
    --from live units are asked, and it starts from what they hold. With --timeline the page has a picture of which
    unit is down when, and when links turn green. With -o FOLDER/ each group has a file of its own, as of --group, and
    an index leads to them.
    """
    in_folder = is_folder(output)
    chosen = chosen_format("runbook", output_format, None if in_folder else output)
    if in_folder and (timeline or change.old):
        raise click.UsageError("a folder takes the runbook of each group as it begins: leave --from and --timeline out")
    if timeline and chosen != "html":
        raise click.UsageError("--timeline is a picture in HTML: let FILE end in .html, or give --format html")
    change.require_usable(phase)
    require_live(reach, change)
    topology, part = load_part(path, part)
    if in_folder and output:
        write_folder(topology, phase, chosen, output)
        return
    old = start_of(topology, TypedCommands(reach, path, part=part, change=change), "runbook")
    plan = planned(topology, phase) if old is None else planned_change(topology, old, change)
    picture = _timeline(topology, phase, change, old) if timeline else ""
    write_runbook(
        plan, topology, chosen, output, pager=not no_pager, old=old.topology if old else None, timeline=picture
    )


def _timeline(topology: Topology, phase: str | None, change: ChangeOptions, old: OldState | None) -> str:
    """Return the push over time as a picture."""
    from geoplan.cli.rehearsing import plays_of
    from geoplan.push.options import Options
    from geoplan.twin.cases import play_planned
    from geoplan.twin.rehearsal_report import timeline_svg

    plays = plays_of(topology, phase, change, old, lambda _plan: Options())
    return timeline_svg(plays.plan.topology, play_planned(plays, looks_a_boot=LOOKS_A_BOOT).timeline)
