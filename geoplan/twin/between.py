"""What can lie between a push and its units: closed ports, middleboxes, requests that are lost."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import httpx

from geoplan.twin.behaviour import Behaviour, Place, a_moment, a_pair, a_unit, a_unit_of_pair
from geoplan.twin.transport import Sent, deliver, no_answer

if TYPE_CHECKING:
    import random

    from geoplan.topology.model import Topology

CONNECT_SECONDS = 5.0
_AT_ITS_PARTNERS = 0.4


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
        """Draw one."""
        how: Literal["refused", "timeout", "certificate", "401"]
        how = chance.choice(["refused", "timeout", "certificate", "401"])
        after = None if chance.random() < _AT_ITS_PARTNERS else a_moment(chance)
        unit = a_unit_of_pair(chance, topology) or a_unit(chance, topology)
        return cls(unit, how, after, chance.choice([None, 10.0, 60.0]))

    def begin(self, world: Place) -> None:
        """Let it go on, or wait."""
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
        """Draw one."""
        site = a_pair(chance, topology)
        return cls(site) if site else None

    def begin(self, world: Place) -> None:
        """Let it go on, or wait."""

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
        """Draw one."""
        subject = chance.choice(["reboot", "reboot", "set:geopartners", "awshamode"])
        how = chance.choice(LOSSES)
        then: Then = chance.choice(THENS)
        unit = a_unit_of_pair(chance, topology)
        return cls(unit, subject, how, chance.choice([1, 1, 2, 4]), then) if unit else None

    def begin(self, world: Place) -> None:
        """Let it go on, or wait."""
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

    def _happen(self, world: Place) -> None:
        unit = world.network.unit(self.unit)
        pair = world.network.pair_of(unit)
        if pair is None:
            return
        if self.then == "slave dies":
            world.simulation.power_off(pair.slave.address)
        elif self.then == "failover" and pair.active and pair.standby:
            world.simulation.fail_over(unit.site)
