"""``geoplan import``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from geoplan.cli.connection import TypedCommands, as_argument, connection_options
from geoplan.cli.files import Before, write
from geoplan.cli.formats import chosen_format, format_option
from geoplan.cli.options import (
    Command,
    InputFile,
    addresses_argument,
    api_port_option,
    health_check_port_option,
    jobs_option,
    output_option,
    within_option,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Network, IPv6Network

    from geoplan.cli.connection import ConnectionOptions
    from geoplan.cli.importing import Mine
    from geoplan.live.discover.judge import Imported
    from geoplan.live.discover.search import Discovery
    from geoplan.live.links import KnownLinks
    from geoplan.topology.model import Topology

HEAD = (
    "Written by geoplan import from live units. What could not be read, or does not fit, is a comment at its place.",
)
CHECK_REACH = "see that its API can be reached from here, and check its credentials"
EPILOG = """
Credentials go only to addresses that you give or confirm. What units name is listed, and nothing is sent there. With
--follow addresses in the networks of --within are asked, too; on a terminal you are asked; with --insecure, never.

Example: geoplan import 10.1.0.5 --follow --within 10.0.0.0/8 -o my.yaml

Exit codes: 0 all is in order; 1 something is odd or differs, or addresses were not asked.
"""


@click.command("import", cls=Command, epilog=EPILOG)
@addresses_argument
@click.option("--follow", is_flag=True, help="Ask units that these name, too, if they are in the networks of --within.")
@within_option
@api_port_option
@health_check_port_option
@click.option(
    "--merge",
    "mine",
    metavar="FILE",
    type=InputFile(may_be_replaced=True),
    help="Put what is new into this topology, and keep its names, order and comments.",
)
@format_option("import")
@output_option
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
@jobs_option
@connection_options
def command(  # noqa: PLR0913 - one for each option
    *,
    addresses: tuple[str, ...],
    follow: bool,
    within: tuple[IPv4Network | IPv6Network, ...],
    api_port: int | None,
    health_check_port: int | None,
    mine: str | None,
    output_format: str | None,
    output: str | None,
    force: bool,
    jobs: int,
    reach: ConnectionOptions,
) -> int:
    """Read live units, and write the topology that they are. It only reads.

    From the given addresses it finds pairs by their HA parameters and groups by their partner lists. What the file
    says is what should be: where one list lacks an address that all else asks for, that is named at its line.
    """
    import asyncio

    from geoplan.cli.importing import Search, as_json, lines_of, mine_of, said_of, said_of_unconfirmed
    from geoplan.live.discover.search import discover
    from geoplan.vendor import API_PORT, DEFAULT_HEALTH_CHECK_PORT

    chosen = chosen_format("import", output_format, output)
    _check_usage(addresses, follow=follow, within=bool(within), insecure=reach.insecure)
    _check_output(output, chosen, is_merge=mine is not None, force=force)
    before = Before.of(output)
    merge = mine_of(mine) if mine is not None else None
    search = Search(
        reach,
        api_port or API_PORT,
        health_check_port or DEFAULT_HEALTH_CHECK_PORT,
        follow=follow,
        within=within,
        known=merge.addresses if merge else frozenset(),
    )
    found = asyncio.run(discover(search.clients, addresses, search.allowed, jobs=jobs))
    if all(unit.failure for unit in found.units.values()):
        return _say_failures(found)
    imported, text = _judged(found, search.ports(), reach, output, merge)
    if merge:
        write(merge.mark + text, output, is_complete=True, before=merge.before(output, before))
    else:
        write(as_json(imported) if chosen == "json" else text, output, before=before)
    again = ["--merge", as_argument(merge.path)] if merge else []
    again += _again(follow, within, api_port, health_check_port, output)
    path = str(output) if output not in (None, "-") else "stdout"
    for line in (
        *(merge.difference(text) if merge else ()),
        *said_of(imported.to_mend, lines_of(text, imported.findings) if chosen != "json" else {}, path),
        *said_of_unconfirmed(imported, search, addresses, *again),
    ):
        click.echo(line, err=True)
    return 1 if imported.to_mend or imported.unconfirmed else 0


def _check_output(output: str | None, chosen: str, *, is_merge: bool, force: bool) -> None:
    if output not in (None, "-") and os.path.lexists(str(output)) and not force:
        raise click.BadParameter(f"{output} exists. Choose another FILE, or give --force.", param_hint="'-o'")
    if chosen == "json" and is_merge:
        raise click.UsageError("--merge keeps the comments of a file, and JSON has none: leave --format json out")


def _check_usage(addresses: Sequence[str], *, follow: bool, within: bool, insecure: bool) -> None:
    from geoplan.topology.types import is_unit_address

    if follow and insecure:
        raise click.UsageError("--follow sends credentials to units that others name: leave --insecure out")
    if follow != within:
        raise click.UsageError("--follow and --within belong together: name the networks of yours, each with --within")
    for address in addresses:
        if not is_unit_address(address):
            raise click.BadParameter(f"{address} is an address that no unit can have.", param_hint="'ADDRESS...'")


def _judged(
    found: Discovery,
    ports: dict[str, int],
    reach: ConnectionOptions,
    output: str | None,
    merge: Mine | None,
) -> tuple[Imported, str]:
    """Return what was found, compared with itself, and the text of the file: a new one, or one with what is new."""
    from geoplan.cli.importing import comments_of
    from geoplan.cli.push_units import known_past
    from geoplan.live.discover.document import draft_of
    from geoplan.live.discover.judge import judged
    from geoplan.live.discover.merge import merged
    from geoplan.live.findings.kinds import generic_command
    from geoplan.topology.loader import usable_name
    from geoplan.topology.writer import topology_text

    def known(topology: Topology) -> KnownLinks:
        return known_past(topology, reach).ledger.known_links()

    is_file = output not in (None, "-")
    typed = TypedCommands(reach, str(output), "geo") if is_file else generic_command
    draft = draft_of(found, ports, name=usable_name(Path(str(output)).stem) if is_file else "geo")
    if merge:
        both = merged(merge.text, merge.topology, draft, found)
        return judged(found, both.draft, typed, known), both.text
    imported = judged(found, draft, typed, known)
    comments = comments_of(imported)
    comments[()] = [*HEAD, *comments.get((), [])]
    return imported, topology_text(imported.content, comments)


def _say_failures(found: Discovery) -> int:
    """Say why no unit could be read: then there is nothing to write."""
    for unit in found.units.values():
        if unit.failure:
            click.echo(f"{unit.address}: {unit.failure.message}", err=True)
            click.echo(f"  hint: {unit.failure.hint or CHECK_REACH}", err=True)
    click.echo("no unit could be read, so nothing was written", err=True)
    return 1


def _again(
    follow: bool,  # noqa: FBT001 - as they were given
    within: tuple[IPv4Network | IPv6Network, ...],
    api_port: int | None,
    health_check_port: int | None,
    output: str | None,
) -> list[str]:
    """Return the options of this import as words of a command."""
    words = ["--follow"] if follow else []
    words += [word for network in within for word in ("--within", str(network))]
    words += ["--api-port", str(api_port)] if api_port else []
    words += ["--health-check-port", str(health_check_port)] if health_check_port else []
    return words + (["--force", "-o", output] if output not in (None, "-") and output else [])
