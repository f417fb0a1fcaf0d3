"""What goes wrong in a rehearsal: every single thing at every step, what may be so all the time, and draws of both."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from geoplan.lab.errors import LabError
from geoplan.lab.faults import Fault, FaultKind
from geoplan.twin import behaviours
from geoplan.twin.behaviour import Behaviour
from geoplan.twin.between import LOSSES, THENS, ClosedApi, LostRequest, Middlebox
from geoplan.twin.people import ClockSetBack, ForeignReboot, Hand, Switchover
from geoplan.twin.transport import deliver
from geoplan.twin.units import (
    Colours,
    HaTold,
    OtherParameter,
    RedStandbys,
    RefusingStandbys,
    Replication,
    TakingStandbys,
)
from geoplan.twin.watch import is_read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import httpx

    from geoplan.plan.model import Plan
    from geoplan.topology.model import Topology
    from geoplan.twin.behaviour import Place
    from geoplan.twin.transport import Sent

KILL_BEFORE, KILL_AFTER = "kill-before", "kill-after"
UNIT_OFF, PARTNER_OFF = "unit-off", "partner-off"
OWN_KINDS = {
    KILL_BEFORE: "the push is killed before the unit has taken it",
    KILL_AFTER: "the push is killed once the unit has taken it",
    UNIT_OFF: "the unit loses its power",
    PARTNER_OFF: "the other unit of the pair loses its power",
}
_DONE_THOUGH_LOST = (FaultKind.RESET, FaultKind.TIMEOUT, FaultKind.ERROR)
"""Faults that are also tried with the request carried out although its answer is lost."""
SECOND_REBOOTS = 5
"""How many reboots more than planned a unit that goes down by itself may cost."""


class Change(NamedTuple):
    """A request of the push as planned that changes a unit."""

    number: int
    """Among all of them, from 1."""
    step: int | None
    """The number of the step that it belongs to; None where that is not told."""
    site: str
    unit: str
    subject: str
    seconds: float
    """After the push began."""


@dataclass(frozen=True)
class AtChange(Behaviour):
    """What happens at one request that changes a unit, counted over all runs."""

    at: int
    what: str
    """One of the own kinds, or a fault of the lab without its unit, command and occurrence."""

    def begin(self, world: Place) -> None:
        """Wait for that request."""
        seen = 0

        async def way(sent: Sent) -> httpx.Response | None:
            nonlocal seen
            if sent.call is None or is_read(sent.call):
                return None
            seen += 1
            if seen == self.at and not world.is_lifted:
                await self._happen(world, sent)
            return None

        world.ways.append(way)

    async def _happen(self, world: Place, sent: Sent) -> None:
        pair = world.network.pair_of(world.network.unit(sent.address))
        match self.what:
            case "kill-before" | "kill-after":
                if self.what == KILL_AFTER and world.simulation.accepts(sent.address):
                    deliver(world.simulation, sent, sent.address)
                world.kill()
                await asyncio.sleep(0)
            case "unit-off":
                world.simulation.power_off(sent.address)
            case "partner-off":
                if pair:
                    world.simulation.power_off(pair.partner_of(world.network.unit(sent.address)).address)
            case fault:
                kind, _, more = fault.partition(",")
                where = f"unit={sent.address},command={sent.subject},occurrence=1"
                world.simulation.inject(f"{kind},{where}{more and ','}{more}")


@dataclass(frozen=True)
class CrashAtChange(AtChange):
    """What takes a unit down at one request."""

    costs: ClassVar[int] = SECOND_REBOOTS


def at_change(number: int, what: str) -> AtChange:
    """Return what happens at a request; of a unit that goes down by itself it says that it may cost more."""
    kind = what.partition(",")[0]
    crashes = kind in (UNIT_OFF, PARTNER_OFF) or (kind in list(FaultKind) and FaultKind(kind).hits_unit)
    return CrashAtChange(number, what) if crashes else AtChange(number, what)


@dataclass(frozen=True)
class Case:
    """One run of the push with what goes wrong in it."""

    name: str
    """By which it can be replayed: ``STEP:FAULT``, ``WHERE:WHAT``, or a seed."""
    meaning: str
    behaviours: tuple[Behaviour, ...] = ()
    seed: int | None = None
    """None for a single thing, which is no draw."""
    longest_delay: float = 0.0
    abandons: bool = False


def single_faults(changes: Sequence[Change], plan: Plan) -> Iterator[Case]:
    """Yield every single fault at the first change of every step: of requests, of units, and of the push."""
    kinds = {site.name: site.kind for site in plan.sites}
    sites = {unit.address: site.name for site in plan.sites for unit in site.units}
    steps = {step.number: step for step in plan.steps}
    done: set[int] = set()
    for change in changes:
        if change.step is None or change.step in done:
            continue
        done.add(change.step)
        step = steps[change.step]
        for what, meaning in _kinds_at(change.subject):
            if what != PARTNER_OFF or kinds[sites[change.unit]] == "ha_pair":
                where = f"step {change.step}, {step.action.replace('_', ' ')} of {step.site}"
                yield Case(f"{change.step}:{what}", f"{where}: {meaning}", (at_change(change.number, what),))


def _kinds_at(subject: str) -> Iterator[tuple[str, str]]:
    for kind in FaultKind:
        for applied in ("", ",applied=yes"):
            if applied and kind not in _DONE_THOUGH_LOST:
                continue
            try:
                Fault.parse(f"{kind},command={subject}{applied}")
            except LabError:  # it could never happen
                continue
            yield f"{kind}{applied}", f"the unit {kind.description}{', and has done it' if applied else ''}"
    yield from OWN_KINDS.items()


def habits(changes: Sequence[Change], plan: Plan) -> Iterator[Case]:
    """Yield what may be so from the beginning, or happens between requests: each at every pair or site."""
    yield Case("standbys:refuse", "standbys refuse all reads", (RefusingStandbys("all"),))
    yield Case("standbys:refuse-lists", "standbys refuse to tell their lists", (RefusingStandbys("both lists"),))
    yield Case("standbys:refuse-backup", "standbys refuse a backup", (RefusingStandbys("backup"),))
    yield Case("standbys:take-writes", "standbys take lists that reach nobody", (TakingStandbys(),))
    yield Case("standbys:red", "standbys run no GEO", (RedStandbys(),))
    yield Case("colours:nothing", "no unit tells the status of its partners", (Colours("nothing"),))
    yield Case("colours:some", "units tell the status of some partners", (Colours("some"),))
    yield Case("modes:untold", "no unit tells its HA mode", (HaTold("absent", "0"),))
    yield Case("clock:back", "the clock of this machine is set back by 2 h", (ClockSetBack(1.0, 7200.0),))
    for site in plan.sites:
        own = [change for change in changes if change.site == site.name]
        if not own:
            continue
        begun, last = own[0].seconds, own[-1].seconds
        for name, adds in (("add", True), ("remove", False)):
            for subject in ("geopartners", "geoclients"):
                meaning = f"somebody {name}s an address on {subject} of {site.name}"
                hand = Hand(site.name, subject, adds, max(0.0, last - 0.2))
                yield Case(f"{site.name}:hand-{name}s-{subject}", meaning, (hand,))
        if site.kind == "ha_pair":
            yield from _habits_of_pair(site.name, site.units[0].address, site.units[1].address, begun, last)


def _habits_of_pair(site: str, master: str, slave: str, begun: float, last: float) -> Iterator[Case]:
    for how in ("refused", "timeout", "certificate", "401"):
        meaning = f"the API of {slave} closes ({how}) while its health check answers"
        yield Case(f"{site}:closed-{how}", meaning, (ClosedApi(slave, how),))
    yield Case(
        f"{site}:other-parameter",
        f"{master} listens on all interfaces otherwise than planned",
        (OtherParameter(master, "all_interfaces"),),
    )
    yield Case(f"{site}:middlebox", f"something answers for dead units of {site}", (Middlebox(site),))
    for loss in LOSSES:
        for then in THENS[1:]:
            lost = LostRequest(master, "reboot", loss, 2, then)
            meaning = f"the reboot of {master} comes to nothing ({loss}), and meanwhile: {then}"
            yield Case(f"{site}:reboot-{loss}-{then.replace(' ', '-')}", meaning, (lost,))
    yield Case(f"{site}:replicates-slowly", f"{site} replicates ten times as slowly", (Replication(site, never=False),))
    yield Case(f"{site}:replicates-never", f"{site} does not replicate", (Replication(site, never=True),))
    for name, moment in (("early", begun), ("late", last)):
        yield Case(f"{site}:switchover-{name}", f"somebody switches {site} over", (Switchover(site, moment),))
        yield Case(f"{site}:slave-reboots-{name}", f"somebody reboots {slave}", (ForeignReboot(slave, moment),))


def drawn(seed: int, changes: Sequence[Change], topology: Topology) -> Case:
    """Draw a case from a seed: several things together."""
    chance = random.Random(f"rehearsal {seed}")  # noqa: S311 - not for secrets
    found: list[Behaviour] = list(behaviours.draw(chance, topology))
    for _ in range(chance.choice([1, 1, 2, 3]) if changes else 0):
        change = chance.choice(changes)
        kinds = [what for what, _ in _kinds_at(change.subject)]
        found.append(at_change(change.number, chance.choice(kinds)))
    delay = chance.choice([0.0, 0.05, 0.5])
    said = "; ".join(map(str, found))
    return Case(str(seed), said, tuple(found), seed, delay, abandons=chance.choices([True, False], [1, 9])[0])
