"""``geoplan runbook``."""

from __future__ import annotations

import click

from geoplan.cli.changing import start_of
from geoplan.cli.connection import ConnectionOptions, TypedCommands, connection_options, require_live
from geoplan.cli.files import load_part, planned, planned_change
from geoplan.cli.formats import chosen_format, format_option
from geoplan.cli.options import (
    ChangeOptions,
    Command,
    Part,
    change_options,
    group_option,
    no_pager_option,
    output_option,
    phase_option,
    topology_argument,
)
from geoplan.cli.output import write_runbook


@click.command("runbook", cls=Command)
@topology_argument
@group_option
@format_option("runbook")
@phase_option
@change_options
@output_option
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
    no_pager: bool,
    reach: ConnectionOptions,
) -> None:
    """Write the runbook for the maintenance window.

    Markdown renders on GitHub. HTML is one page that works offline, remembers the ticks and prints well. On a terminal
    the Markdown is shown page by page. With --from OLD it is the runbook of what leads from there to here; with
    --from live units are asked, and it starts from what they hold.
    """
    chosen = chosen_format("runbook", output_format, output)
    change.require_usable(phase)
    require_live(reach, change)
    topology, part = load_part(path, part)
    old = start_of(topology, TypedCommands(reach, path, part=part, change=change), "runbook")
    plan = planned(topology, phase) if old is None else planned_change(topology, old, change)
    write_runbook(plan, topology, chosen, output, pager=not no_pager, old=old.topology if old else None)
