"""The command line. Each command has its own module, imported only when it is called."""

from __future__ import annotations

import gc
import sys
from importlib import import_module

import click

from geoplan import __version__
from geoplan.errors import GeoplanError, InvalidInputError

INTERRUPTED = 130

COMMANDS = {
    "check": "Say everything that is wrong with a topology file.",
    "plan": "Show the lists, the clusters and the ordered steps.",
    "compare": "Hold the plan's lists against recorded ones.",
    "diagram": "Draw the topology as SVG, Mermaid or DOT.",
    "push": "Carry the plan out over the API, safely.",
    "diff": "Hold live units against the plan.",
    "lab": "Serve a topology as simulated LoadMasters on loopback.",
    "trust": "Fetch and pin the fingerprints of the units' certificates.",
    "schema": "Print the JSON Schema of topology files or plans.",
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and one line, and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of all commands, in the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"geoplan.cli.{cmd_name}").command
        assert isinstance(command, click.Command)  # noqa: S101 - for the type checker
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="geoplan")
def cli() -> None:
    """Plan GEO clusters of Kemp (Progress) LoadMasters.

    A topology file names the sites: HA pairs and standalone LoadMasters. From it come each unit's address lists,
    the Remote LM clusters and the ordered steps. Wherever a command takes a file, - is standard input.

    Exit codes: 0 done, 1 differences or findings, 2 wrong usage or unusable input, 3 a push stopped part-way,
    4 a push was refused before it changed anything, 130 interrupted.
    """


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; errors are shown, never raised."""
    _collect_garbage_rarely()
    _speak_utf8()
    try:
        result = cli.main(arguments, prog_name="geoplan", standalone_mode=False)
    except InvalidInputError as error:
        from geoplan.topology.diagnostics import as_text

        click.echo(as_text(error.diagnostics), err=True)
        return error.exit_code
    except GeoplanError as error:
        click.echo(f"geoplan: error: {error}", err=True)
        if error.hint:
            click.echo(f"  hint: {error.hint}", err=True)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("geoplan: interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever reads the output, such as head, has had enough; nothing more can be said there.
        sys.stdout = None
        return 0
    return result if isinstance(result, int) else 0


def _collect_garbage_rarely() -> None:
    """Keep the collector from searching, again and again, the many objects that imports leave behind for good."""
    gc.set_threshold(100_000)


def _speak_utf8() -> None:
    """Write UTF-8 into pipes and files whatever the locale; a terminal that lacks a character shows its code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            if stream.isatty():
                stream.reconfigure(errors="backslashreplace")
            else:
                stream.reconfigure(encoding="utf-8", errors="backslashreplace")
