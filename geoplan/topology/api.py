"""Where the API and the web interface of a unit are: one URL for both, and what says its port."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from geoplan.topology.types import host_of_url, place_of_url
from geoplan.vendor import API_PORT, CLOUD_API_PORT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geoplan.topology.model import Site, Topology, Unit


class PortSource(StrEnum):
    """What says on which port the API of a unit is."""

    API = "api"
    """The URL under ``api`` of the unit."""
    SITE = "site_api_port"
    """``api_port`` of its site."""
    TOPOLOGY = "topology_api_port"
    """``api_port`` at the top of the file."""
    AWS = "aws"
    """Nothing is written, and it is a unit of a pair with ``aws``."""
    DEFAULT = "default"
    """Nothing is written, and it is any other unit."""
    ENDPOINTS = "endpoints"
    """The endpoints file, which goes before the topology."""
    OPTION = "option"
    """``--api-port``, or its default, where there is no topology."""


_SAID_BY = {
    PortSource.API: "from its api",
    PortSource.SITE: "from api_port of its site",
    PortSource.TOPOLOGY: "from api_port at the top of the topology",
    PortSource.AWS: "the default of a pair with aws",
    PortSource.DEFAULT: "the default",
    PortSource.ENDPOINTS: "from the endpoints file",
    PortSource.OPTION: "from --api-port or its default",
}
_OF_SITE = "write api_port: PORT on its site"
_CHANGED_BY = {
    PortSource.API: "correct its api in the topology",
    PortSource.SITE: "correct api_port of its site",
    PortSource.TOPOLOGY: f"correct api_port at the top of the topology, or {_OF_SITE}",
    PortSource.AWS: f"{_OF_SITE} or at the top of the topology",
    PortSource.DEFAULT: f"{_OF_SITE} or at the top of the topology",
    PortSource.ENDPOINTS: "correct its api in the endpoints file",
    PortSource.OPTION: f"give it with --api-port: {CLOUD_API_PORT} in AWS and Azure",
}


class ReachedApi(NamedTuple):
    """The URL at which a unit's API is asked, and what says its port."""

    url: str
    source: PortSource

    @property
    def port(self) -> int:
        """The URL's port."""
        place = place_of_url(self.url)
        return place[1] if place else API_PORT

    @property
    def said_by(self) -> str:
        """Which port it is, and which key or which default says so."""
        return f"port {self.port}, {_SAID_BY[self.source]}"

    @property
    def changed_by(self) -> str:
        """What to do where the API is on another port."""
        return f"if its API is on another port, {_CHANGED_BY[self.source]}"


class UsualPort(NamedTuple):
    """Where the API of a site's units is, unless a unit has a URL of its own."""

    port: int
    source: PortSource


class UnitApi(NamedTuple):
    """Where the API of a unit is reached; its web interface is there too."""

    url: str
    """Without a slash at the end."""
    port: int
    source: PortSource
    """What says that it is this port."""
    unit_port: int
    """The port on the unit itself: another one where ``api`` names another host, which passes connections on."""

    @property
    def reached(self) -> ReachedApi:
        """Where it is asked, unless an endpoints file says otherwise."""
        return ReachedApi(self.url, self.source)


def usual_port(*, of_topology: int | None, of_site: int | None, in_aws: bool) -> UsualPort:
    """Return the API's port of a site's units: what the site says, then the file, then what the vendor's product does.

    In AWS that is 8443: 443 is left to virtual services (LoadMaster for AWS, Differences from the VLM).
    """
    if of_site is not None:
        return UsualPort(of_site, PortSource.SITE)
    if of_topology is not None:
        return UsualPort(of_topology, PortSource.TOPOLOGY)
    return UsualPort(CLOUD_API_PORT, PortSource.AWS) if in_aws else UsualPort(API_PORT, PortSource.DEFAULT)


def api_of(topology: Topology, site: Site, unit: Unit) -> UnitApi:
    """Return where the API and the web interface of a unit are: every URL of a unit comes from here."""
    pair = site.ha_pair
    usual = usual_port(
        of_topology=topology.api_port, of_site=site.api_port, in_aws=pair is not None and pair.aws is not None
    )
    if unit.api is None:
        return UnitApi(url_of(unit.address, usual.port), usual.port, usual.source, usual.port)
    place = place_of_url(unit.api)
    port = place[1] if place else API_PORT
    own = place_of_url(url_of(unit.address, port)) == place
    return UnitApi(unit.api, port, PortSource.API, port if own else usual.port)


def apis_of(topology: Topology) -> dict[str, UnitApi]:
    """Return where the API of each unit is, by its address as written and in order of declaration."""
    return {unit.address: api_of(topology, site, unit) for site in topology.sites for unit in site.units}


def usual_apis(addresses: Iterable[str]) -> dict[str, UnitApi]:
    """Return where the APIs of units are as a rule, that are in no topology any more."""
    usual = usual_port(of_topology=None, of_site=None, in_aws=False)
    return {address: UnitApi(url_of(address, usual.port), *usual, usual.port) for address in addresses}


def health_url_of(address: str, port: int) -> str:
    """Return the URL at which a unit answers the health check, without a slash at the end (section 6.1: HTTP)."""
    return f"http://{host_of_url(address)}:{port}"


def url_of(address: str, port: int) -> str:
    """Return the URL of an API on a unit's own address."""
    return f"https://{host_of_url(address)}{'' if port == API_PORT else f':{port}'}"
