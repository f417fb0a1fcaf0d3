"""``geoplan plan``."""

from __future__ import annotations

from importlib import import_module

import click

from geoplan.cli.endings import format_of
from geoplan.cli.files import load_plan, output_option, phase_option, terminal, topology_argument, write

FORMATS = ["text", "lists", "json", "yaml"]
ENDINGS = {".txt": "text", ".json": "json", ".yaml": "yaml", ".yml": "yaml"}


@click.command("plan")
@topology_argument
@click.option(
    "--format",
    "output_format",
    type=click.Choice(FORMATS),
    help="text for people (the default), lists as the document's example prints them, json and yaml for programs.",
)
@phase_option
@output_option
def command(path: str, output_format: str | None, phase: str | None, output: str | None) -> None:
    """Show what a topology needs: each site's two lists, the clusters, and the steps in order.

    Without --format, the ending of FILE picks the format: .txt, .json, .yaml or .yml.
    """
    form = output_format or format_of(output, ENDINGS, default="text")
    plan = load_plan(path, phase)
    if form == "text":
        from geoplan.render import text

        width, color = terminal() if output is None else (text.DEFAULT_WIDTH, False)
        write(text.render(plan, width=width, color=color), output)
    else:
        write(import_module(f"geoplan.render.{form}").render(plan), output)
