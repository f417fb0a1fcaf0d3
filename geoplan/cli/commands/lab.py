"""``geoplan lab``."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from geoplan.cli.files import load_topology
from geoplan.cli.options import Command, OutputFile, lab_installed, topology_argument, variant_option
from geoplan.cli.output import end_if_unread, show_laid_out, terminal
from geoplan.lab.faults import FaultKind
from geoplan.lab.operations import VERBS
from geoplan.lab.simulation import DEFAULT_RATE_LIMIT
from geoplan.lab.variants import Variant
from geoplan.wording import shell_command

if TYPE_CHECKING:
    from geoplan.lab.lab import Lab
    from geoplan.lab.operations import Verb

_OF_REQUEST = "\n".join(f"  {kind:19} {kind.description}" for kind in FaultKind if not kind.hits_unit)
_OF_UNIT = "\n".join(f"  {kind:19} {kind.description}" for kind in FaultKind if kind.hits_unit)
_VARIANTS = "\n".join(f"  {variant:23} {variant.description}" for variant in Variant)
_EXAMPLES = {"NUMBER": "1", "NAME": "HA%20Pair%201", "ADDRESS": "172.24.1.5"}


def _request(verb: Verb) -> str:
    """Return how curl sends a verb."""
    path = verb.path
    for word, example in _EXAMPLES.items():
        path = path.replace(word, example)
    by_method = ["-X", verb.method] if verb.method != "GET" else []
    return f"  {shell_command('curl', *(['-d', verb.example] if verb.example else by_method), f'CONTROL{path}')}"


_VERBS = "\n".join(f"{_request(verb):57} # {verb.help}" for verb in VERBS)

EPILOG = f"""\b
Faults are written KIND[,unit=ADDRESS][,command=NAME][,occurrence=N][,seconds=S][,applied=yes|no].
These hit a request:
{_OF_REQUEST}
These hit a unit, at its reboot or at the command that is named:
{_OF_UNIT}
NAME is a command, set:PARAMETER for one parameter, or health. What is left out matches everything;
without an occurrence the fault stays until it is lifted. applied=yes: done, although the answer was lost.

\b
  --fault timeout,unit=172.24.1.6,command=set:geopartners,occurrence=1
  --fault ignore,command=addcluster
  --fault no-return,unit=172.24.1.5
  --fault slow,seconds=0.5

\b
Where sources disagree on what LoadMasters do, the lab takes one side, and a variant the other (geoplan facts names
which fact it contradicts). --variant NAME: its units
{_VARIANTS}

\b
While the lab runs, its control endpoint does the same and more:
{_VERBS}

A fail-over is an orderly hand-over: nothing is lost, and the slave stays active until the master next boots, also
under Prefer Master. A power-off is the crash: what the standby does not have yet is lost.

Ctrl-C, SIGTERM or the end of its session stops it, with exit code 0.
"""


@click.command("lab", cls=Command, epilog=EPILOG)
@topology_argument
@click.option("--boot-seconds", type=float, default=3, show_default=True, help="From a reboot until the unit is up.")
@click.option(
    "--failover-seconds", type=float, default=0.5, show_default=True, help="Until the standby takes over; below a boot."
)
@click.option("--sync-seconds", type=float, default=1, show_default=True, help="Until the standby has a change.")
@click.option(
    "--firmware",
    metavar="VERSION",
    help="What all units run; it decides what exists.  [default: the topology's, else 7.2.59.4]",
)
@click.option("--fault", "faults", metavar="FAULT", multiple=True, help="Inject a fault; repeatable.")
@variant_option
@click.option(
    "--endpoints",
    metavar="FILE",
    type=OutputFile(),
    help="Write where everything answers, for push, diff and status, while it does.",
)
@click.option(
    "--port-base",
    type=click.IntRange(1024, 65535),
    metavar="PORT",
    help="Take the ports from here on: control, then two a unit.",
)
@click.option(
    "--rate-limit",
    type=click.IntRange(0),
    metavar="N",
    default=DEFAULT_RATE_LIMIT,
    show_default=True,
    help="How many calls a unit takes in 3 seconds before it drops connections; 0 for any number. By default it counts "
    "in a shorter time where units boot faster than real ones.",
)
@click.option("--standalone-health", is_flag=True, help="Standalones serve the health check too.")
@click.option("--unpaired", is_flag=True, help="Start the units of pairs as fresh ones: single, no HA parameters.")
@click.option("--quiet", "-q", is_flag=True, help="Do not log requests.")
def command(*, path: str, endpoints: str | None, quiet: bool, **options: Any) -> None:  # noqa: ANN401 - the lab's
    """Serve every unit of a topology as a simulated LoadMaster on loopback.

    Each answers APIv1 and APIv2 with its own certificate, and its health check, and behaves as GEO and HA do:
    reboots, failovers, replication, partners. Credentials are GEOPLAN_USER, GEOPLAN_PASSWORD and GEOPLAN_APIKEY, else
    the user bal with a password that is generated and shown once.
    """
    with lab_installed():
        from geoplan.lab.device.unit import Credentials
        from geoplan.lab.lab import Lab
        from geoplan.lab.serve.process import serve

    lab = Lab(load_topology(path), credentials=Credentials.from_environment(os.environ), **options)
    serve(lab, announce=lambda: _announce(lab, endpoints), endpoints=endpoints, log_requests=not quiet)


def _announce(lab: Lab, endpoints: str | None) -> None:
    """Show where everything answers: a table that fits a terminal, aligned columns in a pipe."""
    from geoplan.lab.serve.table import as_columns, as_table

    network, on_terminal = lab.simulation.network, sys.stdout.isatty()
    if on_terminal:
        width, color = terminal()
        show_laid_out(as_table(network, lab.endpoints, width=width, color=color), color=color)
        place = (
            f"The whole fingerprints are in {shell_command(endpoints)}"
            if endpoints
            else "The whole fingerprints are in the file of --endpoints FILE."
        )
        click.echo(f"\n{place}")
    else:
        click.echo(as_columns(network, lab.endpoints), nl=False)
    click.echo(f"\ncontrol   {lab.endpoints.control}")
    click.echo(f"user      {lab.credentials.user}")
    if not os.environ.get("GEOPLAN_PASSWORD"):
        click.echo(f"password  {lab.credentials.password}")
    click.echo("Ctrl-C stops it.\n")
    end_if_unread()
