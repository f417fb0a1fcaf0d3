"""What goes wrong in a rehearsal at one request: every single thing at every step, and draws of several things."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from geoplan.lab.errors import LabError
from geoplan.lab.faults import Fault, FaultKind
from geoplan.twin import behaviours
from geoplan.twin.behaviour import Behaviour
from geoplan.twin.transport import deliver
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
                await self.happen(world, sent)
            return None

        world.ways.append(way)

    async def happen(self, world: Place, sent: Sent) -> None:
        """Do it at this request."""
        pair = world.network.pair_of(world.network.unit(sent.address))
        match self.what:
            case "kill-before" | "kill-after":
                if self.what == KILL_AFTER and world.simulation.accepts(sent.address):
                    deliver(world.simulation, sent, sent.address)
                world.kill()
                await asyncio.Event().wait()  # nothing more of it arrives: its request may be a task of its own
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
    abandons: int = 0
    """How many pushes that are left unfinished are abandoned."""
    is_pushed: bool = False
    """Whether the same push has come to its end before on these units."""


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
    return Case(str(seed), said, tuple(found), seed, delay, abandons=chance.choices([1, 0], [1, 9])[0])
