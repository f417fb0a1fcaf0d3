"""What can fail: each kind once, how it begins in the simulation, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations, product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from geoplan.lab.device.network import Network
    from geoplan.topology.model import Group, Topology
    from geoplan.twin.world import World

Repair = Callable[[], object]
PROBE = "geoplan-probe.invalid"
"""An FQDN that only the twin ever has: a change that has to reach others."""


class FailureKind(StrEnum):
    """The kinds, in the order in which two of them happen."""

    NEVER_SUBMITTED = "never-submitted"
    REPLICATION_BROKEN = "replication-broken"
    NETWORK_CUT = "network-cut"
    FAILOVER = "failover"
    UNIT_OFF = "unit-off"
    SITE_OFF = "site-off"
    REGION_OFF = "region-off"

    @property
    def is_latent(self) -> bool:
        """Whether it shows only once its pair fails over."""
        return self in (FailureKind.NEVER_SUBMITTED, FailureKind.REPLICATION_BROKEN)


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that fails."""

    kind: FailureKind
    sites: tuple[str, ...]
    """The sites that it hits; of a cut network those on one side."""
    units: tuple[str, ...] = ()
    """The units that it hits, where it hits units, by their addresses."""
    others: tuple[str, ...] = ()
    """Of a cut network the sites on the other side."""
    region: str | None = None
    """The region of AWS that these sites are, if they are one."""

    def covers(self, other: Failure) -> bool:
        """Return whether another one adds nothing to this one."""
        if self.kind is other.kind is FailureKind.NETWORK_CUT:
            return _cuts(other) <= _cuts(self)
        off = (FailureKind.UNIT_OFF, FailureKind.SITE_OFF, FailureKind.REGION_OFF)
        return self.kind in off and other.kind in off and {*other.units} <= {*self.units}


def single_failures(topology: Topology, together: Sequence[tuple[str, ...]] = ()) -> tuple[Failure, ...]:
    """Return everything that can fail by itself in a topology; ``together`` are sites that go off at once."""
    found: list[Failure] = []
    units = {site.name: tuple(unit.address for unit in site.units) for site in topology.sites}
    for site in topology.sites:
        found += [Failure(FailureKind.UNIT_OFF, (site.name,), (unit.address,)) for unit in site.units]
        if site.ha_pair:
            found.append(Failure(FailureKind.SITE_OFF, (site.name,), units[site.name]))
            found.append(Failure(FailureKind.FAILOVER, (site.name,)))
    regions = [(name, sites) for name, sites in _regions(topology).items() if len(sites) > 1]
    sets = [*regions, *((None, sites) for sites in together)]
    for region, sites in sets:
        gone = tuple(unit for site in sites for unit in units[site])
        found.append(Failure(FailureKind.REGION_OFF, sites, gone, region=region))
    for group in topology.partner_groups():
        found += _of_group(group, sets)
    return tuple(dict.fromkeys(found))


def begin(failure: Failure, world: World) -> Repair | None:
    """Let it happen; return what repairs it, or None where it cannot happen as things are.

    What nobody undoes by repairing stays as it is: a failover, and what was never submitted.
    """
    network = world.network
    match failure.kind:
        case FailureKind.NETWORK_CUT:
            return _cut(failure, network)
        case FailureKind.FAILOVER:
            (site,) = failure.sites
            if network.pair(site).standby is None:
                return None
            network.fail_over(site)
            return _nothing
        case FailureKind.REPLICATION_BROKEN:
            return _break_replication(failure.sites[0], network)
        case FailureKind.NEVER_SUBMITTED:
            unit = network.unit(failure.units[0])
            if unit.submitted is None or network.is_active(unit):
                return None  # while it is active, that is the failover of a pair whose slave never submitted
            network.forget_partners(unit)
            return _nothing
        case _:
            return _power_off(failure, network)


def _cut(failure: Failure, network: Network) -> Repair | None:
    if not any(network.partners.reaches(*each) for each in product(failure.sites, failure.others)):
        return None
    for site in failure.sites:
        network.cut(site, *failure.others)

    def mend() -> None:
        for site in failure.sites:
            network.mend(site)

    return mend


def _break_replication(site: str, network: Network) -> Repair | None:
    """Break it, and change something that the standby does not get."""
    pair = network.pair(site)
    if pair.active is None or pair.standby is None or not pair.replicates:
        return None
    network.set_replication(site, works=False)
    network.geo.put_fqdn(pair.active, PROBE)
    return lambda: network.set_replication(site, works=True)


def _power_off(failure: Failure, network: Network) -> Repair | None:
    up = [unit for unit in map(network.unit, failure.units) if unit.is_up]
    if not up:
        return None
    for unit in up:
        network.power_off(unit)

    def power_on() -> None:
        for unit in up:
            network.power_on(unit)

    return power_on


def _nothing() -> None:
    """Leave it as it is."""


def _of_group(group: Group, sets: Sequence[tuple[str | None, tuple[str, ...]]]) -> Iterator[Failure]:
    """Yield what can fail between the sites of a group, and in its pairs unseen."""
    names = [site.name for site in group.sites]
    for one, other in combinations(names, 2):
        yield Failure(FailureKind.NETWORK_CUT, (one,), others=(other,))
    apart = [(None, (name,)) for name in names if len(names) > 2]  # noqa: PLR2004 - of two, that is the cut between them
    for region, sites in [*apart, *sets]:
        inside, outside = [name for name in names if name in sites], [name for name in names if name not in sites]
        if inside and outside:
            yield Failure(FailureKind.NETWORK_CUT, tuple(inside), others=tuple(outside), region=region)
    for site in group.sites:
        if site.ha_pair:
            yield Failure(FailureKind.REPLICATION_BROKEN, (site.name,))
            if len(names) > 1:
                yield Failure(FailureKind.NEVER_SUBMITTED, (site.name,), (site.ha_pair.slave.address,))


def _regions(topology: Topology) -> Mapping[str, tuple[str, ...]]:
    """Return the sites of each region of AWS."""
    found: dict[str, tuple[str, ...]] = {}
    for site in topology.sites:
        if site.ha_pair and site.ha_pair.aws:
            region = site.ha_pair.aws.region
            found[region] = (*found.get(region, ()), site.name)
    return found


def _cuts(failure: Failure) -> set[frozenset[str]]:
    return {frozenset(each) for each in product(failure.sites, failure.others)}
