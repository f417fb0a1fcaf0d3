"""Which HA pairs a template is for, and what it has to know of each."""

from __future__ import annotations

import re
import unicodedata
from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple

from geoplan.errors import GeoplanError
from geoplan.plan.pairs import settings_of_pairs
from geoplan.render.cloudformation.yaml import Ref
from geoplan.topology.api import api_of
from geoplan.topology.names import site_named
from geoplan.topology.slugs import slugs_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from geoplan.plan.pairs import HealthCheckTiming, LoadBalancer
    from geoplan.topology.model import Site, Topology, Unit


WHAT_TO_ADD = "aws: {region: …, vpc_id: …, subnets: […], listeners: […]}"
MAX_PREFIX = 64  # a logical id has at most 255 characters


class Partner(NamedTuple):
    """A unit of GEO elsewhere, which reaches this pair over SSH."""

    network: str
    """Its address as the only one of a range: ``10.20.1.5/32``."""
    site: str | None
    """Whose unit it is; None for one outside the topology."""


class BalancedPair(NamedTuple):
    """An HA pair with the load balancer in front of it."""

    site: str
    prefix: str
    """What the logical ids of this pair begin with; empty where the template is for one pair alone."""
    master: Unit
    slave: Unit
    balancer: LoadBalancer
    check: HealthCheckTiming
    partners: tuple[Partner, ...]
    api_ports: Mapping[str, int]
    """The API's port on each unit itself, by the unit's address."""

    def id(self, name: str) -> str:
        """Return the logical id of something that this pair has."""
        return self.prefix + name

    @property
    def over_ipv6(self) -> bool:
        """Whether the load balancer reaches the units over IPv6: where IPv6 is all that they are known by."""
        return is_ipv6(self.master) and is_ipv6(self.slave)

    @property
    def units(self) -> tuple[tuple[str, Unit], ...]:
        """Its units, each with the role that logical ids name."""
        return ("Master", self.master), ("Slave", self.slave)

    @property
    def instances(self) -> dict[str, str]:
        """The EC2 instance of each role: the topology's, or else the parameter's."""
        known = zip(self.units, self.balancer.instances, strict=True)
        return {role: instance or Ref(self.id(f"{role}InstanceId")) for (role, _), instance in known}


def is_ipv6(unit: Unit) -> bool:
    """Return whether a unit's own address is one of IPv6."""
    return ":" in unit.address


def pairs_for(topology: Topology, sites: Sequence[str] = ()) -> tuple[BalancedPair, ...]:
    """Return the pairs of one template: the named sites', or all that have ``aws``. They are of one region.

    A site is named by its name in any case or by its slug. Raises :class:`GeoplanError` for a site that there is not,
    for one without ``aws``, and for pairs in several regions.
    """
    chosen = list({found.name: found for found in (_named(topology, name) for name in sites)}.values())
    chosen = chosen or _all_in_aws(topology)
    settings = {each.site: each for each in settings_of_pairs(topology, every_pair=False)}
    balancers = {each.name: balancer for each in chosen if (balancer := settings[each.name].load_balancer)}
    regions = {balancer.region for balancer in balancers.values()}
    if len(regions) > 1:
        places = ", ".join(f"{name} in {balancer.region}" for name, balancer in balancers.items())
        slugs = slugs_of(each.name for each in topology.sites)
        options = " or ".join(f"--site {slugs[name]}" for name in balancers)
        raise GeoplanError(
            f"a stack is of one region, and {topology.name} has load balancers in {len(regions)}: {places}",
            hint=f"write a template for each: {options}",
        )
    prefixes = _prefixes(list(balancers)) if len(chosen) > 1 else [""]
    return tuple(
        BalancedPair(
            site=each.name,
            prefix=prefix,
            master=each.units[0],
            slave=each.units[1],
            balancer=balancers[each.name],
            check=settings[each.name].health_check,
            partners=tuple(_partners(topology, each)),
            api_ports={unit.address: api_of(topology, each, unit).unit_port for unit in each.units},
        )
        for each, prefix in zip(chosen, prefixes, strict=True)
    )


def _named(topology: Topology, name: str) -> Site:
    found = site_named(topology, name, otherwise=_known_in_aws(topology))
    if found.ha_pair is None:
        message = f"'{found.name}' is a standalone, and what AWS balances between is the units of an HA pair"
        raise GeoplanError(message, hint=_known_in_aws(topology))
    if found.ha_pair.aws is None:
        raise GeoplanError(
            f"'{found.name}' does not say what it has in AWS", hint=f"add {WHAT_TO_ADD} under its ha_pair"
        )
    return found


def _in_aws(topology: Topology) -> list[Site]:
    return [site for site in topology.sites if site.ha_pair and site.ha_pair.aws]


def _known_in_aws(topology: Topology) -> str:
    known = ", ".join(site.name for site in _in_aws(topology))
    return f"the pairs with aws are: {known}" if known else f"add {WHAT_TO_ADD} under an ha_pair"


def _all_in_aws(topology: Topology) -> list[Site]:
    found = _in_aws(topology)
    if not found:
        raise GeoplanError(f"no site of {topology.name} says what it has in AWS", hint=_known_in_aws(topology))
    return found


def _prefixes(names: Sequence[str]) -> Iterator[str]:
    """Yield for each name its ASCII letters and digits, each word with a capital; no two the same."""
    taken: set[str] = set()
    for number, name in enumerate(names, start=1):
        ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
        words = re.findall(r"[A-Za-z0-9]+", ascii_name)
        prefix = "".join(word[0].upper() + word[1:] for word in words)[:MAX_PREFIX] or f"Site{number}"
        while prefix in taken:
            prefix += f"Site{number}"
        taken.add(prefix)
        yield prefix


def _partners(topology: Topology, site: Site) -> Iterator[Partner]:
    """Yield the units of the other sites of its group, then those outside the topology, none twice."""
    others = next((group.sites for group in topology.partner_groups() if site in group.sites), ())
    units = [(unit.shown_address, other.name) for other in others if other != site for unit in other.units]
    outside = [(address, None) for address in site.extra_remote_geo_access]
    yield from _once(Partner(_as_network(address), name) for address, name in (*units, *outside))


def _once(partners: Iterable[Partner]) -> Iterator[Partner]:
    first: dict[str, Partner] = {}
    for partner in partners:
        first.setdefault(partner.network, partner)
    yield from first.values()


def _as_network(address: str) -> str:
    plain = ip_address(address)
    return f"{plain}/{plain.max_prefixlen}"
