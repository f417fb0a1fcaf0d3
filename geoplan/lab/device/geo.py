"""The GEO configuration that partners share: clusters and FQDNs, as units show and take them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Literal, NamedTuple

from geoplan.lab.device.parameters import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.lab.device.network import Network
    from geoplan.lab.device.unit import Configuration, Unit


ClusterType = Literal["default", "remoteLM", "localLM"]
Checker = Literal["none", "tcp", "icmp"]
CLUSTER_TYPES: tuple[ClusterType, ...] = ("default", "remoteLM", "localLM")
CHECKERS: tuple[Checker, ...] = ("none", "tcp", "icmp")


class ReplicationStamp(NamedTuple):
    """The time of a change in seconds, and its number, which tells apart what happened in one moment."""

    seconds: float
    number: int


class Key(NamedTuple):
    """The identity of an entry: a cluster's place, which for both units of a pair is the pair, or an FQDN's name."""

    kind: Literal["cluster", "fqdn"]
    name: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """A GEO cluster by the address that it was given."""

    address: str
    name: str
    type: ClusterType = "default"
    checker: Checker = "none"
    checker_port: int = 0
    enabled: bool = True
    latitude_seconds: int = 0
    """Seconds of arc; south is negative."""
    longitude_seconds: int = 0
    """Seconds of arc; west is negative."""


@dataclass(frozen=True, slots=True)
class Fqdn:
    """A GEO FQDN, as far as the lab knows it."""

    name: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A cluster or an FQDN since its last change; without content it was removed then."""

    created: ReplicationStamp
    changed: ReplicationStamp
    content: Cluster | Fqdn | None


Entries = Mapping[Key, Entry]


def later_of(*configurations: Entries) -> Entries:
    """Return all entries of some configurations; of one that is in several, the one that was changed last."""
    merged: dict[Key, Entry] = {}
    for entries in configurations:
        for key, entry in entries.items():
            if key not in merged or entry.changed > merged[key].changed:
                merged[key] = entry
    return merged


class ReplicationLog:
    """Which changes have reached a unit other than the one they were made on."""

    def __init__(self) -> None:
        self._changes: set[ReplicationStamp] = set()

    def record(self, entries: Entries) -> None:
        """Record that a unit has received these."""
        self._changes.update(entry.changed for entry in entries.values())

    def of(self, entries: Entries) -> Entries:
        """Return those of the entries that some other unit has had."""
        return {key: entry for key, entry in entries.items() if entry.changed in self._changes}


class TooManyClustersError(Exception):
    """No room for another GEO cluster (GEO Feature Description, Manage Clusters)."""


class GeoEntries:
    """Reads and writes the GEO entries of the network's units; each change gets its time and number."""

    def __init__(self, network: Network, max_clusters: int) -> None:
        self._network = network
        self._max_clusters = max_clusters
        self._numbers = count(1)

    def put_cluster(self, unit: Unit, cluster: Cluster) -> None:
        """Add a cluster, or change the one at its place.

        Raises :class:`NotActiveError` on a unit that is not active, :class:`TooManyClustersError` at the limit.
        """
        self._network.require_active(unit)
        known = len(list(self.clusters(unit)))
        if self.find_cluster(unit, cluster.address) is None and known >= self._max_clusters:
            raise TooManyClustersError(
                f"{known} GEO clusters are defined, and no more than {self._max_clusters} can be"
            )
        self._put(unit, self._place(cluster.address), cluster)

    def remove_cluster(self, unit: Unit, address: str) -> None:
        """Remove the cluster at a place; raises :class:`NotActiveError` on a unit that is not active."""
        self._network.require_active(unit)
        self._put(unit, self._place(address), None)

    def put_fqdn(self, unit: Unit, name: str) -> None:
        """Add an FQDN; raises :class:`NotActiveError` on a unit that is not active."""
        self._network.require_active(unit)
        self._put(unit, Key("fqdn", name.lower()), Fqdn(name))

    def remove_fqdn(self, unit: Unit, name: str) -> None:
        """Remove an FQDN; raises :class:`NotActiveError` on a unit that is not active."""
        self._network.require_active(unit)
        self._put(unit, Key("fqdn", name.lower()), None)

    def clusters(self, unit: Unit) -> Iterator[tuple[str, Cluster]]:
        """Yield each cluster with the address by which this unit knows it now, in the order of their making."""
        for entry in _in_order(unit.configuration):
            if isinstance(entry.content, Cluster):
                yield self.address_of(entry.content, unit), entry.content

    def find_cluster(self, unit: Unit, address: str) -> Cluster | None:
        """Return the cluster at a place, by any address that stands for it."""
        entry = unit.configuration.geo.get(self._place(address))
        return entry.content if entry and isinstance(entry.content, Cluster) else None

    def fqdns(self, unit: Unit) -> Iterator[Fqdn]:
        """Yield each FQDN, in the order of their making."""
        for entry in _in_order(unit.configuration):
            if isinstance(entry.content, Fqdn):
                yield entry.content

    def address_of(self, cluster: Cluster, asked: Unit) -> str:
        """Return a cluster's address as a unit gives it.

        An address of a pair's unit stands for the pair (sections 4 and 5): on the pair itself it is the asked unit's
        own, elsewhere the active unit's. A NATed one does not, because HA replaces the units' own addresses only, and
        neither does any while the units form no pair.
        """
        pair = self._network.pair_at(cluster.address)
        if pair is None or not pair.is_formed:
            return cluster.address
        return (asked if asked in (pair.master, pair.slave) else pair.active or pair.last_active).address

    def cluster_is_up(self, cluster: Cluster) -> bool:
        """Tell whether what a cluster stands for is up; what is outside the lab is."""
        pair = self._network.pair_at(cluster.address)
        if pair and pair.is_formed:
            return pair.active is not None
        unit = self._network.find(cluster.address)
        return unit is None or unit.takes_part

    def _put(self, unit: Unit, key: Key, content: Cluster | Fqdn | None) -> None:
        now = ReplicationStamp(self._network.clock.now(), next(self._numbers))
        known = unit.configuration.geo.get(key)
        created = known.created if known and known.content else now
        entries = {**unit.configuration.geo, key: Entry(created, now, content)}
        unit.configuration = unit.configuration.with_geo(entries)
        self._network.after_write(unit)

    def _place(self, address: str) -> Key:
        pair = self._network.pair_at(address)
        return Key("cluster", pair.master.address if pair else canonical(address))


def _in_order(configuration: Configuration) -> list[Entry]:
    return sorted(configuration.geo.values(), key=lambda entry: entry.created)
