"""What ``geoplan push`` does with journals alone."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import click

from geoplan.cli.push_units import typed_about, typed_after
from geoplan.cli.signals import interruptible
from geoplan.errors import PushRefusedError
from geoplan.live.findings.kinds import generic_command
from geoplan.live.polling import SystemClock
from geoplan.push import abandoning, past_pushes, reboots
from geoplan.push.set_aside import generic_about, lines_of_left
from geoplan.push.waiting_image import lines_of_waiting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geoplan.cli.push_command import PushCommand
    from geoplan.cli.push_goal import Goal
    from geoplan.live.findings.kinds import Command
    from geoplan.plan.model import Plan
    from geoplan.push.history import History
    from geoplan.push.store import Past, Store
    from geoplan.push.update_status import About
    from geoplan.topology.api import UnitApi


def show(  # noqa: PLR0913 - what is typed next
    store: Store,
    plan: Plan,
    apis: Mapping[str, UnitApi],
    output_format: str,
    command: Command = generic_command,
    *,
    about: About = generic_about,
) -> int:
    """Show the push on any of the units that is to be ended, else the last one, and what all of them left owed."""
    past = store.past()
    running = store.holder()
    if output_format == "json":
        _as_json(past, plan, running)
    else:
        click.echo(past_pushes.as_text(past, plan, running, apis, command=command, about=about), nl=False)
    return 0


def tell(goal: Goal, given: PushCommand, path: str) -> int:
    """Show the last push of what a command is about, or end the unfinished one."""
    typed, store, old = goal.typed(given, path), goal.store, goal.old
    about = partial(typed_about, topology=goal.topology, typed=typed)
    if given.journals.abandon:
        return abandon(store, goal.plan, given.output_format, typed, about, yes=given.run.yes)
    found = typed_after(store.past(), goal.topology, typed)
    typed = replace(found, part=found.unfinished or goal.part)
    apis = {**(given.reach.apis(old.topology) if old and old.topology else {}), **given.reach.apis(goal.topology)}
    return show(store, goal.plan, apis, given.output_format, typed, about=about)


def tell_that_all_run(version: str, store: Store) -> None:
    """Say that an update has nothing to install, and which units may run another version from their next boot on."""
    click.echo(f"nothing to do: all units run {version} already")
    for line in lines_of_waiting(store.past().waiting):
        click.echo(f"note: {line}", err=True)


def abandon(  # noqa: PLR0913 - what is typed next
    store: Store,
    plan: Plan,
    output_format: str,
    command: Command = generic_command,
    about: About = generic_about,
    *,
    yes: bool = False,
) -> int:
    """Abandon the unfinished push, so that a new one may begin; what it owes stays owed.

    Without ``yes`` somebody is asked. Raises :class:`PushRefusedError` where nobody can be, or the answer is no.
    """
    ended = abandoning.abandon(store, SystemClock(), partial(_require_consent, plan=plan, yes=yes))
    past = store.past()
    if output_format == "json":
        _as_json(past, plan, None)
        return 0
    if ended is None:
        click.echo("there is no unfinished push")
        return 0
    click.echo("abandoned; its changes stay as they are")
    if ended.rotation is not None and ended.has_changes:
        click.echo("links are red between units with different secrets, until all of them have the same")
        click.echo(f"give all of them the same with: {command('push', '--secret')}")
    for line in lines_of_left(past.left_aside, plan, about):
        click.echo(line)
    if pairs := reboots.pairs_that_owe(past.ledger, plan):
        click.echo(f"the next push reboots the masters of these pairs, which are not finished: {', '.join(pairs)}")
        click.echo(f"push with: {command('push')}")
    return 0


def _require_consent(past: Past, unfinished: History, *, plan: Plan, yes: bool) -> None:
    for line in past_pushes.left_by_abandoning(past, unfinished, plan):
        click.echo(line, err=True)
    if yes:
        return
    if not sys.stdin.isatty():
        raise PushRefusedError(
            "there is no terminal to ask on; the push stays unfinished, and can be resumed", hint="give --yes"
        )
    with interruptible():
        if not click.confirm("Abandon it? What is not done stays undone.", err=True):
            raise PushRefusedError("not abandoned: the push stays unfinished, and can be resumed")


def _as_json(past: Past, plan: Plan, running: str | None) -> None:
    told = json.dumps(past_pushes.as_plain(past, plan, running), ensure_ascii=False, indent=2)
    click.echo(told.encode(errors="backslashreplace").decode())  # which is how JSON writes bytes beyond UTF-8, too
