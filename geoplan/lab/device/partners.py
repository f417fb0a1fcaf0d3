"""GEO partners: links between units, who sees whom green, and the one configuration that they share."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Literal

from geoplan.lab.device.geo import later_of
from geoplan.lab.device.pairing import secret_fault
from geoplan.lab.device.parameters import canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from geoplan.lab.device.geo import ReplicationLog
    from geoplan.lab.device.unit import Unit

Link = frozenset["Unit"]
Obstacle = Literal["network", "secret", "access", "submission"]


class Directory:
    """Which unit an address names: its own, or the one by which NAT makes it known."""

    def __init__(self, units: Iterable[Unit]) -> None:
        self._units = {
            canonical(address): unit for unit in units for address in (unit.nat_address, unit.address) if address
        }
        self._read: dict[tuple[str, ...], frozenset[Unit]] = {}

    def find(self, address: str) -> Unit | None:
        """Return the unit of an address, or None for an address outside the lab."""
        return self._units.get(canonical(address))

    def units_of(self, addresses: tuple[str, ...]) -> frozenset[Unit]:
        """Return the units that a list names."""
        if addresses not in self._read:
            self._read[addresses] = frozenset(unit for address in addresses if (unit := self.find(address)))
        return self._read[addresses]


class Partners:
    """The links. One belongs to two units, never to their sites.

    With ``links_ignore_access`` only a submission ends one; without, it is red as soon as an access list ends it.
    With ``cuts_end_links`` a network that parts two units ends it; without, it is green again once that is mended.
    """

    def __init__(
        self, directory: Directory, *, links_ignore_access: bool = False, cuts_end_links: bool = False
    ) -> None:
        self._directory = directory
        self._links_ignore_access = links_ignore_access
        self._cuts_end_links = cuts_end_links
        self._links: set[Link] = set()
        self._cuts: set[frozenset[str]] = set()

    def __iter__(self) -> Iterator[Link]:
        return iter(self._links)

    def submit(self, unit: Unit, addresses: tuple[str, ...]) -> None:
        """Take the partners list submitted on a unit: what it leaves out is unlinked, what is ready is linked."""
        unit.submitted = addresses
        named = self._directory.units_of(addresses) - {unit}
        self._links = {link for link in self._links if unit not in link or link - {unit} <= named}
        self._links.update(frozenset((unit, other)) for other in named if self._is_ready(unit, other))

    def forget(self, unit: Unit) -> None:
        """Clear what a unit remembers, and with it its links."""
        unit.submitted = None
        self._links = {link for link in self._links if unit not in link}

    def link(self, one: Unit, other: Unit) -> None:
        """Link two units as if each had submitted the other, as a lab begins that takes over what is there."""
        self._links.add(frozenset((one, other)))

    def cut(self, site: str, others: Iterable[str]) -> None:
        """Cut the network between a site and others: their links are red until it is mended, and none is made."""
        self._cuts.update(frozenset((site, other)) for other in others)
        if self._cuts_end_links:
            self._links = {link for link in self._links if self.reaches(*(unit.site for unit in link))}

    def mend(self, site: str) -> None:
        """Mend the network of a site to all others. That links are green again by themselves is LINKS_AFTER_CUT."""
        self._cuts = {cut for cut in self._cuts if site not in cut}

    @property
    def cuts(self) -> frozenset[frozenset[str]]:
        """Each two sites between which the network is cut."""
        return frozenset(self._cuts)

    def reaches(self, site: str, other: str) -> bool:
        """Return whether the network between two sites is whole."""
        return not self._cuts or frozenset((site, other)) not in self._cuts

    def is_green(self, one: Unit, other: Unit) -> bool:
        """Return whether two units see each other.

        They do when they are linked, both up, each still in the other's access list, and neither a secret nor the
        network keeps them apart.
        """
        return self.reaches(one.site, other.site) and self.would_be_green(one, other)

    def would_be_green(self, one: Unit, other: Unit) -> bool:
        """Return whether two units see each other as soon as the network between them is whole."""
        return (
            frozenset((one, other)) in self._links
            and one.takes_part
            and other.takes_part
            and (self._links_ignore_access or self._grant_access(one, other))
            and self._knows_address(one, other)
            and self._knows_address(other, one)
            and secret_fault(one, other) is None
        )

    def _knows_address(self, unit: Unit, other: Unit) -> bool:
        """Return whether a unit has submitted the other at an address that it lists it at, where it lists it at all.

        A standby's list is replicated: where that has another address of the other, its link to the former one is dead.
        """
        if unit.submitted is None or unit.submitted == unit.geo_partners:
            return True
        listed = {canonical(address) for address in unit.geo_partners if self._directory.find(address) is other}
        return not listed or not listed.isdisjoint(map(canonical, unit.submitted))

    def obstacle(self, one: Unit, other: Unit) -> Obstacle | None:
        """Return what keeps two units apart that are up, or None where they see each other."""
        if self.is_green(one, other):
            return None
        if not self.reaches(one.site, other.site):
            return "network"
        if secret_fault(one, other) is not None:
            return "secret"
        return "submission" if self._grant_access(one, other) else "access"

    def status_of(self, unit: Unit) -> list[tuple[str, bool]]:
        """Return each address of a unit's partners list, and whether it is green."""
        partners = [(address, self._directory.find(address)) for address in unit.geo_partners]
        return [(address, other is not None and self.is_green(unit, other)) for address, other in partners]

    def share(self, active: Sequence[Unit], spread: ReplicationLog) -> list[Unit]:
        """Give all units that green links join the later of every entry; return those that this has changed."""
        changed: list[Unit] = []
        if not active or _has_been_shared(active, spread):
            return changed  # whoever has links with whom, all have the same
        for island in self._islands(active):
            if len(island) > 1 and not _has_been_shared(island, spread):
                changed += self._share_among(island, spread)
        return changed

    def _share_among(self, island: Sequence[Unit], spread: ReplicationLog) -> list[Unit]:
        changed: list[Unit] = []
        for group in self._joined(island):
            together = later_of(*(unit.configuration.geo for unit in group))
            if len(group) > 1:
                spread.record(together)
            for unit in group:
                before = unit.configuration.geo
                if before is not together:
                    unit.configuration = unit.configuration.with_geo(together)
                if before != together:
                    changed.append(unit)
        return changed

    def _is_ready(self, unit: Unit, other: Unit) -> bool:
        """Return whether a list just submitted on a unit makes a link with another that it names."""
        return (
            unit.takes_part
            and other.takes_part
            and self.reaches(unit.site, other.site)
            and other.submitted is not None
            and unit in self._directory.units_of(other.submitted)
            and self._grant_access(unit, other)
            and secret_fault(unit, other) is None
        )

    def _grant_access(self, one: Unit, other: Unit) -> bool:
        access, other_access = one.remote_geo_access, other.remote_geo_access
        return other in self._directory.units_of(access) and one in self._directory.units_of(other_access)

    def _islands(self, units: Sequence[Unit]) -> list[list[Unit]]:
        """Return the units in sets between which there is no link, be it red, in the same order on every run.

        What happens in one is nothing to the others, of which an estate of many groups has hundreds.
        """
        places = {unit: place for place, unit in enumerate(units)}
        islands = _grouped(units, (link for link in self._links if link <= places.keys()))
        return [sorted(island, key=places.__getitem__) for island in islands]

    def _joined(self, units: Sequence[Unit]) -> list[list[Unit]]:
        """Return the units in groups that green links hold together, in the same order on every run."""
        return _grouped(units, combinations(units, 2), self.is_green)


def _has_been_shared(units: Sequence[Unit], spread: ReplicationLog) -> bool:
    """Return whether units all have the same, and it is on record that several units have had that."""
    first = units[0].configuration.geo
    return all(unit.configuration.geo is first for unit in units) and spread.has(first)


def _grouped(
    units: Iterable[Unit], links: Iterable[Iterable[Unit]], joins: Callable[[Unit, Unit], bool] | None = None
) -> list[list[Unit]]:
    """Return the units in groups that links hold together, of which ``joins`` says which count."""
    groups = {unit: [unit] for unit in units}
    for one, other in links:
        if groups[one] is not groups[other] and (joins is None or joins(one, other)):
            together = groups[one] + groups[other]
            groups.update(dict.fromkeys(together, together))
    return list({id(group): group for group in groups.values()}.values())
