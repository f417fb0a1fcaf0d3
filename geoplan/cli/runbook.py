"""``geoplan runbook``."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import click

from geoplan.cli.endings import format_of
from geoplan.cli.files import load_plan, output_option, phase_option, terminal, topology_argument, write

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
@phase_option
@output_option
@click.option("--no-pager", is_flag=True, help="Write straight to the terminal.")
def command(path: str, output_format: str | None, phase: str | None, output: str | None, *, no_pager: bool) -> None:
    """Write what a person follows in the maintenance window.

    Markdown renders on GitHub; html is one page that works offline, keeps its ticks and prints well. On a terminal
    the Markdown is shown page by page.
    """
    chosen = output_format or format_of(output, FORMAT_OF_ENDING, "markdown")
    plan = load_plan(path, phase)
    gc.freeze()  # what is loaded by now stays until the end: no collection has to look through it again
    if chosen == "markdown" and output is None and sys.stdout.isatty():
        _show(plan, pager=not no_pager)
    else:
        write(import_module(f"geoplan.render.{chosen}").render(plan), output)


def _show(plan: Plan, *, pager: bool) -> None:
    from geoplan.render.terminal import render

    width, color = terminal()
    text = render(plan, width=width, color=color)
    if pager:
        click.echo_via_pager(text, color=color)
    else:
        click.echo(text, nl=False, color=color)
