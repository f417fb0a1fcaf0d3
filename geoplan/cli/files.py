"""The files that commands take and give."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from geoplan.errors import InvalidInputError, UnusableFileError
from geoplan.files import read_bounded, write_atomically

if TYPE_CHECKING:
    from geoplan.plan.model import Phase, Plan
    from geoplan.topology.model import Topology

MAX_TEXT_BYTES = 16 * 1024 * 1024


def load_topology(path: str) -> Topology:
    """Read a topology; its warnings go to standard error, its errors are raised."""
    from geoplan.diagnostics import as_text
    from geoplan.topology.loader import check_topology, display_name

    checked = check_topology(path)
    if checked.topology is None:
        raise InvalidInputError(f"{display_name(path)} is not a usable topology", checked.diagnostics)
    if checked.diagnostics:
        click.echo(as_text(checked.diagnostics), err=True)
    return checked.topology


def plan_phases(topology: Topology, phase: str | None) -> tuple[Phase, ...]:
    """Return the parts of the work that ``--phase`` names, or without it the usual ones."""
    from geoplan.plan.model import Phase
    from geoplan.plan.planner import usual_phases

    if phase is None:
        return usual_phases(topology)
    phases = (Phase.HA, Phase.GEO) if phase == "all" else (Phase(phase),)
    if phases == (Phase.HA,) and not any(site.ha_pair for site in topology.sites):
        raise click.UsageError(f"--phase {phase}: the topology '{topology.name}' has no HA pair")
    return phases


def load_plan(path: str, phase: str | None = None) -> Plan:
    """Read a topology and plan it."""
    return planned(load_topology(path), phase)


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
    for given in (context.params.get("path"), context.params.get("recorded")) if context else ():
        if given and given != "-" and Path(output).exists() and Path(given).samefile(output):
            hint = "choose another FILE"
            raise UnusableFileError(f"{output} is the file that is read: it would be replaced", hint=hint)
