"""The options by which commands reach live units, and the units that they lead to."""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from geoplan.live.fleet import Fleet
    from geoplan.live.polling import Clock, Timings
    from geoplan.loadmaster import ShownRequest, Trust, UnitConnection
    from geoplan.plan.model import Plan
    from geoplan.topology.model import Topology


@dataclass(frozen=True)
class ConnectionOptions:
    """How live units are reached, as the options say."""

    endpoints: str | None = None
    credentials: str | None = None
    keyring: bool = False
    ca_file: str | None = None
    insecure: bool = False
    use_proxies: bool = False

    def accesses(self, topology: Topology) -> dict[str, UnitConnection]:
        """Return the access to every unit of a topology."""
        from geoplan.loadmaster import CredentialSources, load_endpoints, unit_connections
        from geoplan.loadmaster.credentials import load_credentials

        sources = CredentialSources(
            os.environ,
            load_credentials(self.credentials) if self.credentials is not None else None,
            use_keyring=self.keyring,
            prompt=_prompt if sys.stdin.isatty() else None,
        )
        return unit_connections(
            topology,
            sources.credentials_of,
            endpoints=load_endpoints(self.endpoints) if self.endpoints is not None else None,
            trust=self._trust(),
            use_proxies=self.use_proxies,
        )

    def command(self, *words: str) -> str:
        """Return a command of geoplan that reaches the same units, ready to be typed."""
        given = ["geoplan", *words]
        for option, value in (
            ("--endpoints", self.endpoints),
            ("--credentials", self.credentials),
            ("--ca-file", self.ca_file),
        ):
            given += [option, value] if value is not None else []
        given += ["--keyring"] if self.keyring else []
        given += ["--insecure"] if self.insecure else []
        given += ["--use-proxies"] if self.use_proxies else []
        return shlex.join(given)

    def lab_file(self) -> str | None:
        """Return the endpoints file where it is a lab's, whose pushes are no production's."""
        from geoplan.loadmaster import load_endpoints

        return self.endpoints if self.endpoints is not None and load_endpoints(self.endpoints).is_lab else None

    def lab_id(self) -> str | None:
        """Return what tells the lab of the endpoints file from every other, or ``None`` where it is no lab's."""
        from geoplan.loadmaster import load_endpoints

        return None if self.endpoints is None else load_endpoints(self.endpoints).lab_id

    def _trust(self) -> Trust:
        from geoplan.loadmaster import CaFile, Insecure, SystemTrust

        if self.insecure:
            click.echo("geoplan: WARNING: --insecure: certificates are not checked; anyone in between", err=True)
            click.echo("         can read the credentials and pretend to be the units", err=True)
            return Insecure()
        return CaFile(self.ca_file) if self.ca_file is not None else SystemTrust()


def connection_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add the options of :class:`ConnectionOptions` to a command, which gets it as ``reach``."""

    @wraps(command)
    def with_reach(**options: Any) -> int:  # noqa: ANN401 - whatever click gives
        own = {name: options.pop(name) for name in ConnectionOptions.__dataclass_fields__}
        return command(**options, reach=ConnectionOptions(**own))

    for option in reversed(_OPTIONS):
        with_reach = option(with_reach)
    return with_reach


_OPTIONS = (
    click.option("--endpoints", metavar="FILE", help="Where units answer, as geoplan lab and geoplan trust write it."),
    click.option("--credentials", metavar="FILE", help="A credentials file that only its owner can read."),
    click.option("--keyring", is_flag=True, help="Look the password up in the system keyring."),
    click.option("--ca-file", metavar="FILE", help="Trust the certificates in this PEM file."),
    click.option("--insecure", is_flag=True, help="Do not check certificates at all."),
    click.option("--use-proxies", is_flag=True, help="Let the proxy variables of the environment count."),
)


DEFAULT_READ_JOBS = 32

jobs_option = click.option(
    "--jobs", type=click.IntRange(1), default=DEFAULT_READ_JOBS, show_default=True, help="How many units at once."
)


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


def _prompt(address: str, user: str) -> str:
    password: str = click.prompt(f"Password of {user} on {address} and others", hide_input=True, err=True)
    return password
