"""``geoplan runbook``."""

from __future__ import annotations

import click

from geoplan.cli.files import load_plan, output_option, phase_option, topology_argument
from geoplan.cli.options import Command
from geoplan.cli.output import FORMAT_OF_ENDING, format_of, no_pager_option, write_runbook


@click.command("runbook", cls=Command)
@topology_argument
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["markdown", "html"]),
    help="Default: what FILE's ending says, else markdown.",
)
@phase_option
@output_option
@no_pager_option
def command(path: str, output_format: str | None, phase: str | None, output: str | None, *, no_pager: bool) -> None:
    """Write what a person follows in the maintenance window.

    Markdown renders on GitHub; html is one page that works offline, keeps its ticks and prints well. On a terminal
    the Markdown is shown page by page.
    """
    chosen = output_format or format_of(output, FORMAT_OF_ENDING, "markdown")
    write_runbook(load_plan(path, phase), chosen, output, pager=not no_pager)
