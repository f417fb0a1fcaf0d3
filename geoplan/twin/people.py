"""What other people and machines can do during a push: edit lists, reboot units, switch pairs over, set clocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from geoplan.lab.device.parameters import GEO_PARTNERS
from geoplan.twin.behaviour import STRANGER, Behaviour, Place, a_moment, a_pair, a_unit, later

if TYPE_CHECKING:
    import random

    from geoplan.topology.model import Topology

_ADDS = 0.7
Subject = Literal["geoclients", "geopartners"]


@dataclass(frozen=True)
class Hand(Behaviour):
    """Somebody adds an address to a list, or removes one, on a site's active unit."""

    site: str
    subject: Subject
    adds: bool
    at: float
    costs: ClassVar[int] = 2

    @classmethod
    def draw(cls, chance: random.Random, topology: Topology) -> Self | None:
        """Draw one."""
        site = chance.choice(topology.sites).name
        subject: Subject = chance.choice(["geoclients", "geopartners"])
        return cls(site, subject, chance.random() < _ADDS, a_moment(chance))

    def begin(self, world: Place) -> None:
        """Let it go on, or wait."""
        later(world, self.at, lambda: self.edit(world))

    def edit(self, world: Place) -> None:
        """Do it now, where there is an active unit."""
        unit = world.active_unit(self.site)
        if unit is None or world.is_over:
            return
        held = unit.geo_partners if self.subject == GEO_PARTNERS else unit.remote_geo_access
        if self.adds:
            world.watch.handed.setdefault((self.site, self.subject), {})[STRANGER] = world.clock.now()
            world.network.set_parameter(unit, self.subject, (*held, STRANGER))
        elif held:
            world.watch.is_edited = True
            world.watch.removed_by_hand.append((self.site, world.clock.now()))
            world.network.set_parameter(unit, self.subject, held[:-1])

    def end(self, world: Place) -> None:
        """Take it away."""
        world.take_back_hands()


@dataclass(frozen=True)
class ForeignReboot(Behaviour):
    """Somebody reboots a unit."""

    unit: str
    at: float
    costs: ClassVar[int] = 2

    @classmethod
    def draw(cls, chance: random.Random, topology: Topology) -> Self | None:
        """Draw one."""
        return cls(a_unit(chance, topology), a_moment(chance))

    def begin(self, world: Place) -> None:
        """Let it go on, or wait."""
        later(world, self.at, lambda: world.simulation.reboot(self.unit))


@dataclass(frozen=True)
class Switchover(Behaviour):
    """Somebody switches a pair over, both of whose units stay up."""

    site: str
    at: float
    costs: ClassVar[int] = 2

    @classmethod
    def draw(cls, chance: random.Random, topology: Topology) -> Self | None:
        """Draw one."""
        site = a_pair(chance, topology)
        return cls(site, a_moment(chance)) if site else None

    def begin(self, world: Place) -> None:
        """Let it go on, or wait."""

        def switch() -> None:
            pair = world.network.pair(self.site)
            if pair.active and pair.standby:
                world.simulation.fail_over(self.site)

        later(world, self.at, switch)


@dataclass(frozen=True)
class ClockSetBack(Behaviour):
    """The wall clock of the machine that pushes is set back."""

    lasting: ClassVar[bool] = True
    at: float
    seconds: float
    costs: ClassVar[int] = 0

    @classmethod
    def draw(cls, chance: random.Random, _topology: Topology) -> Self | None:
        """Draw one."""
        return cls(a_moment(chance), chance.choice([30.0, 300.0, 7200.0]))

    def begin(self, world: Place) -> None:
        """Let it go on, or wait."""

        def set_back() -> None:
            world.time.set_back += self.seconds

        world.clock.call_later(self.at, set_back)
