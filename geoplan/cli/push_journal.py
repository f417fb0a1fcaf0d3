"""What ``geoplan push`` does with journals alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from geoplan.live.polling import SystemClock
from geoplan.push import journal, past_pushes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geoplan.plan.model import Phase, Plan
    from geoplan.push.store import Past, Store
    from geoplan.topology.api import UnitApi


def show(store: Store, plan: Plan, apis: Mapping[str, UnitApi], output_format: str) -> int:
    """Show the push on any of the units that is to be ended, else the last one, and what all of them left owed."""
    past = store.past()
    running = store.holder()
    if output_format == "json":
        _as_json(past, plan, running)
    else:
        click.echo(past_pushes.as_text(past, plan, running, apis), nl=False)
    return 0


def phases_to_resume(store: Store) -> tuple[Phase, ...]:
    """Return the parts of the work that the unfinished push does, an empty tuple where there is none."""
    history = store.past().unfinished
    return history.phases if history else ()


def abandon(store: Store, plan: Plan, output_format: str) -> int:
    """Abandon the unfinished push, so that a new one may begin; what it owes stays owed."""
    unfinished = store.past().unfinished
    if unfinished is not None:
        topology = unfinished.topology
        with (
            store.only_push(topology, unfinished.begin.units),
            journal.Journal(unfinished.path, SystemClock()) as opened,
        ):
            if not opened.history.is_finished:
                opened.write("end", outcome="abandoned", who=journal.who())
    past = store.past()
    if output_format == "json":
        _as_json(past, plan, None)
        return 0
    if unfinished is None:
        click.echo("there is no unfinished push")
        return 0
    click.echo("given up; what it changed stays as it is")
    for site in past_pushes.pairs_that_owe(past.ledger, plan):
        click.echo(f"'{site}' is not finished: the next push reboots it")
    return 0


def _as_json(past: Past, plan: Plan, running: str | None) -> None:
    told = json.dumps(past_pushes.as_plain(past, plan, running), ensure_ascii=False, indent=2)
    click.echo(told.encode(errors="backslashreplace").decode())  # which is how JSON writes bytes beyond UTF-8, too
