"""``geoplan diagram``."""

from __future__ import annotations

from importlib import import_module

import click

from geoplan.cli.files import load_plan, write
from geoplan.cli.formats import chosen_format, format_option
from geoplan.cli.options import Command, Part, group_option, output_option, topology_argument


@click.command("diagram", cls=Command)
@topology_argument
@group_option
@format_option("diagram")
@output_option
def command(path: str, part: Part, output_format: str | None, output: str | None) -> None:
    """Draw a topology: its groups, sites and units, and who is whose partner."""
    chosen = chosen_format("diagram", output_format, output)
    write(import_module(f"geoplan.render.diagram.{chosen}").render(load_plan(path, "geo", part)), output)
