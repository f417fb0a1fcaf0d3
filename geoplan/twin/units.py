"""How units can be: what standbys refuse, what is told of colours and HA modes, how slowly they replicate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from geoplan.twin import shapes
from geoplan.twin.behaviour import Behaviour, Hands, Place, a_pair, a_unit, a_unit_of_pair
from geoplan.twin.shapes import Refusal

if TYPE_CHECKING:
    import random

    from geoplan.topology.model import Topology


@dataclass(frozen=True)
class RefusingStandbys(Behaviour):
    """Standbys refuse some or all reads, and say so."""

    hides_standbys: ClassVar[bool] = True
    lasting: ClassVar[bool] = True
    needs_hands: ClassVar[Hands] = "refused in HA"  # without their HA parameters nobody knows whether those are right
    what: str

    @classmethod
    def draw(cls, chance: random.Random, topology: Topology) -> Self | None:
        """Draw one."""
        return cls(chance.choice(list(shapes.READS_OF_STANDBYS))) if a_pair(chance, topology) else None

    def begin(self, world: Place) -> None:
        """Let it go on, or wait."""
        world.shapes.append(world.until_mended(shapes.refusing(self.what, Refusal.EXPLICIT)))


@dataclass(frozen=True)
class UnclearStandbys(Behaviour):
    """Standbys answer some or all reads with a web page or HTTP 500, which may mean anything."""

    hides_standbys: ClassVar[bool] = True
    lasting: ClassVar[bool] = True
    needs_hands: ClassVar[Hands] = "always"
    what: str
    how: Refusal

    @classmethod
    def draw(cls, chance: random.Random, topology: Topology) -> Self | None:
        """Draw one."""
        how = chance.choice([Refusal.HTML, Refusal.ERROR])
        return cls(chance.choice(list(shapes.READS_OF_STANDBYS)), how) if a_pair(chance, topology) else None

    def begin(self, world: Place) -> None:
        """Let it go on, or wait."""
        world.shapes.append(world.until_mended(shapes.refusing(self.what, self.how)))


@dataclass(frozen=True)
class TakingStandbys(Behaviour):
    """Standbys take lists and show them, though nothing of it reaches the active unit."""

    hides_standbys: ClassVar[bool] = True
    lasting: ClassVar[bool] = True

    @classmethod
    def draw(cls, chance: random.Random, topology: Topology) -> Self | None:
        """Draw one."""
        return cls() if a_pair(chance, topology) else None

    def begin(self, world: Place) -> None:
        """Let it go on, or wait."""
        world.shapes.append(shapes.taking_writes)


@dataclass(frozen=True)
class Colours(Behaviour):
    """Units tell their partners' status in a shape that tells too little."""

    lasting: ClassVar[bool] = True
    hides_colours: ClassVar[bool] = True
    shape: str
    unit: str | None = None
    """Which unit does so; without it all do."""

    @classmethod
    def draw(cls, chance: random.Random, topology: Topology) -> Self | None:
        """Draw one."""
        unit = a_unit(chance, topology) if chance.choice([True, False]) else None
        return cls(chance.choice(list(shapes.COLOURS)), unit)

    def begin(self, world: Place) -> None:
        """Let it go on, or wait."""
        world.shapes.append(shapes.colours(self.shape, self.unit))


@dataclass(frozen=True)
class RedStandbys(Behaviour):
    """Standbys run no GEO: a partner shows green only where both units are active."""

    lasting: ClassVar[bool] = True
    hides_colours: ClassVar[bool] = True

    @classmethod
    def draw(cls, chance: random.Random, topology: Topology) -> Self | None:
        """Draw one."""
        return cls() if a_pair(chance, topology) else None

    def begin(self, world: Place) -> None:
        """Let it go on, or wait."""
        world.shapes.append(shapes.red_standbys)


@dataclass(frozen=True)
class HaTold(Behaviour):
    """Units tell their HA mode in another form."""

    lasting: ClassVar[bool] = True
    needs_hands: ClassVar[Hands] = "unpaired"  # a mode that nobody tells
    mode: str
    number: str | None

    @classmethod
    def draw(cls, chance: random.Random, topology: Topology) -> Self | None:
        """Draw one."""
        if a_pair(chance, topology) is None:
            return None
        return cls(chance.choice(shapes.HA_MODES), chance.choice(shapes.HA_NUMBERS))

    def begin(self, world: Place) -> None:
        """Let it go on, or wait."""
        world.shapes.append(shapes.ha_told(self.mode, self.number))


@dataclass(frozen=True)
class OtherParameter(Behaviour):
    """A pair at work has an HA parameter that the plan has otherwise."""

    lasting: ClassVar[bool] = True
    needs_hands: ClassVar[Hands] = "always"
    unit: str
    parameter: Literal["all_interfaces", "prefer_master"]

    @classmethod
    def draw(cls, chance: random.Random, topology: Topology) -> Self | None:
        """Draw one."""
        unit = a_unit_of_pair(chance, topology)
        parameter: Literal["all_interfaces", "prefer_master"] = chance.choice(["all_interfaces", "prefer_master"])
        return cls(unit, parameter) if unit else None

    def begin(self, world: Place) -> None:
        """Let it go on, or wait."""
        unit = world.network.unit(self.unit)
        if unit.ha.mode == "single":  # only what works can be other than it should
            return
        self._flip(world)
        world.by_hand.append(lambda: self._flip(world))

    def _flip(self, world: Place) -> None:
        unit = world.network.unit(self.unit)
        flipped: dict[str, Any] = {self.parameter: not getattr(unit.ha, self.parameter)}
        world.network.set_ha(unit, replace(unit.ha, **flipped))


# -- replication -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Replication(Behaviour):
    """A pair's active unit replicates ten times as slowly, or not at all."""

    hides_standbys: ClassVar[bool] = True
    site: str
    never: bool

    @classmethod
    def draw(cls, chance: random.Random, topology: Topology) -> Self | None:
        """Draw one."""
        site = a_pair(chance, topology)
        return cls(site, chance.choice([True, False])) if site else None

    def begin(self, world: Place) -> None:
        """Let it go on, or wait."""
        pair = world.network.pair(self.site)
        if self.never:
            pair.changed = lambda: None  # type: ignore[method-assign]
        else:
            pair.set_timings(replace(world.network.timings, sync_seconds=10 * world.network.timings.sync_seconds))

    def end(self, world: Place) -> None:
        """Take it away."""
        pair = world.network.pair(self.site)
        vars(pair).pop("changed", None)
        pair.set_timings(world.network.timings)
        pair.changed()
