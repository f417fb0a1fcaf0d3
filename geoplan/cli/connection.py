"""The options by which commands reach live units, and the units that they lead to."""

from __future__ import annotations

import os
import sys
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING

import click

from geoplan.cli.options import WHOLE, ChangeOptions, InputFile, Part, options_together
from geoplan.vendor import CALLS_WINDOW_SECONDS
from geoplan.wording import shell_command

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection

    from geoplan.live.fleet import Fleet
    from geoplan.live.polling import Clock, Timings
    from geoplan.loadmaster import CredentialSources, Endpoints, ShownRequest, Trust, UnitConnection, UnitEndpoint
    from geoplan.loadmaster.client_certificate import ClientCertificate
    from geoplan.loadmaster.credentials import CredentialsFile
    from geoplan.loadmaster.pace import Paces
    from geoplan.plan.model import Plan
    from geoplan.topology.api import UnitApi
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

    def accesses(self, topology: Topology, only: Collection[str] | None = None) -> dict[str, UnitConnection]:
        """Return the access to every unit of a topology, or of those sites of it that ``only`` names."""
        from geoplan.loadmaster import unit_connections

        if only is not None:
            sites = tuple(site for site in topology.sites if site.name in only)
            topology = topology.model_copy(update={"sites": sites, "groups": None})
        return unit_connections(
            topology,
            self._sources.credentials_of,
            endpoints=self._endpoints,
            trust=self._trust,
            certificate=self._certificate,
            use_proxies=self.use_proxies,
        )

    def access_of(self, address: str, *, api_port: int, health_check_port: int) -> UnitConnection:
        """Return the access to one unit that no topology names; what an endpoints file says of it comes first.

        Raises :class:`geoplan.errors.NotInLabError` where the endpoints are a lab's that does not serve it.
        """
        from geoplan.loadmaster import Endpoints, UnitConnection
        from geoplan.topology.api import PortSource, health_url_of, url_of

        endpoints = self._endpoints or Endpoints()
        endpoints.require(address)
        known = endpoints.unit(address)
        return UnitConnection(
            address=address,
            api_url=known.api or url_of(address, api_port),
            credentials=self._sources.credentials_of(address),
            port_source=PortSource.ENDPOINTS if known.api else PortSource.OPTION,
            health_url=known.health or health_url_of(address, health_check_port),
            trust=self._trust_in(known),
            use_proxies=self.use_proxies,
        )

    def can_reach(self, address: str) -> bool:
        """Return whether a unit may be reached at all: where the endpoints are a lab's, it has to serve it."""
        known = self._endpoints
        return known is None or not known.is_lab or known.unit(address).api is not None

    def names(self, address: str) -> bool:
        """Return whether the endpoints file says where a unit's API is."""
        return self._endpoints is not None and self._endpoints.unit(address).api is not None

    def _trust_in(self, known: UnitEndpoint) -> Trust:
        """Return why a unit is believed: its pinned fingerprint, or what is believed of all."""
        from geoplan.loadmaster import Pinned

        if known.fingerprint:
            return Pinned(known.fingerprint, self._certificate)
        return replace(self._trust, certificate=self._certificate) if self._certificate else self._trust

    def apis(self, topology: Topology) -> dict[str, UnitApi]:
        """Return where the API and the web interface of each unit are; the endpoints file goes before the topology."""
        from geoplan.loadmaster import Endpoints
        from geoplan.topology.api import apis_of

        known = self._endpoints or Endpoints()
        apis = apis_of(topology)
        return {address: api._replace(url=known.unit(address).reached(api).url) for address, api in apis.items()}

    def command(self, name: str, path: str, *words: str) -> str:
        """Return a command of geoplan about a topology's file that reaches the same units, ready to be typed."""
        given = ["geoplan", name, as_argument(path), *words]
        for field, value in asdict(self).items():
            option = f"--{field.replace('_', '-')}"
            if value is True:
                given.append(option)
            elif value not in (None, False):
                given += [option, value]
        return shell_command(*given)

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
    def _sources(self) -> CredentialSources:
        from geoplan.loadmaster import CredentialSources

        return CredentialSources(
            os.environ,
            self._credentials,
            use_keyring=self.keyring,
            prompt=_prompt if sys.stdin.isatty() else None,
        )

    @cached_property
    def _credentials(self) -> CredentialsFile | None:
        from geoplan.loadmaster.credentials import read_credentials

        if self.credentials is None:
            return None
        file, warnings = read_credentials(self.credentials)
        for warning in warnings:
            click.echo(f"geoplan: warning: {warning}", err=True)
        return file

    @cached_property
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

    @cached_property
    def _certificate(self) -> ClientCertificate | None:
        from geoplan.loadmaster.client_certificate import load_client_certificate

        if self.client_cert is None and self.client_key is not None:
            raise click.UsageError("--client-key is the key of --client-cert, which is missing")
        if self.client_cert is None:
            return None
        if self.insecure:
            raise click.UsageError("--client-cert is for units that are checked: leave --insecure out")
        return load_client_certificate(self.client_cert, self.client_key, os.environ)


WAY_BACK = ("--secret", "--back")
NO_CHANGE = ChangeOptions()
NO_UNITS = ConnectionOptions()


@dataclass(frozen=True)
class TypedCommands:
    """Writes commands of geoplan about one topology's file as they are typed: by the command's name and further words.

    They are about the same part of it, reach the same units, do the same part of the work, and find the same journals.
    """

    reach: ConnectionOptions
    path: str
    phase: str | None = None
    state_dir: str | None = None
    part: Part = WHOLE
    unfinished: Part | None = None
    """What a push is of that has to be resumed before there can be another one; None where there is none."""
    begun: tuple[str, ...] = ()
    """The options that made that push a change, as they were typed."""
    drill: tuple[str, ...] = ()
    """What names the failover drill that has to be resumed, where it is no push."""
    change: ChangeOptions = NO_CHANGE
    """Where a change starts; of what compares units with the topology as it is to be, that is no part."""
    undo: str | None = None
    """The push that a push takes back."""

    def __call__(self, name: str, *words: str) -> str:
        """Return a command, quoted for the shell."""
        if name == "push" and self.unfinished is not None:
            if words == WAY_BACK:  # it takes the place of what is unfinished, of the same groups
                return replace(self, phase=None, part=self.unfinished, unfinished=None, undo=None)(name, *words)
            if "--abandon" not in words:
                return self.resuming()
        given = self.part.words(name)
        if self.phase and name in _HAVING_PHASES and "--phase" not in words:
            given += ["--phase", self.phase]
        if name in _HAVING_CHANGES and "--from" not in words:
            given += self.change.as_written()
        if self.undo and name == "push":
            given += ["--undo", self.undo]
        if self.state_dir and name in _HAVING_JOURNALS:
            given += ["--state-dir", self.state_dir]
        return self.reach.command(name, self.path, *given, *words)

    def resuming(self, *words: str) -> str:
        """Return the command that goes on with the unfinished push, which has its own phase, groups and change.

        A drill is of one pair, and takes no further words.
        """
        if self.drill:
            return replace(self, phase=None, part=WHOLE, unfinished=None)("drill", *self.drill, "--resume")
        own = replace(self, phase=None, part=self.unfinished or self.part, unfinished=None)
        return own("push", *(() if self.change.old else self.begun), "--resume", *words)


_HAVING_PHASES = frozenset({"diff", "follow", "plan", "push"})
_HAVING_CHANGES = frozenset({"diagram", "follow", "plan", "push", "runbook"})
_HAVING_JOURNALS = frozenset({"drill", "plan", "push"})


def require_live(reach: ConnectionOptions, change: ChangeOptions, *, is_live: bool | None = None) -> None:
    """Check that options on units were given to a command that asks some: with ``--from live``, or as ``is_live`` says.

    That is None for a command without ``--live``. Raises :class:`click.UsageError`.
    """
    if reach != NO_UNITS and not (is_live or change.is_live):
        ways = "--from live" if is_live is None else "--live and --from live"
        raise click.UsageError(f"connection options matter only where units are asked: see {ways}")


def as_argument(path: str) -> str:
    """Return a file's name as an argument; one that begins with a dash would be read as an option."""
    return f"./{path}" if path.startswith("-") and path != "-" else path


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


@cache
def paces(window_seconds: float = CALLS_WINDOW_SECONDS) -> Paces:
    """Return how often each unit is asked by this process, whoever in it asks."""
    from geoplan.live.polling import SystemClock
    from geoplan.loadmaster.pace import Paces

    return Paces(SystemClock(), window_seconds)


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
    only: frozenset[str] | None = None,
) -> AsyncIterator[Fleet]:
    """Have the units of a plan at hand while the block lasts; in a lab quick boots are waited for less long.

    ``timings`` are those of the plan unless given, and ``only`` names the sites that are looked at, if not all are.
    """
    from geoplan.live.fleet import Fleet
    from geoplan.live.polling import Timings
    from geoplan.loadmaster.clients import connected

    observer_of = (lambda _address: observer) if observer else None
    times = timings or Timings.of(plan.estimates, is_lab=is_lab)
    own = paces(times.call_window_seconds)
    async with connected(accesses, clock, observer_of=observer_of, dry_run=dry_run, paces=own) as units:
        yield Fleet(plan, units, clock, times, jobs=jobs, only=only)
