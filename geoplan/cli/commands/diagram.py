"""``geoplan diagram``."""

from __future__ import annotations

from importlib import import_module

import click

from geoplan.cli.files import load_plan, output_option, topology_argument, write
from geoplan.cli.options import Command
from geoplan.cli.output import format_of

FORMATS_BY_ENDING = {".svg": "svg", ".mmd": "mermaid", ".mermaid": "mermaid", ".dot": "dot", ".gv": "dot"}


@click.command("diagram", cls=Command)
@topology_argument
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["svg", "mermaid", "dot"]),
    help="svg to look at, mermaid for Markdown, dot for Graphviz.  [default: by FILE's ending, else svg]",
)
@output_option
def command(path: str, output_format: str | None, output: str | None) -> None:
    """Draw a topology: its groups, sites and units, and who is whose partner.

    FILE's ending picks the format where --format does not: .svg, .mmd or .mermaid, .dot or .gv. Any other is refused.
    """
    chosen = output_format or format_of(output, FORMATS_BY_ENDING, "svg")
    write(import_module(f"geoplan.render.diagram.{chosen}").render(load_plan(path, "geo")), output)
