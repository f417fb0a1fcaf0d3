"""``geoplan trust``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from geoplan.cli.files import load_topology, write
from geoplan.cli.formats import format_option
from geoplan.cli.options import Command, jobs_option, output_option, topology_argument

if TYPE_CHECKING:
    from geoplan.loadmaster.endpoints import Endpoints
    from geoplan.loadmaster.pins import PinnedUnit


@click.command("trust", cls=Command)
@topology_argument
@click.option("--endpoints", metavar="FILE", help="Where the units answer, and fingerprints that are known already.")
@output_option
@jobs_option
@click.option("--yes", "-y", is_flag=True, help="Do not ask; a changed fingerprint is refused all the same.")
@format_option("trust")
def command(  # noqa: PLR0913 - one for each option
    *, path: str, endpoints: str | None, output: str | None, jobs: int, yes: bool, output_format: str
) -> int:
    """Fetch the fingerprint of every unit's certificate, and write them for push, diff and status to hold the units to.

    Compare what is shown with what each unit shows itself; as with ssh, everything rests on that. A unit whose
    fingerprint is not the known one is shown with both, nothing is written then, and the exit code is 1. So it is
    where a unit does not answer, though the others are written.
    """
    import asyncio

    from geoplan.loadmaster.pins import PinState, fetch_pins, joined, with_pins

    topology = load_topology(path)
    given, present = _files(endpoints, output)
    units = asyncio.run(fetch_pins(topology, given, present, jobs=jobs))
    states = {unit.state for unit in units}
    if output_format == "text":
        _show(units)
    agreed = PinState.CHANGED not in states and (PinState.NEW not in states or yes or _confirmed())
    if output_format == "json":
        click.echo(json.dumps(_report(units, written=agreed), ensure_ascii=False, indent=2))
    if agreed and (output is not None or output_format == "text"):
        write(with_pins(joined(given, present), units).to_yaml(), output)
    elif not agreed:
        _explain_refusal(units, endpoints, output)
    return 1 if not agreed or PinState.UNREACHABLE in states else 0


def _files(endpoints: str | None, output: str | None) -> tuple[Endpoints, Endpoints]:
    """Return what both files say: the one that is read, and the one that is about to be replaced."""
    from geoplan.loadmaster.endpoints import Endpoints, load_endpoints

    given = load_endpoints(endpoints) if endpoints is not None else Endpoints()
    is_there = output is not None and output != "-" and Path(output).is_file()
    return given, load_endpoints(output) if output and is_there else Endpoints()


def _show(units: list[PinnedUnit]) -> None:
    """Show the fingerprints on standard error: standard output may be the file."""
    from geoplan.loadmaster.pins import PinState

    for unit in units:
        click.echo(f"{unit.address}  {unit.api}  {unit.state}", err=True)
        if unit.state is PinState.CHANGED:
            click.echo(f"    known      {unit.known}\n    presented  {unit.presented}", err=True)
        else:
            click.echo(f"    {unit.presented or unit.error}", err=True)


def _confirmed() -> bool:
    question = "Is each of them what the unit itself shows?"
    try:
        return click.confirm(question, err=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        click.echo(err=True)
        return False  # nobody there to ask


def _report(units: list[PinnedUnit], *, written: bool) -> dict[str, object]:
    listed = [
        {
            "address": unit.address,
            "api": unit.api,
            "state": unit.state.value,
            "fingerprint": unit.presented,
            "known": unit.known,
            "error": unit.error,
        }
        for unit in units
    ]
    return {"format": "geoplan/trust/1", "accepted": written, "units": listed}


def _explain_refusal(units: list[PinnedUnit], endpoints: str | None, output: str | None) -> None:
    from geoplan.loadmaster.pins import PinState

    changed = [unit.address for unit in units if unit.state is PinState.CHANGED]
    if not changed:
        click.echo("nothing was written; in scripts, --yes stands for the answer", err=True)
        return
    files = " and ".join(dict.fromkeys(name for name in (endpoints, output) if name and name != "-"))
    click.echo(f"nothing was written: the certificate of {', '.join(changed)} is not the known one", err=True)
    click.echo(
        f"  hint: somebody may be in between; if the certificate was renewed, delete the fingerprint from {files}"
        " and run this again",
        err=True,
    )
