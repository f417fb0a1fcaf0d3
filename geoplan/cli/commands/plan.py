"""``geoplan plan``."""

from __future__ import annotations

from importlib import import_module
from pathlib import PurePath
from typing import TYPE_CHECKING

import click

from geoplan.cli.changing import start_of, with_what_is_due
from geoplan.cli.connection import ConnectionOptions, TypedCommands, connection_options, require_live
from geoplan.cli.files import load_part, load_topologies, planned, planned_change, write
from geoplan.cli.formats import chosen_format, format_option
from geoplan.cli.options import (
    ChangeOptions,
    Command,
    Part,
    change_options,
    group_option,
    output_option,
    phase_option,
    topologies_argument,
)
from geoplan.cli.output import show_laid_out, terminal
from geoplan.cli.push_options import GivenFlags, flags_options, state_dir_option
from geoplan.files import display_name

if TYPE_CHECKING:
    from geoplan.plan.model import Plan

EPILOG = """
\b
  geoplan plan my.yaml --format json -o plan.json
  geoplan plan new.yaml --from old.yaml
  geoplan plan new.yaml --from live
  geoplan plan my.yaml --live -o approved.json
  geoplan push my.yaml --plan approved.json

Exit codes: 0 the plan; 4 with --live: a push would be refused, so nothing can be approved; with --from live: units do
not tell where the change starts.
"""


@click.command("plan", cls=Command, epilog=EPILOG)
@topologies_argument
@group_option
@format_option("plan")
@phase_option
@change_options
@output_option
@click.option(
    "--live", is_flag=True, help="Write an approval for a push: plan, options and the present state of the units."
)
@flags_options
@state_dir_option
@connection_options
def command(  # noqa: PLR0913 - one for each option
    *,
    paths: tuple[str, ...],
    part: Part,
    output_format: str | None,
    phase: str | None,
    change: ChangeOptions,
    output: str | None,
    live: bool,
    flags: GivenFlags,
    state_dir: str | None,
    reach: ConnectionOptions,
) -> int:
    """Show what a topology needs: each site's two lists, the clusters, and the steps in order.

    With --from OLD it shows only what leads from there to here: who leaves, who joins, and which masters have to be
    rebooted for it. With --from live it asks the units, and starts from what they hold.

    With --live geoplan asks all units, as a push does, and writes an approval as JSON: the plan, the options below,
    the masters that would be rebooted, and the lists, clusters, HA parameters and firmware of every unit. A push with
    --plan FILE begins only if all of that is unchanged.

    Of several files all are planned, one after the other, or none: then every fault of all of them is shown.
    """
    if not live and (flags != GivenFlags() or state_dir is not None):
        raise click.UsageError("push options matter only with --live")
    require_live(reach, change, is_live=live)
    if live and (output_format not in (None, "json") or PurePath(output or "").suffix.lower() not in ("", ".json")):
        raise click.UsageError("--live writes an approval in JSON: let FILE end in .json, and leave --format out")
    form = "json" if live else chosen_format("plan", output_format, output)

    change.require_usable(phase)
    if len(paths) > 1:
        if live or change != ChangeOptions() or part.groups:
            raise click.UsageError("--live, --from and --group are of one plan: give one TOPOLOGY")
        _show_all(paths, phase, form, output)
        return 0
    (path,) = paths
    topology, part = load_part(path, part)
    typed = TypedCommands(reach, path, phase, state_dir, part, change=change)
    old = start_of(topology, typed, "plan")
    plan = planned(topology, phase) if old is None else planned_change(topology, old, change)
    if live:
        from geoplan.cli.approving import write_approval
        from geoplan.cli.push_units import push_store
        from geoplan.push.store import addresses_of

        if old is not None:
            store = push_store(topology, reach, state_dir, units=addresses_of(plan))
            plan = with_what_is_due(plan, topology, old, change, store)
        return write_approval(topology, plan, flags.options(plan), typed, output=output, old=old)
    _show(plan, form, output)
    return 0


def _show_all(paths: tuple[str, ...], phase: str | None, form: str, output: str | None) -> None:
    """Plan several files."""
    from geoplan.render import many

    if form != "text" and form not in many.RENDERERS:
        raise click.UsageError(f"--format {form} does not say which file is whose: give one TOPOLOGY")
    topologies = load_topologies(paths)
    plans = [(display_name(path), planned(topology, phase)) for path, topology in zip(paths, topologies, strict=True)]
    if form == "text":
        _show_text([plan for _, plan in plans], output)
    else:
        write(many.RENDERERS[form](plans), output)


def _show(plan: Plan, form: str, output: str | None) -> None:
    if form == "text":
        _show_text([plan], output)
    else:
        write(import_module(f"geoplan.render.{form}").render(plan), output)


def _show_text(plans: list[Plan], output: str | None) -> None:
    from geoplan.render import text

    if output is None:
        width, color = terminal()
        show_laid_out("\n".join(text.render(plan, width=width, color=color) for plan in plans), color=color)
    else:
        write("\n".join(text.render(plan, width=text.DEFAULT_WIDTH) for plan in plans), output)
