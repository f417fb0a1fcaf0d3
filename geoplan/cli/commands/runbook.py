"""``geoplan runbook``."""

from __future__ import annotations

import click

from geoplan.cli.files import load_topology, planned
from geoplan.cli.formats import chosen_format, format_option
from geoplan.cli.options import (
    ChangeOptions,
    Command,
    change_options,
    no_pager_option,
    output_option,
    phase_option,
    topology_argument,
)
from geoplan.cli.output import write_runbook


@click.command("runbook", cls=Command)
@topology_argument
@format_option("runbook")
@phase_option
@change_options
@output_option
@no_pager_option
def command(  # noqa: PLR0913 - one for each option
    *,
    path: str,
    output_format: str | None,
    phase: str | None,
    change: ChangeOptions,
    output: str | None,
    no_pager: bool,
) -> None:
    """Write the runbook for the maintenance window.

    Markdown renders on GitHub. HTML is one page that works offline, remembers the ticks and prints well. On a terminal
    the Markdown is shown page by page. With --from OLD it is the runbook of what leads from there to here.
    """
    chosen = chosen_format("runbook", output_format, output)
    change.require_usable(phase)
    topology = load_topology(path)
    write_runbook(planned(topology, phase, change), topology, chosen, output, pager=not no_pager)
