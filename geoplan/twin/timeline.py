"""When units are down, when traffic moves and when links turn green, while a push goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.lab.device.unit import Unit
    from geoplan.twin.stage import Stage


class MomentKind(StrEnum):
    """What happens at a moment."""

    DOWN = "down"
    UP = "up"
    ACTIVE = "active"
    """The traffic of a site moves to a unit."""
    NONE_ACTIVE = "none_active"
    """No unit of a site takes traffic."""
    GREEN = "green"
    """Another number of links is green."""


class Moment(NamedTuple):
    """Something that happens, in seconds after the push began."""

    seconds: float
    kind: MomentKind
    site: str | None = None
    unit: str | None = None
    green: int | None = None


class Lane(NamedTuple):
    """One unit over the whole time, as spans from and to."""

    site: str
    role: str
    unit: str
    down: tuple[tuple[float, float], ...]
    active: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Timeline:
    """All that happens, in order."""

    seconds: float
    """How long it takes in all."""
    links: int
    """How many links between sites there are to be."""
    moments: tuple[Moment, ...]
    lanes: tuple[Lane, ...]


class Gap(NamedTuple):
    """A time in which a pair had no active unit."""

    site: str
    seconds: float


@dataclass
class Recorder:
    """Watches a stage while something goes on there; its pairs alone unless ``is_whole``."""

    stage: Stage
    is_whole: bool = True
    moments: list[Moment] = field(default_factory=list)
    longest: Gap | None = None
    """The longest time in which a pair had no active unit."""

    def __post_init__(self) -> None:
        self._began = self.stage.clock.now()
        self._none_since: dict[str, float] = {}
        self._up: dict[str, bool] = {}
        self._active: dict[str, str | None] = {}
        self._green = -1
        self.look()
        self.moments.clear()
        self._at_first = (dict(self._up), dict(self._active))
        self.stage.on_change.append(self.look)

    def look(self) -> None:
        """Note what is otherwise than before."""
        now = self.stage.clock.now() - self._began
        network = self.stage.network
        for site, pair in network.pairs.items():
            if any(network.is_active(unit) for unit in pair.units):
                self._end_gap(site, now)
            else:
                self._none_since.setdefault(site, now)
        if self.is_whole:
            self.moments += self._changes(now)

    def _end_gap(self, site: str, now: float) -> None:
        since = self._none_since.pop(site, None)
        if since is not None and (self.longest is None or now - since > self.longest.seconds):
            self.longest = Gap(site, now - since)

    def _changes(self, now: float) -> Iterator[Moment]:
        network = self.stage.network
        for unit in network.units.values():
            if self._up.get(unit.address) is not unit.is_up:
                self._up[unit.address] = unit.is_up
                yield Moment(now, MomentKind.UP if unit.is_up else MomentKind.DOWN, unit.site, unit.address)
        for site in network.pairs:
            found = self.stage.active_unit(site)
            active = found.address if found else None
            if self._active.get(site, "") != active:
                self._active[site] = active
                yield Moment(now, MomentKind.ACTIVE if active else MomentKind.NONE_ACTIVE, site, active)
        green = sum(network.partners.is_green(one, other) for one, other in self._linked())
        if green != self._green:
            self._green = green
            yield Moment(now, MomentKind.GREEN, green=green)

    def _linked(self) -> Iterator[tuple[Unit, Unit]]:
        """Yield the active units of every two sites that are to be partners."""
        for group in self.stage.plan.groups:
            active = [unit for site in group.sites if (unit := self.stage.active_unit(site))]
            yield from combinations(active, 2)

    def timeline(self, seconds: float) -> Timeline:
        """Return what has happened up to then."""
        links = sum(len(list(combinations(group.sites, 2))) for group in self.stage.plan.groups)
        sites = [
            site for site in self.stage.plan.sites if site.name in {u.site for u in self.stage.network.units.values()}
        ]
        lanes = tuple(
            Lane(
                site.name,
                unit.role,
                unit.address,
                self._down(unit.address, seconds),
                self._at_work(unit.address, site.name, seconds),
            )
            for site in sites
            for unit in site.units
        )
        return Timeline(seconds, links, tuple(self.moments), lanes)

    def _down(self, unit: str, end: float) -> tuple[tuple[float, float], ...]:
        up, _ = self._at_first
        states = [(0.0, not up[unit])]
        states += [
            (each.seconds, each.kind is MomentKind.DOWN)
            for each in self.moments
            if each.unit == unit and each.kind in (MomentKind.UP, MomentKind.DOWN)
        ]
        return _spans(states, end)

    def _at_work(self, unit: str, site: str, end: float) -> tuple[tuple[float, float], ...]:
        _, active = self._at_first
        if site not in active:  # a standalone works whenever it is up
            down = self._down(unit, end)
            return _spans(
                [
                    (0.0, True),
                    *(
                        (moment, not begins)
                        for span in down
                        for moment, begins in zip(span, (True, False), strict=True)
                    ),
                ],
                end,
            )
        kinds = (MomentKind.ACTIVE, MomentKind.NONE_ACTIVE)
        states = [(0.0, active[site] == unit)]
        states += [
            (each.seconds, each.unit == unit) for each in self.moments if each.site == site and each.kind in kinds
        ]
        return _spans(states, end)


def _spans(states: list[tuple[float, bool]], end: float) -> tuple[tuple[float, float], ...]:
    """Return when something was so, given from when on it was so or was not."""
    found: list[tuple[float, float]] = []
    since: float | None = None
    for moment, is_so in [*states, (end, False)]:
        if is_so and since is None:
            since = moment
        elif not is_so and since is not None:
            if moment > since:
                found.append((since, moment))
            since = None
    return tuple(found)
