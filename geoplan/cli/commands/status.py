"""``geoplan status``."""

from __future__ import annotations

import math
import re
import shutil
from typing import TYPE_CHECKING, Any

import click

from geoplan.cli.connection import connection_options
from geoplan.cli.files import load_part
from geoplan.cli.formats import chosen_format, format_option
from geoplan.cli.options import (
    MAX_PORT,
    Command,
    FiniteSeconds,
    Part,
    jobs_option,
    output_option,
    part_options,
    topology_argument,
)
from geoplan.wording import shown_in_line, words_of_command

if TYPE_CHECKING:
    from geoplan.cli.connection import ConnectionOptions

EVERY_SECONDS = 5.0
MIN_SECONDS, MAX_SECONDS = 0.5, 86400.0
MIN_DIFF_SECONDS = 10.0
WATCH = "--watch"

EPILOG = """
The columns: State is active, standby, alone (a standalone, or HA mode single), unconnected (up, and nothing
answers its health check), down or unknown. Health is what the health check answered. HA is ok, or what differs
from the topology: single, mode, partner, port, preferred, interfaces. Prefers is Switch to Preferred Server.
Links are the GEO partners that the unit sees green, Clusters those that it has as planned, each of all planned.
- means not applicable, ? means unknown.

JSON is one object: format geoplan/status/2, topology, checksum, at, well; sites_left_out (by --problems); sites
with name, kind, group, active, failed_over, units (address, role, state, since, health, firmware, ha,
geo_enabled, ssh_access, partners, clusters, failure, unread); findings with kind, sites, units, message, hint,
commands, severity (blocking, worth mending, worth knowing).

--watch redraws in place on a terminal. In a pipe it appends: text with the time whenever something changed, JSON as
one line each time. Ctrl-C or SIGTERM ends it with exit code 0, as with watch(1).

--serve shows it as a page at an address of 127.0.0.1 that it prints: a picture with groups, sites, units and links;
findings, changes, and the steps of a push that runs on this machine. --watch SECONDS says how often it looks, --listen
PORT where it is. Ctrl-C or SIGTERM ends it with exit code 0.

--format prometheus writes metrics: once, or with --watch at each look, to -o FILE for the textfile collector of
node_exporter, or at --listen. What a unit does not tell has no sample.

--notify runs COMMAND when a finding appears or goes, while no push of these units runs. No shell runs it; it gets one
line of JSON: format geoplan/notification/1, topology, checksum, at, first, appeared, gone (findings). It has 10 s, and
no variable of geoplan's credentials.

Exit codes: 0 no problem, notes allowed; 1 problems found, or a unit that cannot be read.

For what the last push did: geoplan push TOPOLOGY --status
"""


if TYPE_CHECKING:
    from typing import TypeAlias

    _OfPort: TypeAlias = click.ParamType[int]
    _OfWords: TypeAlias = click.ParamType[tuple[str, ...]]
else:  # the oldest click that is allowed does not say what a type is of
    _OfPort = _OfWords = click.ParamType


class _LoopbackPort(_OfPort):
    """A port of loopback, with or without its host."""

    name = "port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ANN401 - click's
        """Return the port."""
        from geoplan.serve.loopback import LOOPBACK, NAMES

        host, _, port = str(value).rpartition(":")
        if host and host not in NAMES:
            self.fail(f"{value} is not on loopback: nothing is served but on {LOOPBACK}", param, ctx)
        if not re.fullmatch("[0-9]{1,5}", port) or int(port) > MAX_PORT:
            self.fail(f"{value} is no port", param, ctx)
        return int(port)


class _Program(_OfWords):
    """A program with its arguments, as a shell reads them; none runs it."""

    name = "command"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:  # noqa: ANN401 - click's
        """Return its words."""
        try:
            words = words_of_command(str(value))
        except ValueError:
            self.fail("a quotation in it has no end", param, ctx)
        if not words:
            self.fail("it is empty", param, ctx)
        if shutil.which(words[0]) is None:
            self.fail(f"there is no program {shown_in_line(words[0])} that can be run", param, ctx)
        return tuple(words)


class _WatchCommand(Command):
    """A command whose ``--watch`` needs no seconds, wherever it stands."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Give a bare ``--watch`` its seconds, so that what follows is not taken for them."""
        given = [
            f"{WATCH}={EVERY_SECONDS}" if word == WATCH and not _is_value(follower) else word
            for word, follower in zip(args, [*args, None][1:], strict=True)
        ]
        return super().parse_args(ctx, given)


@click.command("status", cls=_WatchCommand, epilog=EPILOG)
@topology_argument
@part_options
@click.option("--problems", is_flag=True, help="Show what is wrong alone: findings, and the sites that they are about.")
@click.option(
    WATCH,
    "watch_seconds",
    type=FiniteSeconds(MIN_SECONDS, MAX_SECONDS),
    metavar="[SECONDS]",
    help=f"Repeat with so many seconds in between.  [without a number: {EVERY_SECONDS:g}]",
)
@format_option("status")
@output_option
@click.option(
    "--listen",
    "port",
    type=_LoopbackPort(),
    metavar="[HOST:]PORT",
    help="Serve the metrics of a watch under /metrics, or the page, at this port of 127.0.0.1; 0 is a free one.",
)
@click.option("--serve", is_flag=True, help="Watch, and show it as a live page on 127.0.0.1, for a browser.")
@click.option(
    "--diff-every",
    "diff_seconds",
    type=FiniteSeconds(MIN_DIFF_SECONDS, MAX_SECONDS),
    metavar="SECONDS",
    help="With --watch, compare with the plan as well, as diff does, so often; for the page, metrics and --notify.",
)
@click.option(
    "--notify",
    type=_Program(),
    metavar="COMMAND",
    help="With --watch, run a program with what has changed as JSON on its standard input.",
)
@jobs_option
@connection_options
def command(  # noqa: PLR0913 - one for each option
    *,
    path: str,
    part: Part,
    problems: bool,
    watch_seconds: float | None,
    output_format: str | None,
    output: str | None,
    port: int | None,
    serve: bool,
    diff_seconds: float | None,
    notify: tuple[str, ...] | None,
    jobs: int,
    reach: ConnectionOptions,
) -> int:
    """Show the state of live units, and what is wrong. Exit 1 if anything is.

    It asks many units at the same time, by health check and over the API, and only reads. A unit that does not answer,
    or refuses the credentials, is shown as that.

    With --site only that site's own units are asked; a link to another unit is shown as they see it.
    """
    if serve and (output_format or output is not None):
        given = "--format" if output_format else "-o"
        raise click.UsageError(f"--serve cannot be used with {given}: the page is what it shows. Leave one of them out")
    chosen = chosen_format("status", output_format, output)
    output = None if output == "-" else output
    if serve:
        watch_seconds = watch_seconds or EVERY_SECONDS
    else:
        _require_usable(chosen, output, watch_seconds, port, diff_seconds, tells=bool(notify), problems=problems)
    from geoplan.cli.status_telling import WatchOptions
    from geoplan.cli.status_watch import UnitWatch, show_always, show_once

    watch = UnitWatch(*load_part(path, part), path, reach, jobs, only_problems=problems, is_for_page=serve)
    if watch_seconds is None:
        return show_once(watch, chosen, output)
    return show_always(watch, WatchOptions(watch_seconds, chosen, output, port, serve, notify or (), diff_seconds))


def _require_usable(  # noqa: PLR0913 - options
    chosen: str,
    output: str | None,
    watch_seconds: float | None,
    port: int | None,
    diff_seconds: float | None,
    *,
    tells: bool,
    problems: bool,
) -> None:
    """Check that the options without ``--serve`` fit together. Raises :class:`click.UsageError` where they do not."""
    is_exporting = chosen == "prometheus"
    if is_exporting and problems:
        raise click.UsageError("--problems cannot be used with --format prometheus, which tells of all units")
    if watch_seconds is None:
        if port is not None or diff_seconds is not None or tells:
            raise click.UsageError("--listen, --diff-every and --notify are for --watch or --serve: add one of them")
    elif is_exporting and output is None and port is None:
        raise click.UsageError("--watch with --format prometheus needs -o FILE or --listen PORT: where the metrics go")
    elif not is_exporting and output is not None:
        raise click.UsageError("--watch cannot be used with -o FILE, which holds one status")
    elif not is_exporting and port is not None:
        raise click.UsageError("--listen serves metrics or a page: add --format prometheus or --serve")
    elif diff_seconds is not None and not is_exporting and not tells:
        raise click.UsageError("--diff-every needs --format prometheus, --serve or --notify, which tell what it finds")


def _is_value(word: str | None) -> bool:
    """Return whether a word is meant as the seconds; an empty one is, and is refused as that."""
    if not word:
        return word is not None
    try:
        return math.isfinite(float(word))
    except ValueError:
        return False
