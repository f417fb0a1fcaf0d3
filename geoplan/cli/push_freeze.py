"""``geoplan push --freeze`` and ``--thaw``: nobody pushes from a state folder, and everybody may again."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from geoplan.cli.options import options_together

if TYPE_CHECKING:
    from pathlib import Path

    from geoplan.push.freeze import Frozen


@dataclass(frozen=True)
class FreezeOptions:
    """Whether pushes are frozen or thawed; each field is named as its option."""

    freeze: bool = False
    thaw: bool = False
    reason: str | None = None

    @property
    def is_given(self) -> bool:
        """Whether it is about that, and about no push. Raises :class:`click.UsageError` for what does not fit it."""
        if not (self.freeze or self.thaw):
            if self.reason is not None:
                raise click.UsageError("--reason matters only with --freeze")
            return False
        if self.thaw and (self.freeze or self.reason is not None):
            raise click.UsageError("--thaw stands alone: leave --freeze and --reason out")
        context = click.get_current_context()
        given = (each for each in context.command.params if _is_typed(context, each))
        if others := [each.opts[0] for each in given if each.name not in _FITTING]:
            what = "--thaw" if self.thaw else "--freeze"
            raise click.UsageError(f"{what} is of all pushes of a --state-dir: leave {_named(others)} out")
        return True


_FITTING = frozenset({"freeze", "thaw", "reason", "state_dir", "output_format"})


def _is_typed(context: click.Context, param: click.Parameter) -> bool:
    return context.get_parameter_source(param.name or "") is ParameterSource.COMMANDLINE


def _named(options: list[str]) -> str:
    return ", ".join("TOPOLOGY" if each == "path" else each for each in options)


freeze_options = options_together(
    "freezing",
    FreezeOptions,
    click.option("--freeze", is_flag=True, help="Refuse every push and drill from this --state-dir until --thaw."),
    click.option("--thaw", is_flag=True, help="Allow pushes again: remove what --freeze left."),
    click.option("--reason", metavar="TEXT", help="With --freeze: the reason, which every refused push shows."),
)


def named_state_folder(state_dir: str | None) -> Path:
    """Return the folder of all pushes. Raises :class:`click.UsageError` where an empty variable names it."""
    from geoplan.push.state_dir import STATE_DIR_VARIABLE, state_folder

    if state_dir is None and os.environ.get(STATE_DIR_VARIABLE) == "":
        raise click.UsageError(f"{STATE_DIR_VARIABLE} is empty. Unset it, or let it name a folder.")
    return state_folder(state_dir)


def require_thawed(state_dir: str | None) -> None:
    """Check that pushes may begin, before any unit is asked and anybody is. Raises :class:`PushRefusedError`."""
    from geoplan.push.freeze import require_thawed

    require_thawed(named_state_folder(state_dir))


def carry_out(given: FreezeOptions, state_dir: str | None, output_format: str) -> int:
    """Freeze the pushes of the state folder, or thaw them, and say so."""
    from geoplan.live.polling import SystemClock
    from geoplan.push import freeze

    state = named_state_folder(state_dir)
    if given.thaw:
        found = freeze.thaw(state)
        told = f"thawed: pushes may begin again; {found.when_thawed()}" if found else "pushes were not frozen"
        _tell(None, told, output_format)
        return 0
    reason = given.reason
    if reason is not None and len(reason) > freeze.LONGEST_REASON:
        raise click.BadParameter(f"it has more than {freeze.LONGEST_REASON} characters.", param_hint="'--reason'")
    _tell(freeze.freeze(state, SystemClock().wall(), reason), "", output_format)
    # Only now: a push that begins after this look has found the marker.
    for name in _running(state):
        click.echo(f"geoplan: warning: {name} goes on: it had begun before", err=True)
    return 0


def _tell(found: Frozen | None, thawed: str, output_format: str) -> None:
    if output_format != "json":
        click.echo(str(found) if found else thawed)
        return
    freeze = found.freeze if found else None
    told = {
        "format": "geoplan/freeze/1",
        "frozen": found is not None,
        **({"who": freeze.who, "at": freeze.at.isoformat(), "reason": freeze.reason} if freeze else {}),
    }
    click.echo(json.dumps(told, ensure_ascii=False).encode(errors="backslashreplace").decode())


def _running(state: Path) -> list[str]:
    """Return the pushes of the state folder that are under way."""
    from geoplan.push import all_pushes, lock
    from geoplan.push.state_dir import locks_folder

    unfinished = (push for push in all_pushes.read_all(state).pushes if not push.is_finished)
    running = [push for push in unfinished if lock.holder_of(locks_folder(state), push.begin.units)]
    return [f"push {push.number} of '{push.topology}', begun by {push.begin.who}," for push in running]
