"""The files that commands take and give."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, NamedTuple

import click

from geoplan.cli.options import WHOLE, InputFile, Part, values_of
from geoplan.errors import InvalidInputError, UnusableFileError
from geoplan.files import OtherFileError, descriptor_of, display_name, read_bounded, write_atomically
from geoplan.wording import some_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from geoplan.cli.options import ChangeOptions
    from geoplan.diagnostics import Diagnostic
    from geoplan.plan.model import Phase, Plan
    from geoplan.topology.model import Topology

MAX_TEXT_BYTES = 16 * 1024 * 1024


def load_topology(path: str) -> Topology:
    """Read a topology; its warnings go to standard error, its errors are raised."""
    return load_part(path, WHOLE)[0]


def load_with_text(path: str) -> tuple[Topology, str]:
    """Read a topology as :func:`load_topology` does, and return the very text that it was read from as well."""
    from geoplan.topology.loader import check_text

    name, text = display_name(path), read_text(path)
    checked = check_text(text.encode(), path=name, default_name=PurePath(name).stem)
    if checked.topology is None:
        raise InvalidInputError(f"{name} is not a usable topology", checked.diagnostics)
    _warn(checked.diagnostics, checked.topology, checked.topology)
    return checked.topology, text


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


def load_topologies(paths: Sequence[str]) -> list[Topology]:
    """Read several topologies; their warnings go to standard error.

    Raises :class:`InvalidInputError` with every fault of all of them, and :class:`UnusableFileError` with every file
    that cannot be read: part of what was asked for is never taken for the whole.
    """
    from geoplan.diagnostics import as_text
    from geoplan.topology.checks import check_files, raise_unreadable

    files = check_files(paths)
    faulty = [file for file in files if not (file.is_usable or file.unreadable)]
    faults = [found for file in faulty for found in file.diagnostics]
    if faults and len(faulty) < sum(not file.is_usable for file in files):
        click.echo(as_text(faults), err=True)
    raise_unreadable(files)
    if faulty:
        raise InvalidInputError(f"{some_of([file.path for file in faulty])}: not a usable topology", faults)
    topologies = []
    for file in files:
        assert file.topology is not None  # noqa: S101 - for the type checker
        _warn(file.diagnostics, file.topology, file.topology)
        topologies.append(file.topology)
    return topologies


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


def named_phase(topology: Topology, phase: str | None) -> str:
    """Return ``--phase``, or the name of what is usual: for hundreds of groups that is looked for once."""
    from geoplan.plan.model import Phase

    return phase or ("all" if Phase.HA in plan_phases(topology, None) else "geo")


def load_plan(path: str, phase: str | None = None, part: Part = WHOLE) -> Plan:
    """Read a topology and plan it, or a part of it."""
    return planned(load_part(path, part)[0], phase)


def planned(topology: Topology, phase: str | None = None) -> Plan:
    """Plan a topology, or the parts of the work that ``--phase`` names.

    Raises :class:`click.UsageError` where there is nothing of such a part.
    """
    from geoplan.plan.planner import make_plan

    return make_plan(topology, plan_phases(topology, phase))


def planned_change(topology: Topology, old: OldState, change: ChangeOptions, owing: Collection[str] = ()) -> Plan:
    """Plan what leads from an older state to a topology; the pairs ``owing`` are rebooted whatever changes.

    Raises :class:`geoplan.errors.ChangeRefusedError` with every reason why no safe plan does.
    """
    from geoplan.plan.change import make_change

    return make_change(
        topology,
        old.plan,
        replaced=change.replaced,
        cleans_leaving=change.clean_leaving,
        retired=change.retire,
        owing=owing,
    )


class OldState(NamedTuple):
    """Where a change starts."""

    plan: Plan
    topology: Topology | None
    """None where it was read from a plan, which does not say where its units' APIs are."""
    api_port: int | None = None
    """Where the APIs of its units are, each at the unit's own address, if that is known without a topology."""


def load_old(path: str) -> OldState:
    """Read the OLD of ``--from``: a topology, or a plan in JSON; its warnings matter to nobody any more.

    Raises :class:`geoplan.InvalidInputError` with every fault of a topology, and
    :class:`geoplan.errors.UnusableFileError` for a plan that was edited, or is none.
    """
    from geoplan.plan.model import Phase
    from geoplan.plan.planner import make_plan
    from geoplan.topology.loader import check_text

    text = read_text(path)
    if _PLAN_FORMAT.search(text[:_HEAD_CHARACTERS]):
        return OldState(_read_plan(text, display_name(path)), None)
    name = display_name(path)
    checked = check_text(text.encode(), path=name, default_name=PurePath(name).stem)
    if checked.topology is None:
        raise InvalidInputError(f"{name} is not a usable topology", checked.diagnostics)
    return OldState(make_plan(checked.topology, (Phase.GEO,)), checked.topology)


_HEAD_CHARACTERS = 4096
_PLAN_FORMAT = re.compile(r"""^\s*[{,]?\s*["']?format["']?\s*:\s*["']?geoplan/""", re.MULTILINE)
"""A line that no topology has: the first key of everything that geoplan writes for programs."""


def _read_plan(text: str, name: str) -> Plan:
    from geoplan.plan.model import Plan

    try:
        return Plan.model_validate_json(text)
    except (ValueError, RecursionError) as error:
        line = next((number for number, line in enumerate(text.splitlines(), 1) if '"checksum"' in line), 1)
        raise UnusableFileError(
            f"{name}:{line}: not a usable plan: {what_is_wrong(error)}",
            hint="give a plan as geoplan plan --format json wrote it, or the topology that it was made of",
        ) from None


def what_is_wrong(error: ValueError | RecursionError) -> str:
    """Say where the first fault of a file in JSON is, and what it is."""
    import json

    from pydantic import ValidationError

    from geoplan.wording import count

    match error:
        case json.JSONDecodeError():
            return f"line {error.lineno}, column {error.colno} is not JSON"
        case ValidationError():
            faults = error.errors(include_url=False, include_context=False)
            first, more = faults[0], len(faults) - 1
            where = ".".join(map(str, first["loc"])) or "the file"
            what = _FAULTS.get(first["type"]) or f"wrong: {first['msg'][:1].lower()}{first['msg'][1:]}"
            return f"{where} is {what}" + (f"; and {count(more, 'more fault')}" if more else "")
        case _:
            return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


_FAULTS = {"missing": "missing", "extra_forbidden": "unknown, so another version of geoplan may have written it"}


BYTE_ORDER_MARK = "\ufeff"
"""What some editors begin a file with; it is no part of the text."""


def read_text(path: str, *, keeps_mark: bool = False) -> str:
    """Read a file of plain text, though never one that cannot be what is meant; ``-`` is standard input.

    A byte order mark at its beginning is left out unless it is kept.
    """
    content = read_bounded(path, MAX_TEXT_BYTES, is_stdin_allowed=True)
    if len(content) > MAX_TEXT_BYTES:
        hint = "check that it is the right file"
        raise UnusableFileError(f"cannot read {path}: it is larger than {MAX_TEXT_BYTES // 2**20} MiB", hint=hint)
    try:
        return content.decode("utf-8" if keeps_mark else "utf-8-sig")
    except UnicodeDecodeError:
        raise UnusableFileError(f"cannot read {path}: it is not UTF-8 text", hint="save it in UTF-8") from None


class Before(NamedTuple):
    """What stood where a result is to be written, when a command began."""

    content: bytes | None
    """None where there was nothing."""

    @classmethod
    def of(cls, output: str | None) -> Before | None:
        """Look at an output; None where it is no file that could be lost: a terminal, a pipe, a device."""
        path = Path(output or "-")
        if output in (None, "-") or descriptor_of(path) is not None:
            return None
        if not os.path.lexists(path):
            return cls(None)
        try:
            return cls(path.read_bytes()) if path.is_file() else None
        except OSError:  # who may not read it has lost nothing that they know of
            return None


def write(text: str, output: str | None, *, is_complete: bool = False, before: Before | None = None) -> None:
    """Write a result to a file, as a whole or not at all, or to standard output.

    Its last line is ended, unless it ``is_complete``: then every byte is as somebody wrote it. Where ``before`` is
    given, nothing but that is replaced: raises :class:`UnusableFileError` where somebody has written there meanwhile.
    """
    content = text if is_complete or text.endswith("\n") else text + "\n"
    if output is None or output == "-":
        click.echo(content, nl=False)
        return
    _refuse_to_replace_input(output)
    may_replace, instead_of = before is None or before.content is not None, before.content if before else None
    try:
        write_atomically(Path(output), content.encode(), may_replace=may_replace, instead_of=instead_of)
    except BrokenPipeError:
        return  # whoever reads the pipe, such as head, has had enough
    except FileExistsError as error:
        what = "has been changed" if isinstance(error, OtherFileError) else "has come into being"
        raise UnusableFileError(
            f"cannot write {output}: it {what} since this command began, and was left as it is",
            hint="nothing was written; look at it and give the command again, or choose another FILE",
        ) from None
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
        if isinstance(param.type, InputFile) and not param.type.may_be_replaced:
            yield from (given for given in values_of(context, param) if given not in (None, "-"))
