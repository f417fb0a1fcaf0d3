"""The files that commands take and give."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from geoplan.errors import UnusableFileError

if TYPE_CHECKING:
    from geoplan.plan.model import Phase, Plan
    from geoplan.topology.model import Topology

MAX_TEXT_BYTES = 16 * 1024 * 1024

topology_argument = click.argument("path", metavar="TOPOLOGY", type=click.Path(allow_dash=True))
phase_option = click.option(
    "--phase",
    type=click.Choice(["ha", "geo", "all"]),
    help="The HA pairs themselves, GEO upon them, or all; default: geo, and all where the topology has aws.",
)
output_option = click.option(
    "-o", "--output", metavar="FILE", type=click.Path(allow_dash=True), help="Write to FILE instead of the terminal."
)


def load_topology(path: str) -> Topology:
    """Read a topology; its warnings go to standard error, its errors are raised."""
    from geoplan.diagnostics import as_text
    from geoplan.errors import InvalidInputError
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
    from geoplan.plan.planner import make_plan

    topology = load_topology(path)
    return make_plan(topology, plan_phases(topology, phase))


def read_text(path: str) -> str:
    """Read a file of plain text, though never one that cannot be what is meant; ``-`` is standard input."""
    try:
        if path == "-":
            content = sys.stdin.buffer.read(MAX_TEXT_BYTES + 1)
        else:
            with Path(path).open("rb") as file:
                content = file.read(MAX_TEXT_BYTES + 1)
        if len(content) > MAX_TEXT_BYTES:
            hint = "check that it is the right file"
            raise UnusableFileError(f"cannot read {path}: it is larger than {MAX_TEXT_BYTES // 2**20} MiB", hint=hint)
        return content.decode("utf-8-sig")
    except OSError as error:
        raise UnusableFileError(
            f"cannot read {path}: {error.strerror or error}", hint="check the path and its permissions"
        ) from None
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
        _replace(Path(output), content.encode())
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


def _replace(target: Path, content: bytes) -> None:
    """Put new content in a file's place, so that nobody ever sees half of it."""
    target = Path(os.path.realpath(target))
    if target.exists() and not target.is_file():  # a device or a pipe cannot be replaced, only written to
        target.write_bytes(content)
        return
    import tempfile

    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(_mode_for(target))
        Path(name).replace(target)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _mode_for(target: Path) -> int:
    """Return the permissions of the file that is replaced, or those that a new file gets."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def terminal() -> tuple[int, bool]:
    """Return how many columns standard output has, and whether it takes colour (NO_COLOR and the like count)."""
    from rich.console import Console

    console = Console(file=sys.stdout)
    return console.width, console.color_system is not None and not console.no_color
