"""What other people and machines can do during a push: edit lists, reboot units, switch pairs over, set clocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from geoplan.lab.device.parameters import GEO_PARTNERS
from geoplan.twin.behaviour import STRANGER, Behaviour, Place, a_moment, a_pair, a_unit, later
from geoplan.twin.watch import is_read

if TYPE_CHECKING:
    import random

    from geoplan.topology.model import Topology
    from geoplan.twin.transport import Sent

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
class HandAtRead(Behaviour):
    """Somebody adds a partner at a site just before the push submits there: once it reads the list for that."""

    site: str
    unit: str
    after: int
    """How many requests that change a unit come before, over all runs."""
    costs: ClassVar[int] = 2

    def begin(self, world: Place) -> None:
        """Wait for that read."""
        seen, is_done = 0, False

        async def way(sent: Sent) -> None:
            nonlocal seen, is_done
            if sent.call and not is_read(sent.call):
                seen += 1
            is_meant = sent.address == self.unit and sent.subject == f"get:{GEO_PARTNERS}"
            if is_meant and seen >= self.after and not is_done and not world.is_lifted:
                is_done = True
                Hand(self.site, "geopartners", adds=True, at=0.0).edit(world)

        world.ways.append(way)

    def end(self, world: Place) -> None:
        """Take it away."""
        world.take_back_hands()


@dataclass(frozen=True)
class SeedTakenAway(Behaviour):
    """Somebody deletes a cluster on a site that joins others, just before that gets its access list."""

    unit: str
    cluster: str
    """By its address."""

    def begin(self, world: Place) -> None:
        """Wait for that request."""
        is_done = False

        async def way(sent: Sent) -> None:
            nonlocal is_done
            if sent.address == self.unit and sent.subject == "set:geoclients" and not is_done and not world.is_lifted:
                is_done = True
                world.network.geo.remove_cluster(world.network.unit(self.unit), self.cluster)

        world.ways.append(way)


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

        if self.at:
            world.clock.call_later(self.at, set_back)
        else:
            set_back()
