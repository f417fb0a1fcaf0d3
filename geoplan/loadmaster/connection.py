"""How to reach each unit: where, as whom, and why to believe it; and the file that says where units answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from geoplan.errors import UnusableFileError
from geoplan.loadmaster.endpoints import Endpoints
from geoplan.loadmaster.tls import Pinned, SystemTrust, Trust
from geoplan.topology.api import PortSource, ReachedApi, apis_of, health_url_of
from geoplan.topology.types import place_of_url
from geoplan.vendor import API_V2_SINCE, parse_version

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from geoplan.loadmaster.credentials import Credentials
    from geoplan.topology.model import Topology, Unit


ApiVersion: TypeAlias = Literal[1, 2]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait for a unit, in seconds."""

    connect: float = 5.0
    answer: float = 20.0
    backup: float = 120.0
    health: float = 3.0


@dataclass(frozen=True, slots=True)
class UnitConnection:
    """Everything that a client of one unit has to know; secrets in it never show."""

    address: str
    """The unit's own address, by which the topology and all errors know it."""
    api_url: str
    """Where its API answers, without ``/access`` and ``/accessv2``."""
    credentials: Credentials
    port_source: PortSource = PortSource.DEFAULT
    """What says that its API is on the port of this URL."""
    health_url: str | None = None
    """Where its health check answers; a standalone need not have one."""
    trust: Trust = field(default_factory=SystemTrust)
    timeouts: Timeouts = field(default_factory=Timeouts)
    api_version: ApiVersion | None = None
    """The wire format, where it is known beforehand; otherwise the client finds it out."""
    use_proxies: bool = False
    """Whether the proxy variables of the environment count."""

    @property
    def api(self) -> ReachedApi:
        """The URL of its API, with what says its port."""
        return ReachedApi(self.api_url, self.port_source)


def unit_connections(  # noqa: PLR0913 - options
    topology: Topology,
    credentials_of: Callable[[str], Credentials],
    *,
    endpoints: Endpoints | None = None,
    trust: Trust | None = None,
    timeouts: Timeouts | None = None,
    use_proxies: bool = False,
) -> dict[str, UnitConnection]:
    """Return the access to every unit of a topology, by its own address and in order of declaration.

    ``credentials_of`` finds the credentials of an address. A fingerprint among the endpoints goes before ``trust``,
    which is the system's store unless given, and an endpoint's URLs before the topology's.

    Raises :class:`geoplan.errors.NotInLabError` where the endpoints are a lab's that does not serve all units.
    """
    trust = trust or SystemTrust()
    known = endpoints or Endpoints()
    known.require_all_of(topology)
    apis = apis_of(topology)
    accesses = {}
    for site in topology.sites:
        port = topology.health_check_port_of(site)
        for unit in site.units:
            endpoint = known.unit(unit.address)
            api = endpoint.reached(apis[unit.address])
            health_url = health_url_of(unit.address, port) if site.ha_pair else None
            accesses[unit.address] = UnitConnection(
                address=unit.address,
                api_url=api.url,
                credentials=credentials_of(unit.address),
                port_source=api.source,
                health_url=endpoint.health or health_url,
                trust=Pinned(endpoint.fingerprint) if endpoint.fingerprint else trust,
                timeouts=timeouts or Timeouts(),
                api_version=_api_version(unit),
                use_proxies=use_proxies,
            )
    require_one_api_each({access.address: access.api_url for access in accesses.values()})
    return accesses


def require_one_api_each(urls: Mapping[str, str]) -> None:
    """Check that no two units, by their addresses, answer at one place: one would be taken for the other.

    Raises :class:`UnusableFileError`.
    """
    users: dict[tuple[str, int] | None, str] = {}
    for address, url in urls.items():
        first = users.setdefault(place_of_url(url), address)
        if first != address:
            raise UnusableFileError(
                f"{first} and {address} have one API, at {url}",
                hint="write the URL at which each unit itself answers, in the topology or the endpoints file",
            )


def _api_version(unit: Unit) -> ApiVersion | None:
    """Return the wire format that the topology's firmware leaves; a newer one may still have APIv2 switched off."""
    if unit.firmware and parse_version(unit.firmware) < API_V2_SINCE:
        return 1
    return None
