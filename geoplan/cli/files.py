"""The files that commands take and give."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from geoplan.cli.options import WHOLE, InputFile, Part
from geoplan.errors import InvalidInputError, UnusableFileError
from geoplan.files import display_name, read_bounded, write_atomically
from geoplan.wording import some_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from geoplan.diagnostics import Diagnostic
    from geoplan.plan.model import Phase, Plan
    from geoplan.topology.model import Topology

MAX_TEXT_BYTES = 16 * 1024 * 1024


def load_topology(path: str) -> Topology:
    """Read a topology; its warnings go to standard error, its errors are raised."""
    return load_part(path, WHOLE)[0]


def load_part(path: str, part: Part) -> tuple[Topology, Part]:
    """Read a topology, and return its groups that a command is about, with their names as the file writes them.

    For sites these are their whole groups: what a site is to hold depends on its partners. The whole file is checked,
    and a fault anywhere in it is raised; warnings of other groups are not repeated. Raises :class:`GeoplanError` for a
    name that is not there.
    """
    from geoplan.topology.loader import check_topology

    if part.groups and part.sites:
        raise click.UsageError("--group and --site contradict each other: give one of them")
    checked = check_topology(path)
    if checked.topology is None:
        raise InvalidInputError(f"{display_name(path)} is not a usable topology", checked.diagnostics)
    topology, part = _narrowed(checked.topology, part, display_name(path))
    _warn(checked.diagnostics, checked.topology, topology)
    return topology, part


def _narrowed(whole: Topology, part: Part, place: str) -> tuple[Topology, Part]:
    from geoplan.topology.part import groups_of_sites, only_groups

    groups: Collection[str] = part.groups
    if part.sites:
        by_site = groups_of_sites(whole, part.sites, place=place)
        part, groups = replace(part, sites=tuple(by_site)), frozenset(by_site.values())
    if not groups or (part.sites and whole.groups is None):
        return whole, part
    topology = only_groups(whole, groups, place=place)
    return topology, replace(part, groups=tuple(group.name for group in topology.partner_groups()))


def _warn(found: Iterable[Diagnostic], whole: Topology, part: Topology) -> None:
    """Show warnings, but for those about sites and groups that are not meant."""
    from geoplan.diagnostics import as_text

    sites, groups = {site.name for site in part.sites}, part.groups or {}

    def is_meant(warning: Diagnostic) -> bool:
        match warning.loc:
            case ("sites", int(number), *_):
                return whole.sites[number].name in sites
            case ("groups", str(name), *_):
                return name in groups
            case _:
                return True

    if warnings := [warning for warning in found if part is whole or is_meant(warning)]:
        click.echo(as_text(warnings), err=True)


def plan_phases(topology: Topology, phase: str | None) -> tuple[Phase, ...]:
    """Return the parts of the work that ``--phase`` names, or without it the usual ones."""
    from geoplan.plan.model import Phase
    from geoplan.plan.planner import usual_phases

    if phase is None:
        return usual_phases(topology)
    phases = (Phase.HA, Phase.GEO) if phase == "all" else (Phase(phase),)
    if phases == (Phase.HA,) and not any(site.ha_pair for site in topology.sites):
        of_part = "" if topology.whole is topology else f" in {some_of(topology.groups or ())}"
        raise click.UsageError(f"--phase {phase}: the topology '{topology.name}' has no HA pair{of_part}")
    return phases


def load_plan(path: str, phase: str | None = None, part: Part = WHOLE) -> Plan:
    """Read a topology and plan it, or a part of it."""
    return planned(load_part(path, part)[0], phase)


def planned(topology: Topology, phase: str | None = None) -> Plan:
    """Plan a topology, or the parts of the work that ``--phase`` names."""
    from geoplan.plan.planner import make_plan

    return make_plan(topology, plan_phases(topology, phase))


def read_text(path: str) -> str:
    """Read a file of plain text, though never one that cannot be what is meant; ``-`` is standard input."""
    content = read_bounded(path, MAX_TEXT_BYTES, is_stdin_allowed=True)
    if len(content) > MAX_TEXT_BYTES:
        hint = "check that it is the right file"
        raise UnusableFileError(f"cannot read {path}: it is larger than {MAX_TEXT_BYTES // 2**20} MiB", hint=hint)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnusableFileError(f"cannot read {path}: it is not UTF-8 text", hint="save it in UTF-8") from None


def write(text: str, output: str | None) -> None:
    """Write a result to a file, as a whole or not at all, or to standard output."""
    if output is None or output == "-":
        click.echo(text, nl=not text.endswith("\n"))
        return
    _refuse_to_replace_input(output)
    content = text if text.endswith("\n") else text + "\n"
    try:
        write_atomically(Path(output), content.encode())
    except OSError as error:
        raise UnusableFileError(
            f"cannot write {output}: {error.strerror or error}", hint="nothing was changed; choose another FILE"
        ) from None


def _refuse_to_replace_input(output: str) -> None:
    """Keep a slip such as ``-o`` with the topology's own name from losing the topology."""
    context = click.get_current_context(silent=True)
    for given in _read_files(context) if context else ():
        if Path(output).exists() and Path(given).exists() and Path(given).samefile(output):
            hint = "choose another FILE"
            raise UnusableFileError(f"{output} is the file that is read: it would be replaced", hint=hint)


def _read_files(context: click.Context) -> Iterator[str]:
    """Yield the files that a command was given to read, and that have to stay."""
    for param in context.command.params:
        given = context.params.get(param.name or "")
        if isinstance(param.type, InputFile) and not param.type.may_be_replaced and given not in (None, "-"):
            yield given
