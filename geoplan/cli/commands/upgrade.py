"""``geoplan upgrade``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from geoplan.cli.connection import ConnectionOptions, connection_options
from geoplan.cli.files import load_topology, output_option, topology_argument
from geoplan.cli.options import Command
from geoplan.cli.output import FORMAT_OF_ENDING, format_of, no_pager_option, write_runbook

if TYPE_CHECKING:
    from geoplan.topology.model import Site, Topology

FORMATS = {**FORMAT_OF_ENDING, ".json": "json"}

EPILOG = """\b
  geoplan upgrade my.yaml --to 7.2.59.4
  geoplan upgrade my.yaml --to 7.2.59.4 --site dublin --site ohio -o tonight.html
  geoplan upgrade my.yaml --to 7.2.59.4 --live --endpoints pins.yaml

Exit codes: 0 the runbook, or nothing to do; 2 refused, with the reason.
"""


@click.command("upgrade", cls=Command, epilog=EPILOG)
@topology_argument
@click.option("--to", metavar="VERSION", required=True, help="The firmware to go to, such as 7.2.59.4.")
@click.option(
    "--site", "site_names", metavar="NAME", multiple=True, help="Only this site (repeatable), by its name or its slug."
)
@click.option("--live", is_flag=True, help="Ask the units what they run, instead of believing the file.")
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["markdown", "html", "json"]),
    help="Default: what FILE's ending says, else markdown; json is the plan, for programs.",
)
@output_option
@no_pager_option
@connection_options
def command(  # noqa: PLR0913 - one for each option
    *,
    path: str,
    to: str,
    site_names: tuple[str, ...],
    live: bool,
    output_format: str | None,
    output: str | None,
    no_pager: bool,
    reach: ConnectionOptions,
) -> int:
    """Write the runbook for new firmware, up or down: of each pair the standby first, standalones last (section 7).

    What each unit runs now stands beside its address in the file, as firmware: 7.2.48.4, or the units say it with
    --live. Refused is what would make a unit inaccessible, go up and down at once, or leave a pair on two versions.
    """
    chosen = output_format or format_of(output, FORMATS, "markdown")
    if reach != ConnectionOptions() and not live:
        raise click.UsageError("how units are reached matters only with --live")
    from geoplan.plan.firmware_change import require_version
    from geoplan.plan.upgrade import make_upgrade, written_firmware
    from geoplan.topology.names import site_named

    require_version(to)
    topology = load_topology(path)
    sites = tuple(site_named(topology, name) for name in site_names) or topology.sites
    running = written_firmware(topology)
    if live:
        running |= _ask(topology, sites, reach)
    plan = make_upgrade(topology, to, running, {site.name for site in sites})
    if not plan.steps:
        units = sum(len(site.units) for site in topology.sites if site in sites)
        said = f"all {units} units run" if units > 1 else "the unit runs"
        click.echo(f"nothing to do: {said} {to} already", err=chosen == "json")
    if plan.steps or chosen == "json":
        write_runbook(plan, chosen, output, pager=not no_pager)
    return 0


def _ask(topology: Topology, sites: tuple[Site, ...], reach: ConnectionOptions) -> dict[str, str]:
    """Ask the units of sites what they run, and say where the file has it otherwise."""
    import asyncio

    from geoplan.live.firmware import differences, firmware_of
    from geoplan.live.polling import SystemClock
    from geoplan.push.api import connected

    accesses = reach.accesses(topology.model_copy(update={"sites": sites, "groups": None}))

    async def ask() -> dict[str, str]:
        async with connected(accesses, SystemClock()) as units:
            return await firmware_of(units)

    found = asyncio.run(ask())
    for difference in differences(topology, found):
        click.echo(f"geoplan: warning: {difference}", err=True)
    return found
