"""What can go on in a rehearsal, beside the lab's own faults: one class for each thing.

A *lasting* one is how this estate is, and stays for ever: the push has to come to its end with it. The others are
disturbances, and end when they are lifted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, Self

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from geoplan.lab.clock import SimulatedClock
    from geoplan.lab.device.network import Network
    from geoplan.lab.device.unit import Unit
    from geoplan.lab.simulation import Simulation
    from geoplan.live.polling import Timings
    from geoplan.plan.model import Plan
    from geoplan.push.options import Options
    from geoplan.topology.model import Topology
    from geoplan.twin.arrivals import Watch
    from geoplan.twin.loop import SimulatedTime
    from geoplan.twin.shapes import Shape
    from geoplan.twin.transport import Way

STRANGER = "203.0.113.66"

Hands = Literal["never", "always", "unpaired", "refused in HA"]


class Place(Protocol):
    """What a behaviour works on."""

    simulation: Simulation
    time: SimulatedTime
    watch: Watch
    ways: list[Way]
    shapes: list[Shape]
    by_hand: list[Callable[[], object]]
    is_lifted: bool
    is_over: bool
    plan: Plan
    options: Options
    timings: Timings
    sync_seconds: float
    must_remember: bool

    @property
    def network(self) -> Network:
        """All units as they really are."""

    @property
    def clock(self) -> SimulatedClock:
        """The only time that there is."""

    def active_unit(self, site: str) -> Unit | None:
        """Return a site's active unit, or None where not exactly one is active."""

    def has_partners(self, address: str) -> bool:
        """Return whether the active unit of a unit's site has its partners by now."""

    def until_mended(self, shape: Shape) -> Shape:
        """Return a shape that ends once people have mended what keeps the push from going on."""

    def take_back_hands(self) -> None:
        """Take back what hands have added to lists."""

    def begin_anew(self, times: int) -> None:
        """Let people abandon what stops so many times and push again without a wait, before anything ends."""

    def kill(self) -> None:
        """Kill the push that runs."""


@dataclass(frozen=True)
class Behaviour:
    """One thing that goes on."""

    lasting: ClassVar[bool] = False
    needs_hands: ClassVar[Hands] = "never"
    """Whether a push may refuse because of it until a person has mended it, although it is lasting."""
    hides_colours: ClassVar[bool] = False
    """Whether nobody can tell by what units say of their partners that all links are green."""
    hides_standbys: ClassVar[bool] = False
    """Whether nobody can tell what standbys hold, or it takes longer than a push waits."""
    costs: ClassVar[int] = 1
    """How many reboots more than planned it may cost."""

    @classmethod
    def draw(cls, chance: random.Random, topology: Topology) -> Self | None:
        """Draw one, or none where the topology has no place for it."""
        raise NotImplementedError

    def begin(self, world: Place) -> None:
        """Let it go on, or wait."""
        raise NotImplementedError

    def end(self, world: Place) -> None:
        """Take it away."""


def a_pair(chance: random.Random, topology: Topology) -> str | None:
    """Draw a pair, by its name."""
    pairs = [site.name for site in topology.sites if site.ha_pair]
    return chance.choice(pairs) if pairs else None


def a_unit(chance: random.Random, topology: Topology) -> str:
    """Draw a unit, by its address."""
    return chance.choice([unit.address for site in topology.sites for unit in site.units])


def a_unit_of_pair(chance: random.Random, topology: Topology) -> str | None:
    """Draw a unit of a pair, by its address."""
    units = [unit.address for site in topology.sites if site.ha_pair for unit in site.units]
    return chance.choice(units) if units else None


def a_moment(chance: random.Random) -> float:
    """Draw a moment, in seconds after the beginning."""
    return round(chance.uniform(0.0, 90.0), 3)


def later(world: Place, seconds: float, action: Callable[[], None]) -> None:
    """Do something after some seconds, unless all disturbances have been lifted by then."""
    world.clock.call_later(seconds, lambda: None if world.is_lifted else action())
