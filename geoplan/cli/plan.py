"""``geoplan plan``."""

from __future__ import annotations

from importlib import import_module

import click

from geoplan.cli.files import load_plan, output_option, terminal, topology_argument, write


@click.command("plan")
@topology_argument
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "lists", "json", "yaml"]),
    default="text",
    show_default=True,
    help="text for people, lists as the document's example prints them, json and yaml for programs.",
)
@output_option
def command(path: str, output_format: str, output: str | None) -> None:
    """Show what a topology needs: each site's two lists, the clusters, and the steps in order."""
    plan = load_plan(path)
    if output_format == "text":
        from geoplan.render import text

        width, color = terminal() if output is None else (text.DEFAULT_WIDTH, False)
        write(text.render(plan, width=width, color=color), output)
    else:
        write(import_module(f"geoplan.render.{output_format}").render(plan), output)
