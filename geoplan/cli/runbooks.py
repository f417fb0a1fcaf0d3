"""How runbooks are shown: in a file, in a pipe, or page by page on a terminal."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import click

from geoplan.cli.files import terminal, write

if TYPE_CHECKING:
    from geoplan.plan.model import Plan

FORMAT_OF_ENDING = {".html": "html", ".htm": "html", ".md": "markdown", ".markdown": "markdown"}

no_pager_option = click.option("--no-pager", is_flag=True, help="Write straight to the terminal.")


def write_runbook(plan: Plan, output_format: str, output: str | None, *, pager: bool) -> None:
    """Write a plan in the format of a module of ``render``; Markdown for a terminal is laid out for it."""
    gc.freeze()  # what is loaded by now stays until the end: no collection has to look through it again
    if output_format == "markdown" and output is None and sys.stdout.isatty():
        _show(plan, pager=pager)
    else:
        write(import_module(f"geoplan.render.{output_format}").render(plan), output)


def _show(plan: Plan, *, pager: bool) -> None:
    from geoplan.render.terminal import render

    width, color = terminal()
    text = render(plan, width=width, color=color)
    if pager:
        click.echo_via_pager(text, color=color)
    else:
        click.echo(text, nl=False, color=color)
