"""``geoplan runbook``."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from geoplan.cli.files import load_plan, output_option, terminal, topology_argument, write

if TYPE_CHECKING:
    from geoplan.plan.model import Plan

FORMAT_OF_ENDING = {".html": "html", ".htm": "html", ".md": "markdown", ".markdown": "markdown"}


@click.command("runbook")
@topology_argument
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["markdown", "html"]),
    help="Default: what FILE's ending says, else markdown.",
)
@output_option
@click.option("--no-pager", is_flag=True, help="Write straight to the terminal.")
def command(path: str, output_format: str | None, output: str | None, *, no_pager: bool) -> None:
    """Write what a person follows in the maintenance window.

    Markdown renders on GitHub; html is one page that works offline, keeps its ticks and prints well. On a terminal
    the Markdown is shown page by page.
    """
    plan = load_plan(path)
    gc.freeze()  # what is loaded by now stays until the end: no collection has to look through it again
    chosen = output_format or _format_of(output)
    if chosen == "markdown" and output is None and sys.stdout.isatty():
        _show(plan, pager=not no_pager)
    else:
        write(import_module(f"geoplan.render.{chosen}").render(plan), output)


def _format_of(output: str | None) -> str:
    """Return the format that a file's name asks for."""
    return FORMAT_OF_ENDING.get(Path(output).suffix.lower(), "markdown") if output else "markdown"


def _show(plan: Plan, *, pager: bool) -> None:
    from geoplan.render.terminal import render

    width, color = terminal()
    text = render(plan, width=width, color=color)
    if pager:
        click.echo_via_pager(text, color=color)
    else:
        click.echo(text, nl=False, color=color)
