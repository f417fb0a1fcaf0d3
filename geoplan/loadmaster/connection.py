"""How to reach each unit: where, as whom, and why to believe it; and the file that says where units answer."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from geoplan.addresses import canonical
from geoplan.errors import UnusableFileError
from geoplan.loadmaster.endpoints import Endpoints
from geoplan.loadmaster.ha import look_up
from geoplan.loadmaster.proxies import proxy_for
from geoplan.loadmaster.tls import Pinned, SystemTrust, Trust
from geoplan.topology.api import PortSource, ReachedApi, apis_of, health_url_of
from geoplan.topology.types import place_of_url
from geoplan.vendor import API_V2_SINCE, INSTALL_SECONDS, parse_version

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from geoplan.loadmaster.client_certificate import ClientCertificate
    from geoplan.loadmaster.credentials import Credentials
    from geoplan.loadmaster.ha import Resolver
    from geoplan.loadmaster.wire import Upload
    from geoplan.topology.model import Topology, Unit


SLOWEST_UPLOAD = 256 * 1024
"""Bytes a second: a line that is slower is none over which to update a unit."""
ApiVersion: TypeAlias = Literal[1, 2]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait for a unit, in seconds."""

    connect: float = 5.0
    answer: float = 20.0
    backup: float = 120.0
    health: float = 3.0
    install: float = INSTALL_SECONDS
    """For the answer to a firmware image, once it is sent."""

    def of_request(self, image: Upload | None, *, file: bool) -> float:
        """Return how long to wait for a request's answer; ``file`` says that it is one."""
        if image is not None:
            return self.install + image.size / SLOWEST_UPLOAD
        return self.backup if file else self.answer


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
    partner: str | None = None
    """The other unit of its pair, where it is known to be in one: they have the same users."""
    health_url: str | None = None
    """Where its health check answers; a standalone need not have one."""
    trust: Trust = field(default_factory=SystemTrust)
    timeouts: Timeouts = field(default_factory=Timeouts)
    api_version: ApiVersion | None = None
    """The wire format, where it is known beforehand; otherwise the client finds it out."""
    use_proxies: bool = False
    """Whether the proxy variables of the environment count."""
    resolve: Resolver | None = None
    """Finds the addresses of an HA partner that a unit gives by its name; without it names are not compared."""

    @property
    def api(self) -> ReachedApi:
        """The URL of its API, with what says its port."""
        return ReachedApi(self.api_url, self.port_source)

    def health_url_at(self, port: int | None) -> str | None:
        """Return where its health check answers at another port, or None where that is not asked at its own address."""
        asked = place_of_url(self.health_url) if self.health_url else None
        if not port or asked is None or canonical(asked[0]) != canonical(self.address):
            return None
        return health_url_of(self.address, port)


def unit_connections(  # noqa: PLR0913 - options
    topology: Topology,
    credentials_of: Callable[[str], Credentials],
    *,
    endpoints: Endpoints | None = None,
    trust: Trust | None = None,
    timeouts: Timeouts | None = None,
    certificate: ClientCertificate | None = None,
    use_proxies: bool = False,
    resolve: Resolver | None = look_up,
) -> dict[str, UnitConnection]:
    """Return the access to every unit of a topology, by its own address and in order of declaration.

    ``credentials_of`` finds the credentials of an address. A fingerprint among the endpoints goes before ``trust``,
    which is the system's store unless given, and an endpoint's URLs before the topology's. ``certificate`` is shown to
    units that want one. ``resolve`` finds HA partners that units give by name; a lab's are in no name server.

    Raises :class:`geoplan.errors.NotInLabError` where the endpoints are a lab's that does not serve all units, and
    :class:`geoplan.errors.GeoplanError` that names a proxy variable which cannot be used.
    """
    trust = replace(trust or SystemTrust(), certificate=certificate) if certificate else trust or SystemTrust()
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
                partner=next((other.address for other in site.units if site.ha_pair and other != unit), None),
                health_url=endpoint.health or health_url,
                trust=Pinned(endpoint.fingerprint, certificate) if endpoint.fingerprint else trust,
                timeouts=timeouts or Timeouts(),
                api_version=_api_version(unit),
                use_proxies=use_proxies,
                resolve=None if known.is_lab else resolve,
            )
    require_one_api_each({access.address: access.api_url for access in accesses.values()})
    for access in accesses.values() if use_proxies else ():
        proxy_for(access.api_url, os.environ)
    return accesses


def require_one_api_each(urls: Mapping[str, str]) -> None:
    """Check that no two units, by their addresses, answer at one place, and none at another one's address.

    One would be taken for the other. Raises :class:`UnusableFileError`.
    """
    users: dict[tuple[str, int] | None, str] = {}
    owners = {canonical(address): address for address in urls}
    for address, url in urls.items():
        place = place_of_url(url)
        first = users.setdefault(place, address)
        owner = owners.get(place[0], address) if place else address
        if first == address and owner != address and place_of_url(urls[owner]) != place:
            raise UnusableFileError(
                f"the API of {address} is at {url}, which is the address of {owner}",
                hint="write the URL at which each unit itself answers, in the topology or the endpoints file",
            )
        if first != address:
            raise UnusableFileError(
                f"{first} and {address} have one API, at {url}",
                hint="write the URL at which each unit itself answers, in the topology or the endpoints file",
            )


def _api_version(unit: Unit) -> ApiVersion | None:
    """Return the wire format that the topology decides; newer firmware may still have APIv2 switched off."""
    if unit.api_version is not None:
        return unit.api_version
    if unit.firmware and parse_version(unit.firmware) < API_V2_SINCE:
        return 1
    return None
