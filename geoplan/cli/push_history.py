"""``geoplan push --history``: what was pushed from this state folder, and how it ended."""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import TYPE_CHECKING

import click

from geoplan.cli.files import load_topology
from geoplan.cli.push_freeze import named_state_folder
from geoplan.console import USUAL_COLUMNS
from geoplan.errors import GeoplanError
from geoplan.push import all_pushes, lock
from geoplan.push.carry_over import carry_over
from geoplan.push.freeze import frozen
from geoplan.push.state_dir import locks_folder
from geoplan.push.store import unit_keys
from geoplan.wording import count

if TYPE_CHECKING:
    from geoplan.cli.connection import ConnectionOptions


def show(path: str | None, reach: ConnectionOptions, state_dir: str | None, output_format: str) -> int:
    """List the pushes of the state folder, or those on a topology's units, the newest first."""
    state, keys = named_state_folder(state_dir), None
    if path is not None:
        sites = load_topology(path).sites
        keys = frozenset(unit_keys((unit.address for site in sites for unit in site.units), reach.lab_id()).values())
    locks = locks_folder(state)
    try:
        carry_over(state, locks)
    except GeoplanError as error:  # the others are to be seen all the same
        click.echo(f"geoplan: warning: journals of older versions are not shown: {error}", err=True)
    found = all_pushes.read_all(state, keys)
    unfinished = [history for history in found.pushes if not history.is_finished]
    running = {history.path for history in unfinished if lock.holder_of(locks, history.begin.units)}
    if output_format == "json":
        told = json.dumps(all_pushes.as_plain(found, running=running), ensure_ascii=False, indent=2)
        click.echo(told.encode(errors="backslashreplace").decode())
    else:
        click.echo(all_pushes.as_text(found, running=running, width=_width()), nl=False)
    if is_frozen := frozen(state):
        click.echo(f"geoplan: note: {is_frozen}", err=True)
    if found.unreadable:
        unread = count(len(found.unreadable), "journal")
        click.echo(f"geoplan: warning: {unread} cannot be read", err=True)
    return 0


def _width() -> int:
    is_wide = sys.stdout.isatty() or "COLUMNS" in os.environ
    return shutil.get_terminal_size((USUAL_COLUMNS, 24)).columns if is_wide else USUAL_COLUMNS
