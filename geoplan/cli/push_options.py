"""The options that change what a push does: a push is given them, and an approval holds them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from click.core import ParameterSource

from geoplan.cli.options import WHOLE, Part
from geoplan.files import STDIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from geoplan.cli.files import OldState
    from geoplan.plan.model import Plan
    from geoplan.push.options import Options, Origin
    from geoplan.push.undoing import Undoing


class GivenFlags(NamedTuple):
    """These options as they were given."""

    reboots: tuple[str, ...] = ()
    parallel_groups: bool = False
    remove_unknown: bool = False
    accept_geo_merge: bool = False
    accept_fqdn_loss: bool = False

    def options(self, plan: Plan) -> Options:
        """Return the options of a push of a plan. Raises :class:`click.UsageError` where they cannot be."""
        from geoplan.push.options import Options, RebootMode

        modes: list[RebootMode] = []
        sites: list[str] = []
        for written in self.reboots:
            word, is_of_site, site = written.partition("=")
            if is_of_site and word == RebootMode.ALWAYS:
                sites.append(_pair(plan, site))
            elif written in list(RebootMode):
                modes.append(RebootMode(written))
            else:
                raise click.UsageError(f"--reboot {written}: write changed, always, always=SITE or never")
        if len(set(modes)) > 1 or (sites and RebootMode.NEVER in modes):
            raise click.UsageError("--reboot: these contradict each other")
        return Options(
            jobs=1,
            reboot=modes[0] if modes else RebootMode.CHANGED,
            reboot_sites=tuple(sites),
            parallel_groups=self.parallel_groups,
            remove_unknown=self.remove_unknown,
            accept_geo_merge=self.accept_geo_merge,
            accept_fqdn_loss=self.accept_fqdn_loss,
        )


@dataclass(frozen=True)
class PushFlags:
    """What the command line says of how a push goes about it, and not of what it does."""

    path: str
    phase: str | None
    state_dir: str | None
    output_format: str
    yes: bool
    dry_run: bool
    lab: bool
    jobs: int
    """How many units are asked at once."""
    part: Part = WHOLE
    """The groups of the topology that it is of."""
    old: OldState | None = None
    """Where a change starts."""
    accepts_seed_by_api: bool = False
    """Whether the question of ``--seed-by-api`` is answered beforehand."""
    accepts_ha_change: tuple[str, ...] = ()
    """The pairs at work whose change of HA parameters is confirmed beforehand."""
    variants: tuple[str, ...] = ()
    """In what the units of the embedded lab are otherwise."""
    undoing: Undoing | None = None
    """What takes a push back, where this one does that."""
    record: str | None = None
    """Where the record of the push goes."""

    def of_lab(self) -> list[str]:
        """Return the options that lead to the same embedded lab again."""
        return ["--lab", *(word for variant in self.variants for word in ("--variant", variant))]


_OF_SECRETS = frozenset({"credentials", "client_cert", "client_key", "secret_file", "old_secret_file"})
"""Options whose values no journal holds: they name files of secrets."""


def origin_of(context: click.Context, path: str) -> Origin:
    """Return how a push was typed, for its journal: the file, and the options with all values but files of secrets."""
    from geoplan.push.options import Origin

    flags: list[str] = []
    for param in context.command.params:
        name = param.name or ""
        is_given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if not isinstance(param, click.Option) or not is_given:
            continue
        given = context.params.get(name)
        if param.is_flag or name in _OF_SECRETS:
            flags.append(param.opts[0])
        else:
            values = given if isinstance(given, tuple) else (given,)
            flags += [word for value in values for word in (param.opts[0], str(value))]
    return Origin(None if path == STDIN else path, tuple(flags))


def _pair(plan: Plan, name: str) -> str:
    from geoplan.plan.model import Action

    pairs = [step.site for step in plan.steps if step.action is Action.REBOOT_MASTER]
    if name not in pairs:
        known = ", ".join(f"'{pair}'" for pair in pairs) or "none"
        raise click.UsageError(f"--reboot always={name}: the plan reboots no such pair; its pairs are {known}")
    return name


def require_changed_pairs(plan: Plan, names: Iterable[str]) -> None:
    """Check that a plan changes HA parameters of these pairs. Raises :class:`click.UsageError`."""
    from geoplan.plan.ha_change import consequences_of

    pairs = dict.fromkeys(step.site for step in plan.steps if consequences_of(plan, step))
    for name in names:
        if name not in pairs:
            known = ", ".join(f"'{pair}'" for pair in pairs) or "none"
            message = (
                f"--accept-ha-change {name}: the plan changes HA parameters of no such pair; its pairs are {known}"
            )
            raise click.UsageError(message)


_OPTIONS = (
    click.option(
        "--reboot",
        "reboots",
        metavar="[changed|always[=SITE]|never]",
        multiple=True,
        help="Which pairs to reboot: those whose partners change, all, SITE as well (repeatable), or none.  "
        "[default: changed]",
    ),
    click.option("--parallel-groups", is_flag=True, help="Reboot pairs of different groups at the same time."),
    click.option("--remove-unknown", is_flag=True, help="Remove live addresses that the plan does not have."),
    click.option(
        "--accept-geo-merge", is_flag=True, help="Let units with different GEO configurations become partners."
    ),
    click.option(
        "--accept-fqdn-loss", is_flag=True, help="Delete clusters of sites that leave even where an FQDN uses them."
    ),
)

keep_backups_option = click.option(
    "--keep-backups",
    metavar="N",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="Of how many pushes of each unit to keep the backups.",
)

state_dir_option = click.option(
    "--state-dir",
    metavar="DIR",
    type=click.Path(file_okay=False),
    help="Where journals are kept.  [default: GEOPLAN_STATE_DIR, else the user's state folder]",
)


def flags_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add these options to a command, which gets them as ``flags``."""

    @wraps(command)
    def with_flags(**options: Any) -> Any:  # noqa: ANN401 - whatever click gives
        own = {name: options.pop(name) for name in GivenFlags._fields}
        return command(**options, flags=GivenFlags(**own))

    for option in reversed(_OPTIONS):
        with_flags = option(with_flags)
    return with_flags
