"""``geoplan trust``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from geoplan.cli.files import Before, load_topology, write
from geoplan.cli.formats import format_option
from geoplan.cli.options import Command, InputFile, jobs_option, output_option, topology_argument
from geoplan.wording import shell_command

if TYPE_CHECKING:
    from geoplan.loadmaster.endpoints import Endpoints


@click.command("trust", cls=Command)
@topology_argument
@click.option(
    "--endpoints",
    metavar="FILE",
    type=InputFile(may_be_replaced=True),
    help="Where the units answer, and the fingerprints known so far.",
)
@output_option
@jobs_option
@click.option("--yes", "-y", is_flag=True, help="Do not ask. A changed fingerprint is still refused.")
@format_option("trust")
def command(  # noqa: PLR0913 - one for each option
    *, path: str, endpoints: str | None, output: str | None, jobs: int, yes: bool, output_format: str
) -> int:
    """Fetch the fingerprint of every unit's certificate, and write the file by which push, diff and status know them.

    Compare each fingerprint with the one that the unit itself shows: as with ssh, all trust rests on that. If one has
    changed, both are shown, nothing is written, and the exit code is 1. If a unit does not answer, the others are
    written, and the exit code is 1. If several units present one certificate, you are warned: one unit may answer at
    all of these addresses.
    """
    import asyncio

    from geoplan.loadmaster.pins import PinState, at_several_addresses, fetch_pins, joined, with_pins

    topology = load_topology(path)
    before = Before.of(output)
    given, present = _files(endpoints, output)
    units = asyncio.run(fetch_pins(topology, given, present, jobs=jobs))
    states = {unit.state for unit in units}
    if output_format == "text":
        for unit in units:
            click.echo(str(unit), err=True)  # standard output may be the file
    shared = at_several_addresses({unit.address: unit.presented for unit in units})
    _warn_of_shared(shared)
    agreed = PinState.CHANGED not in states and (PinState.NEW not in states or yes or _confirmed())
    if output_format == "json":
        listed = [unit.as_dict() for unit in units]
        report = {"format": "geoplan/trust/1", "accepted": agreed, "units": listed, "one_certificate": shared}
        click.echo(json.dumps(report, ensure_ascii=False, indent=2))
    if agreed and (output is not None or output_format == "text"):
        write(with_pins(joined(given, present), units).to_yaml(), output, before=before)
    elif not agreed:
        changed = [unit.address for unit in units if unit.state is PinState.CHANGED]
        _explain_refusal(changed, endpoints, output)
    return 1 if not agreed or PinState.UNREACHABLE in states else 0


def _warn_of_shared(shared: list[tuple[str, ...]]) -> None:
    from geoplan.wording import join_words

    for addresses in shared:
        click.echo(
            f"geoplan: warning: {join_words(addresses)} present one certificate: one unit may answer at all of these\n"
            "  hint: check where each URL leads, unless you have put one certificate on these units yourself",
            err=True,
        )


def _files(endpoints: str | None, output: str | None) -> tuple[Endpoints, Endpoints]:
    """Return what both files say: the one that is read, and the one that is about to be replaced."""
    from geoplan.loadmaster.endpoints import Endpoints, load_endpoints

    given = load_endpoints(endpoints) if endpoints is not None else Endpoints()
    is_there = output is not None and output != "-" and Path(output).is_file()
    return given, load_endpoints(output) if output and is_there else Endpoints()


def _confirmed() -> bool:
    question = "Does every fingerprint match the one that the unit itself shows?"
    try:
        return click.confirm(question, err=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        click.echo(err=True)
        return False


def _explain_refusal(changed: list[str], endpoints: str | None, output: str | None) -> None:
    if not changed:
        click.echo("nothing was written; in scripts, use --yes", err=True)
        return
    known = dict.fromkeys(name for name in (endpoints, output) if name and name != "-")
    files = " and ".join(map(shell_command, known))
    click.echo(
        f"nothing was written: the certificate of {', '.join(changed)} does not match the known fingerprint", err=True
    )
    click.echo(
        "  hint: someone may be intercepting the connection. If the certificate was renewed, delete the fingerprint "
        f"from {files} and run this again",
        err=True,
    )
