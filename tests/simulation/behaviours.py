"""What else goes on in a simulated world, beside the lab's own faults: one class for each thing.

Each is drawn rarely, so that most seeds stay readable. A *lasting* one is how this estate is, and stays for ever: the
push has to come to its end with it. The others are disturbances, and end when they are lifted.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import httpx

from geoplan.lab.device.parameters import GEO_PARTNERS
from geoplan.lab.device.unit import Power
from geoplan.twin.transport import Sent, deliver, no_answer
from tests.simulation import shapes
from tests.simulation.shapes import Refusal

if TYPE_CHECKING:
    from geoplan.topology.model import Topology
    from tests.simulation.world import World

CONNECT_SECONDS = 5.0
STRANGER = "203.0.113.66"

Subject = Literal["geoclients", "geopartners"]


Hands = Literal["never", "always", "unpaired", "refused in HA"]


@dataclass(frozen=True)
class Behaviour:
    """One thing that goes on."""

    lasting: ClassVar[bool] = False
    needs_hands: ClassVar[Hands] = "never"
    """Whether a push may refuse because of it until a person has mended it, although it is lasting."""
    hides_colours: ClassVar[bool] = False
    """Whether nobody can tell by what units say of their partners that all links are green."""
    costs: ClassVar[int] = 1
    """How many reboots more than planned it may cost."""

    @classmethod
    def draw(cls, chance: random.Random, topology: Topology) -> Self | None:
        """Draw one, or none where the topology has no place for it."""
        raise NotImplementedError

    def begin(self, world: World) -> None:
        """Let it go on, or wait."""
        raise NotImplementedError

    def end(self, world: World) -> None:
        """Take it away."""


def _pair(chance: random.Random, topology: Topology) -> str | None:
    pairs = [site.name for site in topology.sites if site.ha_pair]
    return chance.choice(pairs) if pairs else None


def _unit(chance: random.Random, topology: Topology) -> str:
    return chance.choice([unit.address for site in topology.sites for unit in site.units])


def _unit_of_pair(chance: random.Random, topology: Topology) -> str | None:
    units = [unit.address for site in topology.sites if site.ha_pair for unit in site.units]
    return chance.choice(units) if units else None


def _moment(chance: random.Random) -> float:
    return round(chance.uniform(0.0, 90.0), 3)


def _later(world: World, seconds: float, action: Callable[[], None]) -> None:
    """Do something after some seconds, unless all disturbances have been lifted by then."""
    world.clock.call_later(seconds, lambda: None if world.is_lifted else action())


# -- the network in between --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ClosedApi(Behaviour):
    """A unit's API is closed while its health check answers."""

    unit: str
    how: Literal["refused", "timeout", "certificate", "401"]
    after: float | None = None
    """Seconds from the beginning; without them from when its pair's active unit has its partners."""
    seconds: float | None = None
    """For how long; without them until it is lifted."""

    @classmethod
    def draw(cls, chance: random.Random, topology: Topology) -> Self | None:
        how: Literal["refused", "timeout", "certificate", "401"]
        how = chance.choice(["refused", "timeout", "certificate", "401"])
        after = None if chance.random() < 0.4 else _moment(chance)
        unit = _unit_of_pair(chance, topology) or _unit(chance, topology)
        return cls(unit, how, after, chance.choice([None, 10.0, 60.0]))

    def begin(self, world: World) -> None:
        closed_at: list[float] = []

        def is_closed() -> bool:
            if world.is_lifted:
                return False
            now = world.clock.now()
            if not closed_at and (now >= self.after if self.after is not None else world.has_partners(self.unit)):
                closed_at.append(now)
            return bool(closed_at) and (self.seconds is None or now < closed_at[0] + self.seconds)

        async def way(sent: Sent) -> httpx.Response | None:
            if sent.is_health or sent.address != self.unit or not is_closed():
                return None
            match self.how:
                case "refused":
                    raise httpx.ConnectError("connection refused", request=sent.http)
                case "timeout":
                    await asyncio.sleep(CONNECT_SECONDS)
                    raise httpx.ConnectTimeout("no connection", request=sent.http)
                case "certificate":
                    cause = ssl.SSLCertVerificationError("certificate verify failed")
                    cause.verify_message = "self-signed certificate"
                    raise httpx.ConnectError("certificate verify failed", request=sent.http) from cause
                case "401":
                    return httpx.Response(401, content=b"<html>401 Unauthorized</html>", request=sent.http)

        world.ways.append(way)


@dataclass(frozen=True)
class Middlebox(Behaviour):
    """Something in between answers 503 for the health check of a unit that is off, or booting."""

    site: str

    @classmethod
    def draw(cls, chance: random.Random, topology: Topology) -> Self | None:
        site = _pair(chance, topology)
        return cls(site) if site else None

    def begin(self, world: World) -> None:
        async def way(sent: Sent) -> httpx.Response | None:
            unit = world.network.unit(sent.address)
            if not sent.is_health or unit.site != self.site or unit.is_up or world.is_lifted:
                return None
            return httpx.Response(503, content=b"Service Unavailable\n", request=sent.http)

        world.ways.append(way)


Loss = Literal["refused", "connect-timeout", "applied", "lost", "late"]
"""The first two before anything is sent, the next two after that, the last arrives 4 seconds late."""
LOSSES: tuple[Loss, ...] = ("refused", "connect-timeout", "applied", "lost", "late")
Then = Literal["nothing", "slave dies", "failover"]
THENS: tuple[Then, ...] = ("nothing", "slave dies", "failover")


@dataclass(frozen=True)
class LostRequest(Behaviour):
    """Requests of one kind to one unit come to nothing, or too late, and its pair changes with the first of them."""

    unit: str
    subject: str
    """A command, or ``set:PARAMETER``."""
    how: Loss
    times: int = 1
    then: Then = "nothing"
    costs: ClassVar[int] = 2

    @classmethod
    def draw(cls, chance: random.Random, topology: Topology) -> Self | None:
        subject = chance.choice(["reboot", "reboot", "set:geopartners", "awshamode"])
        how = chance.choice(LOSSES)
        then: Then = chance.choice(THENS)
        unit = _unit_of_pair(chance, topology)
        return cls(unit, subject, how, chance.choice([1, 1, 2, 4]), then) if unit else None

    def begin(self, world: World) -> None:
        met = 0

        async def way(sent: Sent) -> httpx.Response | None:
            nonlocal met
            if sent.address != self.unit or sent.subject != self.subject or met >= self.times or world.is_lifted:
                return None
            met += 1
            if met == 1:
                self._happen(world)
            match self.how:
                case "refused":
                    raise httpx.ConnectError("connection refused", request=sent.http)
                case "connect-timeout":
                    await asyncio.sleep(CONNECT_SECONDS)
                    raise httpx.ConnectTimeout("no connection", request=sent.http)
                case "late":
                    await asyncio.sleep(4.0)
                    return None
            if not world.simulation.accepts(sent.address):
                raise httpx.ConnectError("connection refused", request=sent.http)
            if self.how == "applied":
                deliver(world.simulation, sent, sent.address)
            raise await no_answer(sent.http)

        world.ways.append(way)

    def _happen(self, world: World) -> None:
        unit = world.network.unit(self.unit)
        pair = world.network.pair_of(unit)
        if pair is None:
            return
        if self.then == "slave dies":
            world.simulation.power_off(pair.slave.address)
        elif self.then == "failover" and pair.active and pair.standby:
            world.simulation.fail_over(unit.site)


# -- how units are -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RefusingStandbys(Behaviour):
    """Standbys refuse some or all reads, and say so."""

    lasting: ClassVar[bool] = True
    needs_hands: ClassVar[Hands] = "refused in HA"  # without their HA parameters nobody knows whether those are right
    what: str

    @classmethod
    def draw(cls, chance: random.Random, topology: Topology) -> Self | None:
        return cls(chance.choice(list(shapes.READS_OF_STANDBYS))) if _pair(chance, topology) else None

    def begin(self, world: World) -> None:
        world.shapes.append(world.until_mended(shapes.refusing(self.what, Refusal.EXPLICIT)))


@dataclass(frozen=True)
class UnclearStandbys(Behaviour):
    """Standbys answer some or all reads with a web page or HTTP 500, which may mean anything."""

    lasting: ClassVar[bool] = True
    needs_hands: ClassVar[Hands] = "always"
    what: str
    how: Refusal

    @classmethod
    def draw(cls, chance: random.Random, topology: Topology) -> Self | None:
        how = chance.choice([Refusal.HTML, Refusal.ERROR])
        return cls(chance.choice(list(shapes.READS_OF_STANDBYS)), how) if _pair(chance, topology) else None

    def begin(self, world: World) -> None:
        world.shapes.append(world.until_mended(shapes.refusing(self.what, self.how)))


@dataclass(frozen=True)
class TakingStandbys(Behaviour):
    """Standbys take lists and show them, though nothing of it reaches the active unit."""

    lasting: ClassVar[bool] = True

    @classmethod
    def draw(cls, chance: random.Random, topology: Topology) -> Self | None:
        return cls() if _pair(chance, topology) else None

    def begin(self, world: World) -> None:
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
        unit = _unit(chance, topology) if chance.random() < 0.5 else None
        return cls(chance.choice(list(shapes.COLOURS)), unit)

    def begin(self, world: World) -> None:
        world.shapes.append(shapes.colours(self.shape, self.unit))


@dataclass(frozen=True)
class RedStandbys(Behaviour):
    """Standbys run no GEO: a partner shows green only where both units are active."""

    lasting: ClassVar[bool] = True
    hides_colours: ClassVar[bool] = True

    @classmethod
    def draw(cls, chance: random.Random, topology: Topology) -> Self | None:
        return cls() if _pair(chance, topology) else None

    def begin(self, world: World) -> None:
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
        if _pair(chance, topology) is None:
            return None
        return cls(chance.choice(shapes.HA_MODES), chance.choice(shapes.HA_NUMBERS))

    def begin(self, world: World) -> None:
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
        unit = _unit_of_pair(chance, topology)
        parameter: Literal["all_interfaces", "prefer_master"] = chance.choice(["all_interfaces", "prefer_master"])
        return cls(unit, parameter) if unit else None

    def begin(self, world: World) -> None:
        unit = world.network.unit(self.unit)
        if unit.ha.mode == "single":  # only what works can be other than it should
            return
        self._flip(world)
        world.by_hand.append(lambda: self._flip(world))

    def _flip(self, world: World) -> None:
        unit = world.network.unit(self.unit)
        flipped: dict[str, Any] = {self.parameter: not getattr(unit.ha, self.parameter)}
        world.network.set_ha(unit, replace(unit.ha, **flipped))


# -- replication -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Replication(Behaviour):
    """A pair's active unit replicates ten times as slowly, or not at all."""

    site: str
    never: bool

    @classmethod
    def draw(cls, chance: random.Random, topology: Topology) -> Self | None:
        site = _pair(chance, topology)
        return cls(site, chance.random() < 0.5) if site else None

    def begin(self, world: World) -> None:
        pair = world.network.pair(self.site)
        if self.never:
            pair.changed = lambda: None  # type: ignore[method-assign]
        else:
            pair._timings = replace(pair._timings, sync_seconds=10 * pair._timings.sync_seconds)

    def end(self, world: World) -> None:
        pair = world.network.pair(self.site)
        vars(pair).pop("changed", None)
        pair._timings = world.network.timings
        pair._stop_deliveries()
        pair.changed()


# -- people, and other machines ----------------------------------------------------------------------------------------


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
        site = chance.choice(topology.sites).name
        subject: Subject = chance.choice(["geoclients", "geopartners"])
        return cls(site, subject, chance.random() < 0.7, _moment(chance))

    def begin(self, world: World) -> None:
        _later(world, self.at, lambda: self.edit(world))

    def edit(self, world: World) -> None:
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

    def end(self, world: World) -> None:
        world.take_back_hands()


@dataclass(frozen=True)
class ForeignReboot(Behaviour):
    """Somebody reboots a unit."""

    unit: str
    at: float
    costs: ClassVar[int] = 2

    @classmethod
    def draw(cls, chance: random.Random, topology: Topology) -> Self | None:
        return cls(_unit(chance, topology), _moment(chance))

    def begin(self, world: World) -> None:
        _later(world, self.at, lambda: world.simulation.reboot(self.unit))


@dataclass(frozen=True)
class Switchover(Behaviour):
    """Somebody switches a pair over, both of whose units stay up."""

    site: str
    at: float
    costs: ClassVar[int] = 2

    @classmethod
    def draw(cls, chance: random.Random, topology: Topology) -> Self | None:
        site = _pair(chance, topology)
        return cls(site, _moment(chance)) if site else None

    def begin(self, world: World) -> None:
        def switch() -> None:
            pair = world.network.pair(self.site)
            if pair.active and pair.standby:
                world.simulation.fail_over(self.site)

        _later(world, self.at, switch)


@dataclass(frozen=True)
class ClockSetBack(Behaviour):
    """The wall clock of the machine that pushes is set back."""

    lasting: ClassVar[bool] = True
    at: float
    seconds: float
    costs: ClassVar[int] = 0

    @classmethod
    def draw(cls, chance: random.Random, _topology: Topology) -> Self | None:
        return cls(_moment(chance), chance.choice([30.0, 300.0, 7200.0]))

    def begin(self, world: World) -> None:
        def set_back() -> None:
            world.time.set_back += self.seconds

        world.clock.call_later(self.at, set_back)


TABLE: tuple[tuple[type[Behaviour], int], ...] = (
    (ClosedApi, 3),
    (Middlebox, 2),
    (LostRequest, 4),
    (RefusingStandbys, 3),
    (UnclearStandbys, 1),
    (TakingStandbys, 1),
    (Colours, 2),
    (RedStandbys, 2),
    (HaTold, 2),
    (OtherParameter, 1),
    (Replication, 2),
    (Hand, 3),
    (ForeignReboot, 2),
    (Switchover, 1),
    (ClockSetBack, 2),
)
"""Every behaviour, and how often it is drawn beside the others."""


def draw(chance: random.Random, topology: Topology) -> list[Behaviour]:
    """Draw what goes on: mostly nothing, or one thing."""
    kinds = [kind for kind, _ in TABLE]
    weights = [weight for _, weight in TABLE]
    drawn = chance.choices(kinds, weights, k=chance.choice([0, 0, 0, 1, 1, 2]))
    found = [kind.draw(chance, topology) for kind in dict.fromkeys(drawn)]
    return [behaviour for behaviour in found if behaviour]


def power_all_on(world: World) -> None:
    """Give every unit power that has none."""
    for unit in world.network.units.values():
        if unit.power is Power.OFF:
            world.simulation.power_on(unit.address)
