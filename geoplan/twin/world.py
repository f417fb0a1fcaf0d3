"""The units in the lab's simulation: begun as planned, led to a starting state, and looked at.

Links, roles and replication are the lab's alone. What is here asks it who is in GEO.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from itertools import chain, combinations, product
from typing import TYPE_CHECKING, Any, NamedTuple

from geoplan.lab.clock import SimulatedClock
from geoplan.lab.device.checkpoint import Checkpoint
from geoplan.lab.device.geo import Cluster, later_of
from geoplan.lab.device.network import Network
from geoplan.lab.device.parameters import GEO_PARTNERS, REMOTE_GEO_ACCESS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from geoplan.lab.device.partners import Obstacle
    from geoplan.lab.device.unit import Configuration, Unit
    from geoplan.plan.model import Plan
    from geoplan.topology.model import Topology

Link = tuple[str, str]


class Start(NamedTuple):
    """What the pairs are like before anything fails: all as at the beginning, or one of them failed over."""

    failed_over: str | None = None
    master: str | None = None
    """The unit that is active by that, where it is the pair's master: the pair was on its slave before."""


AS_BEGUN = Start()
NOTHING: frozenset[Any] = frozenset()


@dataclass(frozen=True, slots=True)
class Standing:
    """Who is in GEO at one moment; sites by their names, in the topology's order."""

    active: Mapping[str, str] = field(default_factory=dict)
    """The active unit of each site that has one."""
    down: frozenset[str] = NOTHING
    """The sites without an active unit."""
    cut_off: frozenset[str] = NOTHING
    """The sites with a unit that no green link leads to from the rest of their group, though the network is whole."""
    isolated: frozenset[str] = NOTHING
    """The sites with a unit that the network alone keeps from the rest of their group."""
    red: frozenset[Link] = NOTHING
    """Two sites that have no green link, though both are in GEO and the network between them is whole."""
    parted: frozenset[Link] = NOTHING
    """Two sites that only the network keeps apart."""
    older: frozenset[str] = NOTHING
    """The sites that answer with an older configuration than others of their group, or will after its next change."""
    behind: frozenset[str] = NOTHING
    """The standbys that hold an older configuration than their active unit."""

    @property
    def lost(self) -> frozenset[str]:
        """The sites that are not in GEO."""
        return self.down | self.cut_off | self.isolated


class World:
    """Units of which things are tried, always from the same starting states."""

    def __init__(self, network: Network, clock: SimulatedClock, groups: Sequence[Sequence[str]]) -> None:
        self.network = network
        self.clock = clock
        self.groups = tuple(map(tuple, groups))
        """The names of the sites of each group."""
        self.units = _by_site(network.units.values())
        """The units of each site."""
        self.settle()
        self._starts: dict[Start, tuple[Checkpoint, Standing]] = {}
        self._colours = _Colours(network)
        self._remember(AS_BEGUN)

    def starts(self) -> tuple[Start, ...]:
        """Return the states to begin from: as begun, and each pair alone failed over, if its standby can take over."""
        found = [AS_BEGUN]
        for site in self.network.pairs:
            self.go_to(AS_BEGUN)
            standby = self.network.pair(site).standby
            if standby is not None:
                found.append(Start(site, standby.address if standby.role == "master" else None))
        return tuple(found)

    def go_to(self, start: Start) -> Standing:
        """Begin anew from a starting state; return how it is there, before anything fails."""
        if start not in self._starts:
            self.go_to(AS_BEGUN)
            if start.failed_over is not None:
                self.network.fail_over(start.failed_over)
            self.settle()
            self._remember(start)
        checkpoint, standing = self._starts[start]
        checkpoint.restore()
        return standing

    def settle(self) -> None:
        """Let all that is under way come to its end."""
        while (due := self.clock.next_due()) is not None:
            self.clock.advance_to(due)

    def without_active(self) -> frozenset[str]:
        """Return the sites that have no active unit at this very moment."""
        return frozenset(site for site in self.units if not self.active_of(site))

    def active_of(self, site: str) -> list[Unit]:
        """Return the units of a site that handle traffic."""
        return [unit for unit in self.units[site] if self.network.is_active(unit)]

    def look(self, *unlike: Collection[str]) -> Standing:
        """Return who is in GEO now.

        Of a group in pieces the largest piece counts as it, and of equal ones that with the fewest sites of the first
        of ``unlike``, then of the second.
        """
        active = {site: units for site in self.units if (units := self.active_of(site))}
        picture = self._colours.picture(active, self.groups)
        weigh = partial(_weight, unlike)
        cut_off = {site for pieces in picture.pieces for site in _left_over(pieces, weigh)}
        apart = {site for pieces in picture.whole for site in _left_over(pieces, weigh)}
        return Standing(
            active={site: units[0].address for site, units in active.items()},
            down=frozenset(self.units.keys() - active.keys()),
            cut_off=frozenset(cut_off),
            isolated=frozenset(apart - cut_off),
            red=frozenset(link for link in picture.unseen if cut_off.isdisjoint(link)),
            parted=picture.parted,
            older=frozenset(chain(cut_off, apart, *(_behind_others(group, active) for group in self.groups))),
            behind=frozenset(self.standbys_behind()),
        )

    def obstacles(self, sites: Collection[str], links: Collection[Link]) -> Iterator[tuple[Unit, Unit, Obstacle]]:
        """Yield what keeps these sites from all others of their group that are up, and these links from being green.

        With each come the two active units, that of the site or of the link's first end before the other.
        """
        wanted = [(site, other) for group in self.groups for site in group if site in sites for other in group]
        for site, other in (*(each for each in wanted if each[0] != each[1]), *links):
            for unit, partner in product(self.active_of(site), self.active_of(other)):
                obstacle = self.network.partners.obstacle(unit, partner)
                if obstacle is not None:
                    yield unit, partner, obstacle

    def _remember(self, start: Start) -> None:
        self._starts[start] = (Checkpoint(self.network, self.clock), self.look([start.failed_over or ""]))

    def standbys_behind(self) -> Iterator[str]:
        """Yield the standbys that hold something else than their active unit."""
        for pair in self.network.pairs.values():
            standby = pair.standby
            if pair.active and standby and _differ(standby.configuration, pair.active.configuration):
                yield standby.address


@dataclass(frozen=True, slots=True)
class _Picture:
    """Which sites see each other at one moment; only those that have an active unit are in it."""

    pieces: tuple[tuple[list[str], ...], ...]
    """Of each part that the network holds together, the pieces that links hold together."""
    whole: tuple[tuple[list[str], ...], ...]
    """Of each group the pieces that green links hold together, the cut network counted."""
    unseen: tuple[Link, ...]
    """Each two that do not see each other, though the network between them is whole."""
    parted: frozenset[Link]
    """Each two between which it is cut."""


class _Colours:
    """Which sites see each other, asked of the lab once for all that a link depends on."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._numbers: dict[object, int] = {}
        self._known: dict[tuple[int, int, int], bool] = {}
        self._pictures: dict[object, _Picture] = {}

    def picture(self, active: Mapping[str, list[Unit]], groups: Sequence[Sequence[str]]) -> _Picture:
        """Return who sees whom, of the sites that have active units.

        That depends on the links, the network, and of all these units on access list, secret and firmware.
        """
        links = self._number(frozenset(self._network.partners))
        cuts = self._number(self._network.partners.cuts)
        units = {site: [(self._number(_link_inputs(unit)), unit) for unit in units] for site, units in active.items()}
        key = (links, cuts, *(number for numbered in units.values() for number, _ in numbered))
        if key not in self._pictures:
            self._pictures[key] = self._drawn(links, units, groups)
        return self._pictures[key]

    def _drawn(
        self, links: int, units: Mapping[str, list[tuple[int, Unit]]], groups: Sequence[Sequence[str]]
    ) -> _Picture:
        reaches = self._network.partners.reaches
        pieces: list[tuple[list[str], ...]] = []
        whole: list[tuple[list[str], ...]] = []
        pairs: list[Link] = []

        def sees(site: str, other: str) -> bool:
            return all(self._is_green(links, *two) for two in product(units[site], units[other]))

        for group in groups:
            up = [site for site in group if site in units]
            pieces += [tuple(joined(part, sees)) for part in joined(up, reaches)]
            whole.append(tuple(joined(up, lambda one, other: reaches(one, other) and sees(one, other))))
            pairs += combinations(up, 2)
        return _Picture(
            tuple(pieces),
            tuple(whole),
            tuple(pair for pair in pairs if reaches(*pair) and not sees(*pair)),
            frozenset(pair for pair in pairs if not reaches(*pair)),
        )

    def _is_green(self, links: int, one: tuple[int, Unit], other: tuple[int, Unit]) -> bool:
        """Return whether two units see each other that are up, but for the network."""
        key = (links, one[0], other[0])
        if key not in self._known:
            self._known[key] = self._network.partners.would_be_green(one[1], other[1])
        return self._known[key]

    def _number(self, of: object) -> int:
        return self._numbers.setdefault(of, len(self._numbers))


def _link_inputs(unit: Unit) -> tuple[object, ...]:
    return unit.address, unit.remote_geo_access, unit.secret, unit.firmware


def planned_world(topology: Topology, plan: Plan) -> World:
    """Return a topology's units as its plan leaves them: lists, links of both units of each pair, masters active."""
    clock = SimulatedClock()
    return submitted(Network(topology, clock), clock, plan)


def submitted(network: Network, clock: SimulatedClock, plan: Plan) -> World:
    """Return a network's units as a plan leaves them.

    The lists are submitted as its steps do it, so that its own order is what makes the links.
    """
    world = World(network, clock, [group.sites for group in plan.groups])
    for site in plan.sites:
        for name, addresses in ((REMOTE_GEO_ACCESS, site.remote_geo_access), (GEO_PARTNERS, site.geo_partners)):
            network.set_parameter(world.active_of(site.name)[0], name, addresses)
    world.settle()
    for site in plan.sites:
        if site.kind == "ha_pair":
            _submit_on_both(world, site.name, site.geo_partners)
    for site in plan.sites:
        network.set_parameter(world.active_of(site.name)[0], GEO_PARTNERS, site.geo_partners)
    for cluster in plan.clusters:
        first = world.active_of(plan.sites_of(cluster.group)[0].name)[0]
        network.geo.put_cluster(first, Cluster(cluster.address, cluster.name, "remoteLM"))
    world.settle()
    return World(network, clock, world.groups)


def _submit_on_both(world: World, site: str, partners: tuple[str, ...]) -> None:
    """Let a pair fail over, submit its partners on its slave, and let it fail back."""
    for _ in range(2):
        world.network.fail_over(site)
        world.settle()
        world.network.set_parameter(world.active_of(site)[0], GEO_PARTNERS, partners)
        world.settle()


def joined(sites: Sequence[str], are_joined: Callable[[str, str], bool]) -> list[list[str]]:
    """Return sites in parts, each held together by what joins two of them."""
    parts: list[list[str]] = []
    left = list(sites)
    while left:
        part = [left.pop(0)]
        for site in part:  # which grows
            part += [other for other in left if are_joined(site, other)]
            left = [other for other in left if other not in part]
        parts.append(part)
    return parts


def _left_over(pieces: Sequence[list[str]], weigh: Callable[[list[str]], tuple[int, ...]]) -> list[str]:
    """Return the sites of all pieces but the weightiest."""
    if len(pieces) < 2:  # noqa: PLR2004 - nobody is left over
        return []
    kept = max(pieces, key=weigh)
    return [site for piece in pieces if piece is not kept for site in piece]


def _weight(unlike: Sequence[Collection[str]], sites: Sequence[str]) -> tuple[int, ...]:
    return len(sites), *(-sum(site in names for site in sites) for names in unlike)


def _differ(one: Configuration, other: Configuration) -> bool:
    """Return whether two units hold different things; most often it is the very same."""
    same_settings = one.settings is other.settings or one.settings == other.settings
    return not same_settings or (one.geo is not other.geo and one.geo != other.geo)


def _by_site(units: Iterable[Unit]) -> dict[str, list[Unit]]:
    found: dict[str, list[Unit]] = {}
    for unit in units:
        found.setdefault(unit.site, []).append(unit)
    return found


def _behind_others(group: Sequence[str], active: Mapping[str, list[Unit]]) -> Iterator[str]:
    """Yield the sites of a group whose active unit has not all entries that another one has, as they were left."""
    held = {site: active[site][0].configuration.geo for site in group if site in active}
    if len({id(entries) for entries in held.values()}) > 1:
        newest = later_of(*held.values())
        yield from (site for site, entries in held.items() if entries != newest)
