"""``geoplan diagram``."""

from __future__ import annotations

from importlib import import_module

import click

from geoplan.cli.changing import start_of
from geoplan.cli.connection import ConnectionOptions, TypedCommands, connection_options, require_live
from geoplan.cli.files import load_part, planned, planned_change, write
from geoplan.cli.formats import chosen_format, format_option
from geoplan.cli.options import (
    ChangeOptions,
    Command,
    Part,
    change_options,
    group_option,
    output_option,
    topology_argument,
)


@click.command("diagram", cls=Command)
@topology_argument
@group_option
@format_option("diagram")
@change_options
@output_option
@connection_options
def command(  # noqa: PLR0913 - one for each option
    *,
    path: str,
    part: Part,
    output_format: str | None,
    change: ChangeOptions,
    output: str | None,
    reach: ConnectionOptions,
) -> None:
    """Draw a topology: its groups, sites and units, and who is whose partner.

    With --from OLD the sites that leave are drawn too, dashed, and those that join or move are marked. With --from live
    units are asked, and it starts from what they hold.
    """
    chosen = chosen_format("diagram", output_format, output)
    change.require_usable("geo")
    require_live(reach, change)
    topology, part = load_part(path, part)
    old = start_of(topology, TypedCommands(reach, path, part=part, change=change), "diagram")
    plan = planned(topology, "geo") if old is None else planned_change(topology, old, change)
    write(import_module(f"geoplan.render.diagram.{chosen}").render(plan), output)
