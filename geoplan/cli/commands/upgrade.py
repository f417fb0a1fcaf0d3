"""``geoplan upgrade``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from geoplan.cli.connection import ConnectionOptions, connection_options, paces
from geoplan.cli.files import load_topology
from geoplan.cli.formats import chosen_format, format_option
from geoplan.cli.options import Command, no_pager_option, output_option, site_option, topology_argument
from geoplan.cli.output import write_runbook
from geoplan.files import display_name

if TYPE_CHECKING:
    from collections.abc import Collection

    from geoplan.topology.model import Topology

EPILOG = """\b
  geoplan upgrade my.yaml --to 7.2.59.4
  geoplan upgrade my.yaml --to 7.2.59.4 --site dublin --site ohio -o tonight.html
  geoplan upgrade my.yaml --to 7.2.59.4 --live --endpoints pins.yaml

Exit codes: 0 the runbook, or nothing to do; 2 refused, with the reason.
"""


@click.command("upgrade", cls=Command, epilog=EPILOG)
@topology_argument
@click.option("--to", metavar="VERSION", required=True, help="The new firmware, such as 7.2.59.4.")
@site_option("Only this site")
@click.option("--live", is_flag=True, help="Ask the units which firmware they run, instead of reading it in the file.")
@format_option("upgrade")
@output_option
@no_pager_option
@connection_options
def command(  # noqa: PLR0913 - one for each option
    *,
    path: str,
    to: str,
    sites: tuple[str, ...],
    live: bool,
    output_format: str | None,
    output: str | None,
    no_pager: bool,
    reach: ConnectionOptions,
) -> int:
    """Write the runbook for a firmware change, up or down (section 7).

    Of each pair the standby comes first; standalones come last.

    The present firmware is read from the file, beside a unit's address (firmware: 7.2.48.4), or with --live from the
    units. A change is refused if it would make a unit inaccessible, mixes upgrades with downgrades, or leaves a pair on
    two versions.
    """
    chosen = chosen_format("upgrade", output_format, output)
    if reach != ConnectionOptions() and not live:
        raise click.UsageError("connection options matter only with --live")
    from geoplan.plan.firmware_change import require_version
    from geoplan.plan.upgrade import make_upgrade, written_firmware
    from geoplan.topology.part import groups_of_sites

    require_version(to)
    topology = load_topology(path)
    chosen_sites = {*groups_of_sites(topology, sites, place=display_name(path))} or {
        site.name for site in topology.sites
    }
    running = written_firmware(topology)
    if live:
        running |= _ask(topology, chosen_sites, reach)
    plan = make_upgrade(topology, to, running, chosen_sites)
    if not plan.steps:
        units = sum(len(site.units) for site in topology.sites if site.name in chosen_sites)
        said = f"all {units} units run" if units > 1 else "the unit runs"
        click.echo(f"nothing to do: {said} {to} already", err=chosen == "json")
    if plan.steps or chosen == "json":
        write_runbook(plan, topology, chosen, output, pager=not no_pager)
    return 0


def _ask(topology: Topology, sites: Collection[str], reach: ConnectionOptions) -> dict[str, str]:
    """Ask the units of sites what they run, and say where the file has it otherwise."""
    import asyncio

    from geoplan.live.firmware import differences, firmware_of
    from geoplan.live.polling import SystemClock
    from geoplan.loadmaster.clients import connected

    accesses = reach.accesses(topology, sites)

    async def ask() -> dict[str, str]:
        async with connected(accesses, SystemClock(), paces=paces()) as units:
            return await firmware_of(units)

    found = asyncio.run(ask())
    for difference in differences(topology, found):
        click.echo(f"geoplan: warning: {difference}", err=True)
    return found
