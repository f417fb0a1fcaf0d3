"""GEO entries as units take and show them."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from geoplan.lab.device.geo import Cluster, Entry, Fqdn, FqdnMap, Key, ReplicationStamp
from geoplan.lab.device.parameters import canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from geoplan.lab.clock import Clock
    from geoplan.lab.device.pair import Pair
    from geoplan.lab.device.unit import Configuration, Unit


class TooManyClustersError(Exception):
    """No room for another GEO cluster (GEO Feature Description, Manage Clusters)."""


class GeoEntries:
    """Reads and writes the GEO entries of units; each change gets its time and number.

    ``pair_at`` finds the pair whose own address one is, ``require_active`` refuses units that take no changes, and
    ``after_write`` replicates what was written. With ``maps_go`` the maps of FQDNs go with the cluster that they use;
    without, they keep its name.
    """

    def __init__(  # noqa: PLR0913 - what entries depend on
        self,
        clock: Clock,
        max_clusters: int,
        *,
        pair_at: Callable[[str], Pair | None],
        require_active: Callable[[Unit], None],
        after_write: Callable[[Unit], None],
        maps_go: bool = False,
    ) -> None:
        self._maps_go = maps_go
        self._clock = clock
        self._max_clusters = max_clusters
        self._pair_at = pair_at
        self._require_active = require_active
        self._after_write = after_write
        self._numbers = count(1)

    def put_cluster(self, unit: Unit, cluster: Cluster) -> None:
        """Add a cluster, or change the one at its place.

        Raises :class:`NotActiveError` on a unit that is not active, :class:`TooManyClustersError` at the limit.
        """
        self._require_active(unit)
        known = len(list(self.clusters(unit)))
        if self.find_cluster(unit, cluster.address) is None and known >= self._max_clusters:
            raise TooManyClustersError(
                f"{known} GEO clusters are defined, and no more than {self._max_clusters} can be"
            )
        before = self.find_cluster(unit, cluster.address)
        if before and before.name != cluster.name:
            self._rename_in_maps(unit, before.name, cluster.name)
        self._put(unit, self._place(cluster.address), cluster)

    def remove_cluster(self, unit: Unit, address: str) -> None:
        """Remove the cluster at a place; raises :class:`NotActiveError` on a unit that is not active."""
        self._require_active(unit)
        before = self.find_cluster(unit, address)
        if before and self._maps_go:
            self._rename_in_maps(unit, before.name, None)
        self._put(unit, self._place(address), None)

    def put_fqdn(self, unit: Unit, name: str) -> None:
        """Add an FQDN; raises :class:`NotActiveError` on a unit that is not active."""
        self._put(unit, Key("fqdn", name.lower()), Fqdn(name))

    def put_map(self, unit: Unit, fqdn: Fqdn, address: str, cluster: str) -> None:
        """Add an address to an FQDN, or give it another cluster.

        Raises :class:`NotActiveError` on a unit that is not active.
        """
        others = tuple(each for each in fqdn.maps if canonical(each.address) != canonical(address))
        content = Fqdn(fqdn.name, (*others, FqdnMap(address, cluster)))
        self._put(unit, Key("fqdn", fqdn.name.lower()), content)

    def remove_fqdn(self, unit: Unit, name: str) -> None:
        """Remove an FQDN; raises :class:`NotActiveError` on a unit that is not active."""
        self._put(unit, Key("fqdn", name.lower()), None)

    def replace_all(self, unit: Unit, clusters: Iterable[Cluster], fqdns: Iterable[Fqdn]) -> None:
        """Put these entries in place of all that a unit has, as a restore does.

        Raises :class:`NotActiveError` on a unit that is not active.
        """
        wanted: dict[Key, Cluster | Fqdn] = {self._place(cluster.address): cluster for cluster in clusters}
        wanted |= {Key("fqdn", fqdn.name.lower()): fqdn for fqdn in fqdns}
        for key in [key for key, entry in unit.configuration.geo.items() if entry.content and key not in wanted]:
            self._put(unit, key, None)
        for key, content in wanted.items():
            self._put(unit, key, content)

    def clusters(self, unit: Unit) -> Iterator[tuple[str, Cluster]]:
        """Yield each cluster with the address by which this unit knows it now, in the order of their making."""
        for entry in _in_order(unit.configuration):
            if isinstance(entry.content, Cluster):
                yield self.address_of(entry.content, unit), entry.content

    def find_cluster(self, unit: Unit, address: str) -> Cluster | None:
        """Return the cluster at a place, by any address that stands for it."""
        entry = unit.configuration.geo.get(self._place(address))
        return entry.content if entry and isinstance(entry.content, Cluster) else None

    def is_new(self, unit: Unit, cluster: Cluster) -> bool:
        """Return whether nothing has changed a cluster since it was added."""
        entry = unit.configuration.geo.get(self._place(cluster.address))
        return entry is not None and entry.created == entry.changed

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
        pair = self._pair_at(cluster.address)
        if pair is None or not pair.is_formed:
            return cluster.address
        return (asked if asked in (pair.master, pair.slave) else pair.active or pair.last_active).address

    def _put(self, unit: Unit, key: Key, content: Cluster | Fqdn | None) -> None:
        self._require_active(unit)
        now = ReplicationStamp(self._clock.now(), next(self._numbers))
        known = unit.configuration.geo.get(key)
        created = known.created if known and known.content else now
        entries = {**unit.configuration.geo, key: Entry(created, now, content)}
        unit.configuration = unit.configuration.with_geo(entries)
        self._after_write(unit)

    def _rename_in_maps(self, unit: Unit, name: str, to: str | None) -> None:
        for fqdn in list(self.fqdns(unit)):
            if (changed := fqdn.with_clusters({name: to})) != fqdn:
                self._put(unit, Key("fqdn", fqdn.name.lower()), changed)

    def _place(self, address: str) -> Key:
        pair = self._pair_at(address)
        return Key("cluster", pair.master.address if pair else canonical(address))


def _in_order(configuration: Configuration) -> list[Entry]:
    return sorted(configuration.geo.values(), key=lambda entry: entry.created)
