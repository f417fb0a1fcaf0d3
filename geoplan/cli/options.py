"""The options that several commands have, and what holds for all: what is given is never empty."""

from __future__ import annotations

import math
import os
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from geoplan.errors import GeoplanError
from geoplan.files import STDIN, descriptor_of, is_standard_input

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from ipaddress import IPv4Network, IPv6Network

EMPTY = "it is empty. Give it a value or leave it out. In a script, check that the variable is set."
LAB_PACKAGES = frozenset({"cryptography", "starlette", "uvicorn"})

LIVE = "live"
"""The OLD of ``--from`` that is no file."""
STDOUT_DESCRIPTOR = 1
MAX_PORT = 65535


class InputFile(click.Path):
    """A file that is read; ``-`` is standard input, under each of its names. Only one can be that: see `Command`."""

    def __init__(self, *, may_be_replaced: bool = False) -> None:
        super().__init__(allow_dash=True, readable=False)  # whoever reads it says why it cannot be read
        self.may_be_replaced = may_be_replaced

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401 - click's
        """Return the path, or ``-``."""
        return STDIN if value and is_standard_input(value) else super().convert(value, param, ctx)


class OutputFile(click.Path):
    """A file that is written; ``-`` is standard output, under each of its names."""

    def __init__(self, *, may_be_folder: bool = False) -> None:
        super().__init__(allow_dash=True, readable=False)
        self.may_be_folder = may_be_folder

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401 - click's
        """Return the path, or ``-``. Fails for a folder's name, where one file is written."""
        if value and not self.may_be_folder and names_folder(value):
            self.fail(f"'{value}' names a folder, and one file is written. {NAME_A_FILE}", param, ctx)
        is_stdout = value and descriptor_of(value) == STDOUT_DESCRIPTOR
        return "-" if is_stdout else super().convert(value, param, ctx)


def names_folder(path: str | os.PathLike[str]) -> bool:
    """Return whether a path ends in a slash, so that it can name no file."""
    return os.fspath(path).endswith(tuple(filter(None, (os.sep, os.altsep))))


NAME_A_FILE = "Leave the slash at its end out, or name a file in it."


class FiniteSeconds(click.FloatRange):
    """Seconds; what is no number is none either, nor is what never ends."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401 - click's
        """Return the seconds."""
        seconds = super().convert(value, param, ctx)
        if not math.isfinite(seconds):
            self.fail(f"{value} is no time", param, ctx)
        return seconds


topology_argument = click.argument("path", metavar="TOPOLOGY", type=InputFile())
topologies_argument = click.argument("paths", metavar="TOPOLOGY...", type=InputFile(), nargs=-1, required=True)
phase_option = click.option(
    "--phase",
    type=click.Choice(["ha", "geo", "all"]),
    help="What to plan: the HA pairs, GEO, or both.  [default: geo; all if the topology has aws]",
)
output_option = click.option(
    "-o", "--output", metavar="FILE", type=OutputFile(), help="Write to FILE instead of the terminal."
)
output_or_folder_option = click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=OutputFile(may_be_folder=True),
    help="Write to FILE instead of the terminal; FOLDER/ gets a file for each group.",
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


def _addresses(ctx: click.Context, param: click.Parameter, written: tuple[str, ...]) -> tuple[str, ...]:
    """Return the addresses, each once. Raises :class:`click.BadParameter` for what is none."""
    from geoplan.addresses import canonical, is_address

    for each in written:
        if not is_address(each) or "%" in each:
            raise click.BadParameter(f"'{each}' is no IPv4 or IPv6 address.", ctx=ctx, param=param)
    return tuple({canonical(each): each for each in reversed(written)}.values())[::-1]


addresses_argument = click.argument("addresses", metavar="ADDRESS...", nargs=-1, required=True, callback=_addresses)
api_port_option = click.option(
    "--api-port",
    type=click.IntRange(1, MAX_PORT),
    help="The port of the API: 8443 in AWS and Azure.  [default: 443]",
)
health_check_port_option = click.option(
    "--health-check-port",
    type=click.IntRange(1, MAX_PORT),
    help="The port of the health check of a pair.  [default: 8444]",
)


def _networks(
    ctx: click.Context, param: click.Parameter, written: tuple[str, ...]
) -> tuple[IPv4Network | IPv6Network, ...]:
    from ipaddress import ip_network

    try:
        return tuple(map(ip_network, written))
    except ValueError as error:
        raise click.BadParameter(f"{error}. Write a network such as 10.0.0.0/8.", ctx=ctx, param=param) from None


within_option = click.option(
    "--within", metavar="CIDR", multiple=True, callback=_networks, help="A network of yours; repeatable."
)


def options_together(
    parameter: str, kind: type, *options: Callable[..., Any]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that adds options to a command, which gets them as one object under ``parameter``.

    ``kind`` is the object's class; its fields are named as the options, and have a default where a command lacks one.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def with_object(**given: Any) -> Any:  # noqa: ANN401 - whatever click gives
            own = {name: given.pop(name) for name in kind.__annotations__ if name in given}
            return command(**given, **{parameter: kind(**own)})

        for option in reversed(options):
            with_object = option(with_object)
        return with_object

    return decorate


@dataclass(frozen=True)
class Part:
    """The part of a topology that a command is about: of groups or of sites, or the whole without both."""

    groups: tuple[str, ...] = ()
    """As they were given; once the file is read as it writes them, and of sites their groups."""
    sites: tuple[str, ...] = ()

    @property
    def only(self) -> frozenset[str] | None:
        """The sites whose units are asked; None where all in its groups are."""
        return frozenset(self.sites) or None

    def words(self, command: str) -> list[str]:
        """Return the options that name this part to a command of geoplan."""
        if self.sites and command in _HAVING_SITES:
            return [word for site in self.sites for word in ("--site", site)]
        groups = self.groups if command in _HAVING_GROUPS else ()
        return [word for group in groups for word in ("--group", group)]


WHOLE = Part()
_HAVING_GROUPS = frozenset({"diagram", "diff", "follow", "plan", "push", "rehearse", "runbook", "status", "whatif"})
_HAVING_SITES = frozenset({"diff", "status"})


def site_option(meaning: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return ``--site`` for a command, which gets the names as ``sites``."""
    text = f"{meaning} (repeatable), by its name in any case or its slug."
    return click.option("--site", "sites", metavar="NAME", multiple=True, help=text)


_group_option = click.option(
    "--group",
    "groups",
    metavar="NAME",
    multiple=True,
    help="Only this group of sites (repeatable), by its name in any case or its slug; no other is asked or changed.",
)
group_option = options_together("part", Part, _group_option)
"""Adds ``--group`` to a command, which gets what is given as ``part``, a :class:`Part`."""
part_options = options_together("part", Part, _group_option, site_option("Only this site's own units"))
"""Adds ``--group`` and ``--site`` likewise."""


@dataclass(frozen=True)
class ChangeOptions:
    """What turns a plan into a change, as the options say; each field is named as its option, ``old`` as ``--from``."""

    old: str | None = None
    replaced: tuple[str, ...] = ()
    clean_leaving: bool = False
    retire: tuple[str, ...] = ()
    follow: bool = False
    within: tuple[IPv4Network | IPv6Network, ...] = ()

    @property
    def is_live(self) -> bool:
        """Whether it starts from what live units hold; a file of that name is ``./live``."""
        return self.old == LIVE

    def require_usable(self, phase: str | None) -> None:
        """Check that the options fit each other. Raises :class:`click.UsageError`."""
        if self.old is None and (self.replaced or self.clean_leaving or self.retire):
            given = "--replaced" if self.replaced else "--clean-leaving" if self.clean_leaving else "--retire"
            raise click.UsageError(f"{given} matters only with --from")
        if self.old is not None and phase not in (None, "geo"):
            raise click.UsageError(f"--from changes GEO alone: leave --phase {phase} out")
        if (self.follow or self.within) and not self.is_live:
            raise click.UsageError("--follow and --within matter only with --from live")
        if self.follow != bool(self.within):
            raise click.UsageError(
                "--follow and --within belong together: name the networks of yours, each with --within"
            )

    def as_written(self) -> list[str]:
        """Return the options as they are typed again."""
        words = ["--from", self.old] if self.old is not None else []
        words += [word for address in self.replaced for word in ("--replaced", address)]
        words += ["--clean-leaving"] if self.clean_leaving else []
        words += [word for group in self.retire for word in ("--retire", group)]
        words += ["--follow"] if self.follow else []
        return [*words, *(word for network in self.within for word in ("--within", str(network)))]


change_options = options_together(
    "change",
    ChangeOptions,
    click.option(
        "--from",
        "old",
        metavar="OLD",
        type=InputFile(),
        help="Plan only what leads here from OLD: a topology, a plan in JSON, or live: what the units hold.",
    ),
    click.option(
        "--replaced",
        metavar="ADDRESS",
        multiple=True,
        help="With --from: this unit is a new box at the address of a dead one; repeatable.",
    ),
    click.option(
        "--clean-leaving",
        is_flag=True,
        help="With --from: delete on sites that leave for good all clusters of the group, not only their own.",
    ),
    click.option(
        "--retire",
        metavar="GROUP",
        multiple=True,
        help="With --from: this whole group of OLD leaves, nobody of it is in TOPOLOGY; repeatable.",
    ),
    click.option(
        "--follow", is_flag=True, help="With --from live: ask units that these name, if in the networks of --within."
    ),
    within_option,
)


def values_of(ctx: click.Context, param: click.Parameter) -> Sequence[Any]:
    """Return what an option or argument was given: one value, or each of several."""
    given = ctx.params.get(param.name or "")
    return given if isinstance(given, tuple | list) else [given]


class Command(click.Command):
    """A command whose options and arguments are left out or have a value.

    An unset variable in a script gives an option an empty value, which must never be read as *not given*: a push would
    go to other units, or without review.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments.

        Raises :class:`click.BadParameter` for an empty value and for a value given twice, and
        :class:`click.UsageError` where two files would be standard input.
        """
        self._refuse_second_values(ctx, args)
        rest = super().parse_args(ctx, args)
        if not ctx.resilient_parsing:
            for param in self.get_params(ctx):
                if "" in values_of(ctx, param):
                    raise click.BadParameter(
                        EMPTY,
                        ctx=ctx,
                        param=param,
                    )
            self._refuse_second_stdin(ctx)
        return rest

    def _refuse_second_stdin(self, ctx: click.Context) -> None:
        """Raise :class:`click.UsageError` where the second of two files would find nothing left to read."""
        names = [
            param.make_metavar(ctx) if isinstance(param, click.Argument) else param.opts[0]
            for param in self.get_params(ctx)
            if isinstance(param.type, InputFile)
            for given in values_of(ctx, param)
            if given == STDIN
        ]
        if len(names) > 1:
            raise click.UsageError(f"{names[0]} and {names[1]} cannot both be standard input.", ctx)

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
