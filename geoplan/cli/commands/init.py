"""``geoplan init``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from geoplan.cli.files import Before, write
from geoplan.cli.formats import require_yaml
from geoplan.cli.options import Command, output_option

if TYPE_CHECKING:
    from geoplan.topology.starter import StarterSite

EPILOG = """
Example: geoplan init --pair Dublin=10.1.0.5,10.1.1.5 --standalone Singapore=10.2.0.5 -o my.yaml
"""


def _pair(ctx: click.Context, param: click.Parameter, written: tuple[str, ...]) -> list[StarterSite]:
    return [_site(ctx, param, each, units=2) for each in written]


def _standalone(ctx: click.Context, param: click.Parameter, written: tuple[str, ...]) -> list[StarterSite]:
    return [_site(ctx, param, each, units=1) for each in written]


def _site(ctx: click.Context, param: click.Parameter, written: str, *, units: int) -> StarterSite:
    from geoplan.topology.starter import StarterSite

    name, _, listed = written.rpartition("=")
    addresses = tuple(part.strip() for part in listed.split(","))
    if not name.strip() or len(addresses) != units or not all(addresses):
        form = "NAME=MASTER,SLAVE" if units > 1 else "NAME=ADDRESS"
        raise click.BadParameter(f"'{written}' is not {form}.", ctx=ctx, param=param)
    return StarterSite(name.strip(), addresses)


def _groups(ctx: click.Context, param: click.Parameter, written: tuple[str, ...]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for each in written:
        name, _, listed = each.partition("=")
        members = [part.strip() for part in listed.split(",")]
        if not name.strip() or not all(members) or name.strip() in groups:
            raise click.BadParameter(f"'{each}' is not NAME=SITE,SITE… of a new group.", ctx=ctx, param=param)
        groups[name.strip()] = members
    return groups


@click.command("init", cls=Command, epilog=EPILOG)
@click.option("--name", help="The name of the GEO system.  [default: the name of FILE, or geo]")
@click.option("--pair", "pairs", multiple=True, metavar="NAME=MASTER,SLAVE", callback=_pair, help="An HA pair.")
@click.option(
    "--standalone", "standalones", multiple=True, metavar="NAME=ADDRESS", callback=_standalone, help="A standalone."
)
@click.option(
    "--group", "groups", multiple=True, metavar="NAME=SITE,SITE…", callback=_groups, help="Sites that are partners."
)
@output_option
def command(
    *,
    name: str | None,
    pairs: list[StarterSite],
    standalones: list[StarterSite],
    groups: dict[str, list[str]],
    output: str | None,
) -> int:
    """Write a first topology file, with comments, from a few answers or options. No unit is asked.

    Without --pair and --standalone it asks for the sites, on a terminal. A file that exists is never replaced.
    """
    from geoplan.topology.starter import starter_file

    require_yaml(output)
    before = Before.of(output)
    if output not in (None, "-") and os.path.lexists(str(output)):
        raise click.BadParameter(f"{output} exists. Choose another FILE.", param_hint="'-o'")
    sites = [*pairs, *standalones] or _asked()
    default = Path(output).stem if output and output != "-" else "geo"
    text = starter_file(name or default, sites, groups)
    _check(text, output)
    write(text, output, before=before)
    return 0


def _check(text: str, output: str | None) -> None:
    """Check what is about to be written; raises :class:`InvalidInputError` with what was typed wrongly."""
    from geoplan.diagnostics import as_text
    from geoplan.errors import InvalidInputError
    from geoplan.topology.loader import check_text

    checked = check_text(text.encode(), path=output or "the new file", default_name="geo")
    if checked.topology is None:
        raise InvalidInputError("these sites make no usable topology", checked.diagnostics)
    if checked.diagnostics:
        click.echo(as_text(checked.diagnostics), err=True)


def _asked() -> list[StarterSite]:
    """Ask for the sites. Raises :class:`click.UsageError` where nobody can be asked."""
    from geoplan.topology.starter import StarterSite

    if not sys.stdin.isatty():
        raise click.UsageError("Cannot ask for the sites: stdin is not a terminal. Use --pair and --standalone.")
    sites: list[StarterSite] = []
    while True:
        end = " (Enter: no more sites)" if sites else ""
        name = click.prompt(f"Name of site {len(sites) + 1}{end}", default="", show_default=False, err=True).strip()
        if not name and sites:
            return sites
        if name:
            sites.append(StarterSite(name, _asked_addresses(name)))


def _asked_addresses(name: str) -> tuple[str, ...]:
    from geoplan.addresses import is_address

    while True:
        text = click.prompt(f"Address of {name}; for an HA pair MASTER,SLAVE", err=True)
        addresses = tuple(part.strip() for part in text.split(","))
        if len(addresses) in (1, 2) and all(map(is_address, addresses)):
            return addresses
        click.echo("one IPv4 or IPv6 address, or two with a comma between them", err=True)
