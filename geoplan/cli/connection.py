"""The options by which commands reach live units, and the units that they lead to."""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import click

from geoplan.cli.options import InputFile, options_together

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from geoplan.live.fleet import Fleet
    from geoplan.live.polling import Clock, Timings
    from geoplan.loadmaster import Endpoints, ShownRequest, Trust, UnitConnection
    from geoplan.loadmaster.client_certificate import ClientCertificate
    from geoplan.loadmaster.credentials import CredentialsFile
    from geoplan.plan.model import Plan
    from geoplan.topology.model import Topology


@dataclass(frozen=True)
class ConnectionOptions:
    """How live units are reached, as the options say; each field is named as its option."""

    endpoints: str | None = None
    credentials: str | None = None
    ca_file: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    keyring: bool = False
    insecure: bool = False
    use_proxies: bool = False

    def accesses(self, topology: Topology) -> dict[str, UnitConnection]:
        """Return the access to every unit of a topology."""
        from geoplan.loadmaster import CredentialSources, unit_connections

        sources = CredentialSources(
            os.environ,
            self._credentials,
            use_keyring=self.keyring,
            prompt=_prompt if sys.stdin.isatty() else None,
        )
        return unit_connections(
            topology,
            sources.credentials_of,
            endpoints=self._endpoints,
            trust=self._trust(),
            certificate=self._certificate(),
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

    @cached_property
    def _credentials(self) -> CredentialsFile | None:
        from geoplan.loadmaster.credentials import read_credentials

        if self.credentials is None:
            return None
        file, warnings = read_credentials(self.credentials)
        for warning in warnings:
            click.echo(f"geoplan: warning: {warning}", err=True)
        return file

    def _trust(self) -> Trust:
        from geoplan.loadmaster import CaFile, Insecure, SystemTrust

        if self.insecure:
            click.echo("geoplan: WARNING: --insecure: certificates are not checked; anyone on the path", err=True)
            click.echo("         can read the credentials and pretend to be the units", err=True)
            return Insecure()
        if self.ca_file is None:
            return SystemTrust()
        trust = CaFile(self.ca_file)
        _ = trust.context  # what is wrong with the file is said before any unit is asked
        return trust

    def _certificate(self) -> ClientCertificate | None:
        from geoplan.loadmaster.client_certificate import load_client_certificate

        if self.client_cert is None and self.client_key is not None:
            raise click.UsageError("--client-key is the key of --client-cert, which is missing")
        if self.client_cert is None:
            return None
        if self.insecure:
            raise click.UsageError("--client-cert is for units that are checked: leave --insecure out")
        return load_client_certificate(self.client_cert, self.client_key, os.environ)


def _prompt(address: str, user: str) -> str:
    password: str = click.prompt(f"Password of {user} on {address} and others", hide_input=True, err=True)
    return password


connection_options = options_together(
    "reach",
    ConnectionOptions,
    click.option(
        "--endpoints",
        metavar="FILE",
        type=InputFile(),
        help="Where units answer: a file that geoplan lab or geoplan trust wrote.",
    ),
    click.option(
        "--credentials", metavar="FILE", type=InputFile(), help="A credentials file that only its owner can read."
    ),
    click.option("--keyring", is_flag=True, help="Read the password from the system keyring."),
    click.option("--ca-file", metavar="FILE", type=InputFile(), help="Trust only the certificates in this PEM file."),
    click.option(
        "--client-cert",
        metavar="FILE",
        type=InputFile(),
        help="Show units that want one this certificate, in PEM with its key.",
    ),
    click.option("--client-key", metavar="FILE", type=InputFile(), help="The key, where it has a file of its own."),
    click.option("--insecure", is_flag=True, help="Do not check certificates."),
    click.option("--use-proxies", is_flag=True, help="Use the proxy variables of the environment."),
)
"""Adds these options to a command, which gets them as ``reach``, a :class:`ConnectionOptions`."""


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
    from geoplan.loadmaster.client import connected

    observer_of = (lambda _address: observer) if observer else None
    async with connected(accesses, clock, observer_of=observer_of, dry_run=dry_run) as units:
        yield Fleet(plan, units, clock, timings or Timings.of(plan.estimates, is_lab=is_lab), jobs=jobs)
