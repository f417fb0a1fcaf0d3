"""What ``geoplan push`` does with journals alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from geoplan.push import journal, lock, status, unfinished
from geoplan.push.clock import SystemClock

if TYPE_CHECKING:
    from pathlib import Path

    from geoplan.plan.model import Phase
    from geoplan.push.history import History


def show(folder: Path, output_format: str) -> int:
    """Show the last push on a topology."""
    history = journal.latest(folder)
    if output_format == "json":
        _as_json(history, lock.holder(folder))
    elif history is None:
        click.echo("no push on this topology yet")
    else:
        click.echo(status.as_text(history, lock.holder(folder)), nl=False)
    return 0


def phases_to_resume(folder: Path) -> tuple[Phase, ...]:
    """Return the parts of the work that the unfinished push does; nothing where there is none."""
    history = unfinished.unfinished_of(journal.histories(folder))
    return history.phases if history else ()


def abandon(folder: Path, output_format: str) -> int:
    """Give the unfinished push up, so that a new one may begin."""
    history = journal.latest(folder)
    is_unfinished = history is not None and not history.is_finished
    if history is not None and is_unfinished:
        with lock.only_push(folder), journal.Journal(history.path, SystemClock()) as opened:
            opened.write("end", outcome="abandoned", who=journal.who())
            history = opened.history
    if output_format == "json":
        _as_json(history, None)
        return 0
    if history is None or not is_unfinished:
        click.echo("there is no unfinished push")
        return 0
    click.echo("given up; what it changed stays as it is")
    for site in history.owed_pairs:
        click.echo(f"'{site}' is not finished: push with --reboot 'always={site}'")
    return 0


def _as_json(history: History | None, running: str | None) -> None:
    click.echo(json.dumps(status.as_plain(history, running), ensure_ascii=False, indent=2))
