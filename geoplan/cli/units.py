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

    from geoplan.loadmaster import ShownRequest, Trust, UnitAccess
    from geoplan.plan.model import Plan
    from geoplan.push.clock import Clock
    from geoplan.push.fleet import Fleet
    from geoplan.topology.model import Topology


@dataclass(frozen=True)
class Reach:
    """How live units are reached, as the options say."""

    endpoints: str | None = None
    credentials: str | None = None
    keyring: bool = False
    ca_file: str | None = None
    insecure: bool = False
    use_proxies: bool = False

    def accesses(self, topology: Topology) -> dict[str, UnitAccess]:
        """Return the access to every unit of a topology."""
        from geoplan.loadmaster import CredentialSources, load_endpoints, unit_accesses
        from geoplan.loadmaster.credentials_file import load_credentials

        sources = CredentialSources(
            os.environ,
            load_credentials(self.credentials) if self.credentials else None,
            use_keyring=self.keyring,
            prompt=_prompt if sys.stdin.isatty() else None,
        )
        return unit_accesses(
            topology,
            sources.credentials_of,
            endpoints=load_endpoints(self.endpoints) if self.endpoints else None,
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
            given += [option, value] if value else []
        given += ["--keyring"] if self.keyring else []
        given += ["--insecure"] if self.insecure else []
        given += ["--use-proxies"] if self.use_proxies else []
        return shlex.join(given)

    def lab_id(self) -> str | None:
        """Return the id of the lab that the endpoints file is of, whose pushes are no production's."""
        from geoplan.loadmaster import load_endpoints
        from geoplan.push.places import lab_id

        return lab_id(load_endpoints(self.endpoints)) if self.endpoints else None

    def _trust(self) -> Trust:
        from geoplan.loadmaster import CaFile, Insecure, SystemTrust

        if self.insecure:
            click.echo("geoplan: WARNING: --insecure: certificates are not checked; anyone in between", err=True)
            click.echo("         can read the credentials and pretend to be the units", err=True)
            return Insecure()
        return CaFile(self.ca_file) if self.ca_file else SystemTrust()


def reach_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add the options of :class:`Reach` to a command, which gets it as ``reach``."""

    @wraps(command)
    def with_reach(**options: Any) -> int:  # noqa: ANN401 - whatever click gives
        own = {name: options.pop(name) for name in Reach.__dataclass_fields__}
        return command(**options, reach=Reach(**own))

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


@asynccontextmanager
async def live_fleet(  # noqa: PLR0913 - options
    plan: Plan,
    accesses: dict[str, UnitAccess],
    clock: Clock,
    *,
    observer: Callable[[ShownRequest], None] | None = None,
    dry_run: bool = False,
    is_lab: bool = False,
) -> AsyncIterator[Fleet]:
    """Have the units of a plan at hand while the block lasts; in a lab quick boots are waited for less long."""
    from geoplan.push.api import connected
    from geoplan.push.fleet import Fleet
    from geoplan.push.waits import Timings

    observer_of = (lambda _address: observer) if observer else None
    async with connected(accesses, clock, observer_of=observer_of, dry_run=dry_run) as units:
        yield Fleet(plan, units, clock, Timings.of(plan.estimates, is_lab=is_lab))


def _prompt(address: str, user: str) -> str:
    password: str = click.prompt(f"Password of {user} on {address} and others", hide_input=True, err=True)
    return password
