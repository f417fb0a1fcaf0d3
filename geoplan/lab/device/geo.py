"""The GEO configuration that partners share: clusters and FQDNs, each with its last change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

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


class FqdnMap(NamedTuple):
    """One address of an FQDN, and the name of the cluster that it is looked after by; none is empty."""

    address: str
    cluster: str = ""


@dataclass(frozen=True, slots=True)
class Fqdn:
    """A GEO FQDN, as far as the lab knows it."""

    name: str
    maps: tuple[FqdnMap, ...] = ()

    def with_clusters(self, names: Mapping[str, str | None]) -> Fqdn:
        """Return it with other names of clusters in its maps; a map whose cluster has no name any more is gone."""
        told = [(each.address, names.get(each.cluster, each.cluster)) for each in self.maps]
        return replace(self, maps=tuple(FqdnMap(address, name) for address, name in told if name is not None))


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

    def has(self, entries: Entries) -> bool:
        """Return whether some other unit has had all of these."""
        return all(entry.changed in self._changes for entry in entries.values())

    def of(self, entries: Entries) -> Entries:
        """Return those of the entries that some other unit has had."""
        return {key: entry for key, entry in entries.items() if entry.changed in self._changes}
