"""``geoplan diagram``."""

from __future__ import annotations

from importlib import import_module

import click

from geoplan.cli.files import load_topology, planned, write
from geoplan.cli.formats import chosen_format, format_option
from geoplan.cli.options import ChangeOptions, Command, change_options, output_option, topology_argument


@click.command("diagram", cls=Command)
@topology_argument
@format_option("diagram")
@change_options
@output_option
def command(path: str, output_format: str | None, change: ChangeOptions, output: str | None) -> None:
    """Draw a topology: its groups, sites and units, and who is whose partner.

    With --from OLD the sites that leave are drawn too, dashed, and those that join or move are marked.
    """
    chosen = chosen_format("diagram", output_format, output)
    write(import_module(f"geoplan.render.diagram.{chosen}").render(planned(load_topology(path), "geo", change)), output)
