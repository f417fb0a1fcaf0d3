"""Options of commands: what is given is given, and so never empty; and extras that are not installed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from geoplan.errors import GeoplanError

if TYPE_CHECKING:
    from collections.abc import Iterator


LAB_PACKAGES = frozenset({"cryptography", "starlette", "uvicorn"})


@contextmanager
def lab_installed() -> Iterator[None]:
    """Import what the lab needs in this block. Raises :class:`GeoplanError` where its packages are not installed."""
    try:
        yield
    except ImportError as error:
        package = (error.name or "").partition(".")[0]
        if package not in LAB_PACKAGES:
            raise
        raise GeoplanError(
            f"the lab is not installed: {package} is missing", hint="pip install 'geoplan[lab]'"
        ) from None


class Command(click.Command):
    """A command whose options and arguments are left out or have a value.

    An unset variable in a script gives an option an empty value, which must never be read as *not given*: a push would
    go to other units, or without review.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments. Raises :class:`click.BadParameter` for an empty value."""
        rest = super().parse_args(ctx, args)
        if not ctx.resilient_parsing:
            for param in self.get_params(ctx):
                if "" in _values(ctx.params.get(param.name or "")):
                    raise click.BadParameter(
                        "it is empty. Leave it out, or give it a value; in a script, a variable may not be set.",
                        ctx=ctx,
                        param=param,
                    )
        return rest


class Group(click.Group):
    """A group of such commands."""

    command_class = Command


def _values(given: object) -> Iterator[object]:
    if isinstance(given, tuple | list):
        yield from given
    else:
        yield given
