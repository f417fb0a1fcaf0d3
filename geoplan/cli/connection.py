"""The options by which commands reach live units, and the units that they lead to."""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

import click

from geoplan.cli.options import options_together

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from geoplan.live.fleet import Fleet
    from geoplan.live.polling import Clock, Timings
    from geoplan.loadmaster import Endpoints, ShownRequest, Trust, UnitConnection
    from geoplan.loadmaster.pace import Paces
    from geoplan.plan.model import Plan
    from geoplan.topology.model import Topology


@dataclass(frozen=True)
class ConnectionOptions:
    """How live units are reached, as the options say; each field is named as its option."""

    endpoints: str | None = None
    credentials: str | None = None
    ca_file: str | None = None
    keyring: bool = False
    insecure: bool = False
    use_proxies: bool = False

    def accesses(self, topology: Topology) -> dict[str, UnitConnection]:
        """Return the access to every unit of a topology."""
        from geoplan.loadmaster import CredentialSources, load_credentials, unit_connections

        sources = CredentialSources(
            os.environ,
            load_credentials(self.credentials) if self.credentials is not None else None,
            use_keyring=self.keyring,
            prompt=_prompt if sys.stdin.isatty() else None,
        )
        return unit_connections(
            topology,
            sources.credentials_of,
            endpoints=self._endpoints,
            trust=self._trust(),
            use_proxies=self.use_proxies,
        )

    def command(self, *words: str) -> str:
        """Return a command of geoplan that reaches the same units, ready to be typed."""
        given = ["geoplan", *words]
        for name, value in asdict(self).items():
            option = f"--{name.replace('_', '-')}"
            if value is True:
                given.append(option)
            elif value not in (None, False):
                given += [option, value]
        return shlex.join(given)

    def lab_file(self) -> str | None:
        """Return the endpoints file if it is a lab's, whose pushes are no production's."""
        return self.endpoints if self._endpoints is not None and self._endpoints.is_lab else None

    def lab_id(self) -> str | None:
        """Return what tells the lab of the endpoints file from every other, or None if it is no lab's."""
        return None if self._endpoints is None else self._endpoints.lab_id

    @cached_property
    def _endpoints(self) -> Endpoints | None:
        from geoplan.loadmaster import load_endpoints

        return None if self.endpoints is None else load_endpoints(self.endpoints)

    def _trust(self) -> Trust:
        from geoplan.loadmaster import CaFile, Insecure, SystemTrust

        if self.insecure:
            click.echo("geoplan: WARNING: --insecure: certificates are not checked; anyone on the path", err=True)
            click.echo("         can read the credentials and pretend to be the units", err=True)
            return Insecure()
        return CaFile(self.ca_file) if self.ca_file is not None else SystemTrust()


def _prompt(address: str, user: str) -> str:
    password: str = click.prompt(f"Password of {user} on {address} and others", hide_input=True, err=True)
    return password


connection_options = options_together(
    "reach",
    ConnectionOptions,
    click.option(
        "--endpoints", metavar="FILE", help="Where units answer: a file that geoplan lab or geoplan trust wrote."
    ),
    click.option("--credentials", metavar="FILE", help="A credentials file that only its owner can read."),
    click.option("--keyring", is_flag=True, help="Read the password from the system keyring."),
    click.option("--ca-file", metavar="FILE", help="Trust only the certificates in this PEM file."),
    click.option("--insecure", is_flag=True, help="Do not check certificates."),
    click.option("--use-proxies", is_flag=True, help="Use the proxy variables of the environment."),
)
"""Adds these options to a command, which gets them as ``reach``, a :class:`ConnectionOptions`."""


@cache
def paces() -> Paces:
    """Return how often each unit is asked by this process, whoever in it asks."""
    from geoplan.live.polling import SystemClock
    from geoplan.loadmaster.pace import Paces

    return Paces(SystemClock())


@asynccontextmanager
async def live_fleet(  # noqa: PLR0913 - options
    plan: Plan,
    accesses: dict[str, UnitConnection],
    clock: Clock,
    *,
    jobs: int,
    observer: Callable[[ShownRequest], None] | None = None,
    dry_run: bool = False,
    is_lab: bool = False,
    timings: Timings | None = None,
) -> AsyncIterator[Fleet]:
    """Have the units of a plan at hand while the block lasts; in a lab quick boots are waited for less long.

    ``timings`` are those of the plan unless given.
    """
    from geoplan.live.fleet import Fleet
    from geoplan.live.polling import Timings
    from geoplan.loadmaster.clients import connected

    observer_of = (lambda _address: observer) if observer else None
    async with connected(accesses, clock, observer_of=observer_of, dry_run=dry_run, paces=paces()) as units:
        yield Fleet(plan, units, clock, timings or Timings.of(plan.estimates, is_lab=is_lab), jobs=jobs)
