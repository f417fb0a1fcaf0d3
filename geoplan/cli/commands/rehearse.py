"""``geoplan rehearse``."""

from __future__ import annotations

import difflib
import json
import os
import signal
import sys
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from geoplan.cli.changing import start_of
from geoplan.cli.connection import ConnectionOptions, TypedCommands, connection_options, require_live
from geoplan.cli.files import load_part, write
from geoplan.cli.formats import chosen_format, format_option
from geoplan.cli.options import (
    ChangeOptions,
    Command,
    Part,
    change_options,
    group_option,
    output_option,
    phase_option,
    topology_argument,
    variant_option,
)
from geoplan.cli.output import terminal
from geoplan.cli.push_options import GivenFlags, flags_options
from geoplan.cli.refusals import tells_refusals
from geoplan.cli.rehearsing import plays_of
from geoplan.console import USUAL_COLUMNS
from geoplan.wording import count, join_words, shell_command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.plan.model import Plan
    from geoplan.push.options import Options
    from geoplan.twin.cases import Planned, Plays
    from geoplan.twin.incidents import Case
    from geoplan.twin.rehearsal_report import Report

INTERRUPTED = 130
TOLD_AFTER = 25
JOBS = 8
"""As a push has it by default."""
_NOT_REPEATED = frozenset({"seeds", "first_seed", "jobs", "output_format", "output"})
EPILOG = """
The units are simulated, with the times of the topology, and time passes as fast as this machine can. Nothing is
sent to any address, and nothing of it is kept. Only --from live asks live units first, and changes nothing on them.

\b
  geoplan rehearse topologies/section-5.4.yaml
  geoplan rehearse new.yaml --from old.yaml --seeds 200
  geoplan rehearse new.yaml --from live --endpoints lab.yaml
  geoplan rehearse my.yaml --case 9:kill-after
  geoplan rehearse my.yaml --seed 17

Exit codes: 0 no promise was broken; 1 one was, or the push as planned did not come to its end; 130 interrupted, after
what was done so far was printed.
"""


@click.command("rehearse", cls=Command, epilog=EPILOG)
@topology_argument
@group_option
@phase_option
@change_options
@click.option(
    "--seed-by-api", is_flag=True, help="With --from: restore GEO Configuration on sites that join over the API."
)
@flags_options
@click.option(
    "--seeds", type=click.IntRange(0), default=25, show_default=True, help="How many draws of several things."
)
@click.option(
    "--first-seed", metavar="K", type=click.IntRange(0), default=0, show_default=True, help="The first of them."
)
@click.option("--seed", metavar="K", type=click.IntRange(0), help="Play only this draw, and tell how it went.")
@click.option("--case", "case_name", metavar="NAME", help="Play only this case, and tell how it went.")
@click.option(
    "--jobs", type=click.IntRange(1), help="How many cases to play at once.  [default: one for each processor]"
)
@variant_option
@format_option("rehearse")
@output_option
@connection_options
@tells_refusals("geoplan/rehearsal/1")
def command(  # noqa: PLR0913 - one for each option
    *,
    path: str,
    part: Part,
    phase: str | None,
    change: ChangeOptions,
    seed_by_api: bool,
    flags: GivenFlags,
    seeds: int,
    first_seed: int,
    seed: int | None,
    case_name: str | None,
    jobs: int | None,
    variants: tuple[str, ...],
    output_format: str | None,
    output: str | None,
    reach: ConnectionOptions,
) -> int:
    """Rehearse a push on simulated units, with everything that can go wrong.

    First as planned, with a timeline: which unit is down when, when traffic moves, when links turn green. Then with
    every single fault at every step, with what may be so of units and people, and with draws of several of them.
    Whatever stops is resumed as a person would do it, and every promise of a push is checked at every request.
    """
    from geoplan.lab.variants import as_variants
    from geoplan.twin.campaign import rehearse
    from geoplan.twin.cases import play_planned
    from geoplan.twin.incidents import drawn
    from geoplan.twin.rehearsal_report import Report, timeline_svg

    chosen = chosen_format("rehearse", output_format, output)
    if seed is not None and case_name is not None:
        raise click.UsageError("--seed and --case contradict each other: give one of them")
    if seed_by_api and change.old is None:
        raise click.UsageError("--seed-by-api matters only with --from")

    def options_of(plan: Plan) -> Options:
        return replace(flags.options(plan), jobs=JOBS, seed_by_api=seed_by_api)

    change.require_usable(phase)
    require_live(reach, change)
    topology, part = load_part(path, part)
    old = start_of(topology, TypedCommands(reach, path, phase, part=part, change=change), "rehearse")
    plays = plays_of(topology, phase, change, old, options_of)
    plays = replace(plays, variants=tuple(as_variants(variants)))
    with _stopping_on_signals() as stop:
        planned = play_planned(plays)
        if seed is not None:
            return _tell(plays, drawn(seed, planned.changes, plays.topology), chosen, output)
        if case_name is not None:
            return _tell(plays, _named(case_name, plays, planned), chosen, output)
        chosen_seeds = range(first_seed, first_seed + seeds)
        usual = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        if chosen == "svg":
            write(timeline_svg(plays.plan.topology, planned.timeline), output)
            return 1 if planned.result.broken else 0
        if planned.result.broken:  # what does not work as planned needs no fault
            report = Report(plays.plan, planned, ())
        else:
            report = rehearse(plays, planned, chosen_seeds, jobs or usual, partial(_progress, stop))
    _write(report, chosen, output)
    if report.is_interrupted:
        return INTERRUPTED
    return 1 if report.broken else 0


def _named(name: str, plays: Plays, planned: Planned) -> Case:
    from geoplan.twin.campaign import cases_of

    known = {case.name: case for cases in cases_of(plays, planned, range(0)).values() for case in cases}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3) or list(known)[:3]
        raise click.BadParameter(f"there is no case '{name}'; there are {join_words(near)}.", param_hint="'--case'")
    return known[name]


def _tell(plays: Plays, case: Case, chosen: str, output: str | None) -> int:
    """Play one case, and tell how it went."""
    from geoplan.twin.cases import replay
    from geoplan.twin.rehearsal_report import case_data, case_text, timeline_svg

    result, timeline = replay(plays, case)
    if chosen == "json":
        write(json.dumps(case_data(result, timeline), ensure_ascii=False, indent=2), output)
    elif chosen == "svg":
        write(timeline_svg(plays.plan.topology, timeline), output)
    else:
        text = case_text(result, timeline, _width(output))
        write(text if chosen == "text" else f"```text\n{text}```\n", output)
    return 1 if result.broken else 0


@contextmanager
def _stopping_on_signals() -> Iterator[list[int]]:
    """Collect the signals that ask for an end; a second one ends at once.

    An exception that a handler raises may be lost in whatever runs just then.
    """
    from geoplan.cli.signals import ending_signals

    asked: list[int] = []

    def ask(number: int, _frame: object) -> None:
        asked.append(number)
        if len(asked) > 1:
            raise KeyboardInterrupt

    before = {number: signal.signal(number, ask) for number in ending_signals()}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _progress(stop: list[int], done: int, total: int) -> None:
    if stop:
        raise KeyboardInterrupt
    if sys.stderr.isatty() and (done % TOLD_AFTER == 0 or done == total):
        click.echo(f"rehearsed {done} of {count(total, 'case')}", err=True)


def _width(output: str | None) -> int:
    return terminal()[0] if output is None else USUAL_COLUMNS


def _write(report: Report, chosen: str, output: str | None) -> None:
    from geoplan.twin.rehearsal_report import as_data, as_markdown, as_text

    replays = {result.case.name: _replay(result.case) for result in report.broken}
    match chosen:
        case "json":
            text = json.dumps(as_data(report), ensure_ascii=False, indent=2)
        case "markdown":
            text = as_markdown(report, replays)
        case _:
            text = as_text(report, _width(output), replays)
    write(text, output)


def _replay(case: Case) -> str:
    """Return the command that plays a case again, with all that was given to this one."""
    words = ("--case", case.name) if case.seed is None else ("--seed", str(case.seed))
    return shell_command("geoplan", *_given_words(click.get_current_context()), *words)


def _given_words(context: click.Context) -> Iterator[str]:
    """Yield the command as it was typed, without what picks cases and writes files."""
    yield "rehearse"
    for param in context.command.params:
        name = param.name or ""
        is_given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if not is_given or name in _NOT_REPEATED:
            continue
        value = context.params[name]
        if isinstance(param, click.Argument):
            yield str(value)
        elif isinstance(param, click.Option) and param.is_flag:
            yield param.opts[0]
        else:
            for each in value if isinstance(value, tuple) else (value,):
                yield from (param.opts[0], str(each))
