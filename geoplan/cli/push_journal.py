"""What ``geoplan push`` does with journals alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from geoplan.push import journal, lock, status
from geoplan.push.clock import SystemClock

if TYPE_CHECKING:
    from pathlib import Path


def show(folder: Path, output_format: str) -> int:
    """Show the last push on a topology."""
    history = journal.latest(folder)
    if history is None:
        click.echo("no push on this topology yet")
    elif output_format == "json":
        click.echo(json.dumps(status.as_plain(history), ensure_ascii=False, indent=2))
    else:
        click.echo(status.as_text(history, lock.holder(folder)), nl=False)
    return 0


def abandon(folder: Path) -> int:
    """Give the unfinished push up, so that a new one may begin."""
    history = journal.latest(folder)
    if history is None or history.is_finished:
        click.echo("there is no unfinished push")
        return 0
    with lock.only_push(folder), journal.Journal(history.path, SystemClock()) as opened:
        opened.write("end", outcome="abandoned", who=journal.who())
    click.echo("given up; what it changed stays as it is")
    for site in history.owed_pairs:
        click.echo(f"'{site}' is not finished: push with --reboot 'always={site}'")
    return 0
