"""Completion in bash, zsh and fish: what a shell asks for, and the script that makes it ask."""

from __future__ import annotations

from contextlib import suppress

import click
from click.shell_completion import get_completion_class

from geoplan.errors import GeoplanError

VARIABLE = "_GEOPLAN_COMPLETE"


def complete(command: click.Command, instruction: str) -> int:
    """Print what a shell asks for by ``instruction``, such as ``bash_source``; return the exit code.

    It is printed as text: what click's own way prints, bytes, goes past what makes all output legible.
    """
    shell, _, asked = instruction.partition("_")
    kind = get_completion_class(shell)
    if kind is None or asked not in ("source", "complete"):
        return GeoplanError.exit_code
    completion = kind(command, {}, "geoplan", VARIABLE)
    with suppress(KeyError, ValueError):  # whoever asks is no shell
        with suppress(click.ClickException):  # of a line that is wrong nothing can be completed
            click.echo(completion.source() if asked == "source" else completion.complete())
        return 0
    return GeoplanError.exit_code
