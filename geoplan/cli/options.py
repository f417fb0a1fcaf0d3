"""The options that several commands have, and what holds for all: what is given is never empty."""

from __future__ import annotations

from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from geoplan.errors import GeoplanError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EMPTY = "it is empty. Give it a value or leave it out. In a script, check that the variable is set."
LAB_PACKAGES = frozenset({"cryptography", "starlette", "uvicorn"})

topology_argument = click.argument("path", metavar="TOPOLOGY", type=click.Path(allow_dash=True))
phase_option = click.option(
    "--phase",
    type=click.Choice(["ha", "geo", "all"]),
    help="What to plan: the HA pairs, GEO, or both.  [default: geo; all if the topology has aws]",
)
output_option = click.option(
    "-o", "--output", metavar="FILE", type=click.Path(allow_dash=True), help="Write to FILE instead of the terminal."
)
no_pager_option = click.option("--no-pager", is_flag=True, help="Write to the terminal without a pager.")
jobs_option = click.option(
    "--jobs", type=click.IntRange(1), default=32, show_default=True, help="How many units to ask at the same time."
)

variant_option = click.option(
    "--variant",
    "variants",
    metavar="NAME",
    multiple=True,
    help="Let the lab's units do otherwise in one thing; repeatable. `geoplan lab --help` lists the names.",
)


def options_together(
    parameter: str, kind: type, *options: Callable[..., Any]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that adds options to a command, which gets them as one object under ``parameter``.

    ``kind`` is the object's class; its fields are named as the options.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def with_object(**given: Any) -> Any:  # noqa: ANN401 - whatever click gives
            own = {name: given.pop(name) for name in kind.__annotations__}
            return command(**given, **{parameter: kind(**own)})

        for option in reversed(options):
            with_object = option(with_object)
        return with_object

    return decorate


class Command(click.Command):
    """A command whose options and arguments are left out or have a value.

    An unset variable in a script gives an option an empty value, which must never be read as *not given*: a push would
    go to other units, or without review.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments. Raises :class:`click.BadParameter` for an empty value, and for a value given twice."""
        self._refuse_second_values(ctx, args)
        rest = super().parse_args(ctx, args)
        if not ctx.resilient_parsing:
            for param in self.get_params(ctx):
                given = ctx.params.get(param.name or "")
                if "" in (given if isinstance(given, tuple | list) else [given]):
                    raise click.BadParameter(
                        EMPTY,
                        ctx=ctx,
                        param=param,
                    )
        return rest

    def _refuse_second_values(self, ctx: click.Context, args: list[str]) -> None:
        """Raise :class:`click.BadParameter` where the last of several values would silently replace the others."""
        given = self.make_parser(ctx).parse_args(list(args))[2] if not ctx.resilient_parsing else []
        for option in {param for param in given if isinstance(param, click.Option)}:
            if not (option.multiple or option.is_flag or option.count) and given.count(option) > 1:
                raise click.BadParameter("it is given twice. Give it once.", ctx=ctx, param=option)


class Group(click.Group):
    """A group of such commands."""

    command_class = Command


@contextmanager
def lab_installed() -> Iterator[None]:
    """Import what the lab needs in this block. Raises :class:`GeoplanError` if its packages are not installed."""
    try:
        yield
    except ImportError as error:
        package = (error.name or "").partition(".")[0]
        if package not in LAB_PACKAGES:
            raise
        raise GeoplanError(
            f"the lab is not installed: {package} is missing", hint="pip install 'geoplan[lab]'"
        ) from None
