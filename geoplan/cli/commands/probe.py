"""``geoplan probe``."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from geoplan.cli.connection import connection_options, paces
from geoplan.cli.files import write
from geoplan.cli.formats import format_option
from geoplan.cli.options import Command, OutputFile, addresses_argument, api_port_option, health_check_port_option
from geoplan.cli.output import show_laid_out, terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import RenderableType

    from geoplan.cli.connection import ConnectionOptions
    from geoplan.live.probe.answers import ProbeAnswers
    from geoplan.loadmaster import UnitConnection

EPILOG = """
The report holds what each fact is, what the unit shows of it, and the shape of every answer: names of fields, known
words and small numbers. It holds no address, no name and no secret. Read it before you send it to the project: what a
unit answers in a form that nobody has seen yet cannot be judged by a program.

What may contradict a fact can have another cause: a name with _ may have been typed so, and a standby is red as well
until it has submitted its partners.

Exit codes: 0 the unit contradicts nothing for sure; 1 it contradicts a fact, or could not be read.
"""


@click.command("probe", cls=Command, epilog=EPILOG)
@addresses_argument
@api_port_option
@health_check_port_option
@click.option("--report", "report_path", metavar="FILE", type=OutputFile(), help="Write the report to FILE as JSON.")
@format_option("probe")
@connection_options
def command(  # noqa: PLR0913 - one for each option
    *,
    addresses: tuple[str, ...],
    api_port: int | None,
    health_check_port: int | None,
    report_path: str | None,
    output_format: str,
    reach: ConnectionOptions,
) -> int:
    """Ask real units how they answer, and show which facts of 'geoplan facts' they confirm or contradict.

    It only reads: about 50 requests to each unit, at a slow pace. Credentials that a unit refuses are not tried again.
    """
    import asyncio

    from geoplan.live.probe.report import readings, report
    from geoplan.loadmaster.connection import Timeouts, require_one_api_each
    from geoplan.vendor import API_PORT, DEFAULT_HEALTH_CHECK_PORT

    accesses = [
        reach.access_of(
            address,
            api_port=api_port or API_PORT,
            health_check_port=health_check_port or DEFAULT_HEALTH_CHECK_PORT,
        )
        for address in addresses
    ]
    require_one_api_each({access.address: access.api_url for access in accesses})
    quick = Timeouts(connect=4.0, answer=6.0)
    units = asyncio.run(_asked({access.address: replace(access, timeouts=quick) for access in accesses}))
    told = json.dumps(report(units, known_names=_private(accesses)), ensure_ascii=False, indent=2)
    if output_format == "json":
        write(told, None)
    else:
        _show(units)
    if report_path is not None:
        write(told, report_path)
    is_contradicted = any(each.verdict == "contradicts" for unit in units for each in readings(unit, units))
    is_read = len(units) == len(accesses) and all(unit.formats for unit in units)
    return 1 if is_contradicted or not is_read else 0


async def _asked(accesses: Mapping[str, UnitConnection]) -> list[ProbeAnswers]:
    from geoplan.errors import NotAskedError
    from geoplan.live.probe.answers import ask_unit
    from geoplan.loadmaster import LoopClock, connected

    units: list[ProbeAnswers] = []
    async with connected(accesses, LoopClock(), paces=paces()) as clients:
        for client in clients.values():
            if sys.stderr.isatty():
                click.echo(f"asking {client.address}: takes about 20 s", err=True)
            try:
                units.append(await ask_unit(client))
            except NotAskedError as error:
                click.echo(f"geoplan: {error}", err=True)
    return units


def _private(accesses: Sequence[UnitConnection]) -> Iterator[str]:
    """Yield what must not be in a report in any case: users and secrets."""
    from geoplan.loadmaster import UserPassword

    for access in accesses:
        if isinstance(access.credentials, UserPassword):
            yield from (access.credentials.user, access.credentials.password.reveal())
        else:
            yield access.credentials.key.reveal()


def _show(units: Sequence[ProbeAnswers]) -> None:
    from geoplan.console import laid_out

    width, color = terminal()
    for unit in units:
        show_laid_out(laid_out(_parts(unit, units), width=width, color=color), color=color)
    if any(unit.formats for unit in units):
        show_laid_out(laid_out(_not_read(), width=width, color=color), color=color)


def _parts(unit: ProbeAnswers, among: Sequence[ProbeAnswers]) -> Iterator[RenderableType]:
    from rich.text import Text

    from geoplan.live.probe.report import readings
    from geoplan.render.text import table
    from geoplan.wording import count

    yield Text(f"{unit.address} ({unit.api_url})", style="bold")
    if not unit.formats:
        yield from _failures(unit)
        return
    shown = table("Fact", "Expected", "Seen", "Verdict")
    read = readings(unit, among)
    told = [each for each in read if each.seen is not None]
    for each in told:
        style = {"contradicts": "bold yellow", "may contradict": "yellow", "adds": "bold"}.get(each.verdict, "")
        shown.add_row(each.fact.name, each.fact.shown, each.seen, Text(each.verdict, style=style))
    yield shown
    verdicts = [str(each.verdict) for each in told]
    names = ("confirms", "contradicts", "may contradict", "adds")
    numbers = ", ".join(f"{name} {verdicts.count(name)}" for name in names)
    yield Text(f"{numbers}; {count(len(read) - len(told), 'fact')} not shown by this unit")


def _not_read() -> Iterator[RenderableType]:
    """Say which facts stay unconfirmed whatever is read, and what would show them."""
    from rich.text import Text

    from geoplan.live.probe.report import NOT_READ

    yield Text("No read can show:", style="bold")
    for fact in NOT_READ:
        yield Text(f"  {fact.name}: only {fact.not_read}")


def _failures(unit: ProbeAnswers) -> Iterator[RenderableType]:
    """Say why nothing could be read, with the cause and what to do about it."""
    from rich.text import Text

    reasons = {str(raw.error): raw.error for raw in unit.raw.values() if raw.error is not None}
    for reason, error in reasons.items():
        yield Text(f"! {reason}")
        if error.hint:
            yield Text(f"  hint: {error.hint}")
