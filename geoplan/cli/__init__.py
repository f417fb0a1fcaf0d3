"""The command line. Each command has its own module, imported only when it is called."""

from __future__ import annotations

import errno
import gc
import os
import sys
import warnings
from importlib import import_module
from io import StringIO
from keyword import iskeyword
from pathlib import Path
from typing import TYPE_CHECKING

import click

from geoplan import __version__
from geoplan.cli.output import Outlet, for_a_reader, forgiving, legible
from geoplan.console import make_size_usable
from geoplan.errors import GeoplanError, InvalidInputError, TooManyOpenFilesError
from geoplan.files import ClosedInput
from geoplan.wording import bounded

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

INTERRUPTED = 130

COMMANDS = {
    "init": "Write a first topology file, with comments.",
    "import": "Read live units, and write the topology that they are.",
    "check": "Check a topology file: every error and warning at once.",
    "plan": "Show the lists, the clusters and the steps in order.",
    "compare": "Compare the plan's lists with recorded ones.",
    "runbook": "Write the runbook for the maintenance window.",
    "upgrade": "Write the runbook for a firmware change, up or down.",
    "diagram": "Draw the topology as SVG, Mermaid or DOT.",
    "export": "Write files for other tools: AWS CloudFormation, Ansible.",
    "rehearse": "Rehearse a push on simulated units, under every fault.",
    "push": "Apply the plan to the units over their API.",
    "drill": "Fail one live pair over, time it, and prove that its site stays.",
    "follow": "Watch people work by hand from the runbook, and tick it off.",
    "diff": "Compare live units with the plan.",
    "status": "Show the state of live units, and what is wrong.",
    "whatif": "Try every failure in a simulation, and show who is cut off.",
    "trust": "Fetch and pin the fingerprints of the units' certificates.",
    "lab": "Serve a topology as simulated LoadMasters on loopback.",
    "probe": "Ask one real unit which of the facts below it confirms.",
    "facts": "List what is known of the vendor's product, with its sources.",
    "schema": "Print the JSON Schema of topology files or plans.",
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and one line, and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of all commands, in the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            if ctx.resilient_parsing:  # a shell asks for completions
                return None
            import difflib

            near = difflib.get_close_matches(cmd_name, COMMANDS, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise click.UsageError(f"There is no command '{cmd_name}'.{hint}", ctx)
        module = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        command = import_module(f"geoplan.cli.commands.{module}").command
        assert isinstance(command, click.Command)  # noqa: S101 - for the type checker
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands that begin so, without importing any, and the options."""
        from click.shell_completion import CompletionItem

        found = [CompletionItem(name, help=text) for name, text in COMMANDS.items() if name.startswith(incomplete)]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="geoplan")
def cli() -> None:
    """Plan GEO clusters of Kemp (Progress) LoadMasters.

    A topology file names the sites: HA pairs and standalone LoadMasters. From it geoplan derives each unit's address
    lists, the Remote LM clusters and the steps in order. For every file that is read, - means standard input.

    Exit codes: 0 done, 1 differences or findings, 2 wrong usage or unusable input, 3 a push stopped part-way,
    4 a push was refused, by a check or by you, before it changed anything, 70 a fault in geoplan itself,
    130 interrupted, 141 nobody reads the output of status --watch, follow or lab any more.
    """


def main() -> None:
    """Run the command line as a process of its own, and exit with its code."""
    # Imports and plans leave many objects for good, which would be searched for garbage again and again.
    gc.set_threshold(100_000, 50, 50)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")  # looking for plugins reads every installed package
    warnings.simplefilter("ignore")  # they are for developers; PYTHONWARNINGS could make errors of them
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; errors are shown, never raised."""
    before = sys.stdout
    _open_standard_streams()
    make_size_usable(os.environ)
    try:
        return _run(arguments)
    finally:
        if isinstance(sys.stdout, Outlet) and sys.stdout.lost_because is None:
            sys.stdout = before


def _run(arguments: list[str]) -> int:
    try:
        result = _invoke(arguments)
        sys.stdout.flush()
    except (click.Abort, KeyboardInterrupt):
        click.echo("geoplan: interrupted", err=True)
        return INTERRUPTED
    except Exception as error:  # whatever it is, nobody is shown a traceback
        return _show_any(error)
    return result if isinstance(result, int) else 0


def _show_any(error: Exception) -> int:
    """Show an error of whatever kind; return its exit code."""
    match error:
        case InvalidInputError():
            from geoplan.diagnostics import as_text

            _say(as_text(error.diagnostics))
            return error.exit_code
        case GeoplanError():
            return _show(error)
        case click.ClickException():
            told = StringIO()
            error.show(told)
            _say(told.getvalue().removesuffix("\n"))
            return error.exit_code
        case OSError(errno=errno.EMFILE | errno.ENFILE):
            return _show(TooManyOpenFilesError())
        case OSError(errno=errno.ENOENT, filename=None):  # of no file that anybody named, and of no output
            return _show(GeoplanError(str(error.strerror), hint="let TMPDIR name a folder that you can write to"))
        case OSError():
            return _show_os_error(error)
    from geoplan.cli import faults

    _say(f"geoplan: error: {faults.describe(error)}")
    return faults.FAULT


def _show_os_error(error: OSError) -> int:
    sys.stdout = None  # what is still in its buffer cannot be written either
    where = "write standard output" if error.filename is None else f"use {os.fsdecode(error.filename)}"
    _say(f"geoplan: error: cannot {where}: {error.strerror}")
    return GeoplanError.exit_code


def _show(error: GeoplanError) -> int:
    """Show an error; return its exit code."""
    _say(f"geoplan: error: {error}")
    if error.hint:
        _say(f"  hint: {error.hint}")
    return error.exit_code


def _say(error: str) -> None:
    """Say what went wrong: every error of the command line is shown here, whatever it repeats."""
    click.echo(bounded(error), err=True)


def _invoke(arguments: list[str]) -> object:
    """Run a command as click's own ``main`` does, but leave every error to the caller."""
    if "_GEOPLAN_COMPLETE" in os.environ:  # a shell asks for completions
        from geoplan.cli.completion import complete

        return complete(cli, os.environ["_GEOPLAN_COMPLETE"])
    try:
        with cli.make_context("geoplan", list(arguments)) as context:
            return cli.invoke(context)
    except click.exceptions.Exit as ended:
        return ended.exit_code


def _open_standard_streams() -> None:
    """Have all three, and write UTF-8 into pipes and files whatever the locale.

    A terminal that lacks a character shows its code. What would go to a stream that was closed goes nowhere, and so
    does what standard error cannot take, and what nobody reads any more: no result fails for want of its messages, and
    a verdict is the same whoever has read how much of it.
    """
    sys.stdin = sys.stdin or ClosedInput()
    sys.stdout = for_a_reader(legible(sys.stdout or Path(os.devnull).open("w"), steers=True))  # noqa: SIM115 - to the end
    sys.stderr = forgiving(legible(sys.stderr or Path(os.devnull).open("w")))  # noqa: SIM115 - to the end
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            if stream.isatty():
                stream.reconfigure(errors="backslashreplace")
            else:
                stream.reconfigure(encoding="utf-8", errors="backslashreplace")
