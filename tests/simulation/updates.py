"""A simulated update: units at work as planned, faults, kills and hands drawn from a seed, and what has to hold."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx

from geoplan.lab.api.request import ApiRequest
from geoplan.lab.device.unit import Unit
from geoplan.lab.faults import FaultKind
from geoplan.loadmaster.firmware import FirmwareImage
from geoplan.plan.upgrade import make_upgrade
from geoplan.push import journal
from geoplan.push.firmware_records import Booting, Installed, Installing, Preferring, Updated
from geoplan.push.options import Options
from geoplan.push.record import Record
from geoplan.push.update_checks import SMALLEST_IMAGE
from geoplan.push.update_run import run_update
from geoplan.twin.arrivals import Watch
from geoplan.twin.rehearsal import Heard
from geoplan.twin.transport import Sent
from tests.simulation.courses import (
    KINDS,
    MAY_BE_APPLIED,
    READ_WORDS,
    READS,
    Course,
    CourseWorld,
    fault,
    topology_of,
)

OLD, NEW = "7.2.59.4", "7.2.60.1"
UNDER_WAY = ("installpatch", "reboot", "awshaparam")


@dataclass
class Updating(Course):
    """What a seed has in store for an update."""

    kills: list[float] = field(default_factory=list)
    cuts: int = 0
    """How many uploads are cut on their way."""
    pacified: bool = False
    """Whether the first unit was rebooted so often that its next boot makes it passive."""


def draw(seed: int) -> Updating:
    chance = random.Random(f"update {seed}")  # noqa: S311 - not for secrets
    topology = topology_of(chance.choice(["p", "ps", "pp", "s", "pps"]), chance)
    units = [unit.address for site in topology.sites for unit in site.units]
    faults = [_fault(chance, units) for _ in range(chance.choice([0, 1, 1, 2, 3]))]
    kills = [chance.uniform(0.0, 200.0) for _ in range(chance.choice([0, 0, 1, 2]))]
    cuts = chance.choice([0, 0, 0, 1, 2])
    pacified, delay = chance.random() < 0.05, chance.choice([0.0, 0.05, 0.5])
    return Updating(topology, faults, delay, kills=kills, cuts=cuts, pacified=pacified)


def _fault(chance: random.Random, units: list[str]) -> str:
    unit = chance.choice(units)
    if chance.random() < 0.2:
        return f"{FaultKind.NO_RETURN},unit={unit},occurrence=1"
    command = chance.choice([*UNDER_WAY * 3, *READS, "listvs"])
    kind = chance.choice(KINDS)
    if command == "health" and kind in (FaultKind.IGNORE, FaultKind.ERROR):
        kind = FaultKind.RESET
    if kind is FaultKind.IGNORE and command not in UNDER_WAY:
        kind = FaultKind.RESET
    parts = fault(kind, unit, command, chance)
    if kind in MAY_BE_APPLIED:
        parts.append(f"applied={chance.choice(['yes', 'no'])}")
    return ",".join(parts)


class UpdateWatch(Watch):
    """Sees what an update sends arrive, and holds it against what an update never does."""

    def __init__(self, world: UpdateWorld) -> None:
        super().__init__(world)
        self._of = world

    def left(self, sent: Sent) -> None:
        """Requests count where they arrive."""

    def ended(self, sent: Sent, response: httpx.Response | None) -> None:
        """Answers are looked at by nobody."""

    def arrived(self, address: str, call: ApiRequest) -> None:
        kind = WANTED.get(call.command)
        if kind is None:
            if not call.command.startswith(READ_WORDS):
                self.say(f"{address} was sent '{call.command}'")
            return
        self._see_record(address, call.command, kind)
        unit, pair = self._of.network.unit(address), self._of.network.pair_of(self._of.network.unit(address))
        if call.command == "awshaparam":
            return
        if unit.firmware.text.startswith(NEW):
            self.say(f"{address} runs {NEW}, and was sent '{call.command}'")
        other = pair.partner_of(unit) if pair else None
        if pair and other and not (other.takes_part and pair.is_formed):
            self.say(f"{address} was sent '{call.command}' while {other.address} was down")
        if pair and other and pair.active is unit and not other.firmware.text.startswith(NEW):
            self.say(f"{address} was sent '{call.command}' before its standby was updated")

    def _see_record(self, address: str, what: str, kind: type[Record]) -> None:
        """See that the last thing that a journal on disk says of a unit is that this is about to be sent."""
        records = [each for history in journal.histories(self._of.folder) for each in history.records]
        last = [each for each in records if isinstance(each, OF_UNITS) and each.unit == address][-1:]
        if not last or not isinstance(last[0], kind):
            self.say(f"{address} was sent '{what}', which no journal records")


WANTED: dict[str, type[Record]] = {"installpatch": Installing, "reboot": Booting, "awshaparam": Preferring}
OF_UNITS = (Installing, Installed, Booting, Preferring, Updated)


class UpdateWorld(CourseWorld):
    """Units at work as planned, on which an update is carried out, killed, resumed, and watched."""

    max_runs, lifted_after = 12, 3

    def __init__(self, course: Updating, seed: int, folder: Path, *, options: Options | None = None) -> None:
        self.course = course
        running = {unit.address: OLD for site in course.topology.sites for unit in site.units}
        image = folder / f"LM-{NEW}.1.RELEASE.bin"
        folder.mkdir(parents=True, exist_ok=True)
        image.write_bytes(bytes(SMALLEST_IMAGE))
        plan = make_upgrade(course.topology, NEW, running, holds_roles=True)
        options = options or Options(image=FirmwareImage.at(image))
        super().__init__(course, plan, OLD, options=options, seed=seed, folder=folder)
        self.watch: UpdateWatch = UpdateWatch(self)
        self.shown: set[str] = set()
        """The units that have shown the new version."""
        self._cuts, self._kills = course.cuts, list(course.kills)
        self._lifted = False
        self.ways.append(self._cut)
        self.on_change.append(self._look)
        if course.pacified:
            first = next(iter(self.network.units.values()))
            first.reboots[:] = [-30.0, -20.0, -10.0]

    async def update(self, *, resume: bool = False, kill_after: float | None = None) -> None:
        """Update once, as a process of its own would; keep how it ended."""
        self.ended = None
        doing = asyncio.ensure_future(self._run(resume=resume))
        if kill_after is not None:
            await asyncio.wait([doing], timeout=kill_after)
            if not doing.done():
                doing.cancel()
        with suppress(asyncio.CancelledError):
            await doing

    async def _run(self, *, resume: bool) -> None:
        options = replace(self.options, resume=resume)
        await self.ending(lambda fleet: run_update(fleet, options, self.store, Heard()))

    async def one_run(self, *, resume: bool) -> None:
        await self.update(resume=resume, kill_after=self._kills.pop(0) if self._kills else None)

    def lift(self) -> None:
        if self._lifted:
            return
        self._lifted, self._cuts = True, 0
        self.simulation.lift_all()
        self.restart_pacified()
        for unit in self.network.units.values():
            unit.reboots[:] = [moment - 600 for moment in unit.reboots]
            if not unit.is_up:
                self.simulation.power_on(unit.address)
        self.make_masters_active(preferred_alone=True)

    # -- what has to hold --------------------------------------------------------------------------------------------

    async def _cut(self, sent: Sent) -> httpx.Response | None:
        """Cut an upload on its way: nothing of it arrives."""
        if sent.call and sent.call.command == "installpatch" and self._cuts:
            self._cuts -= 1
            raise httpx.WriteError("broken pipe", request=sent.http)
        return None

    def _look(self) -> None:
        """See that no pair is without a unit by the update's doing."""
        for site, pair in self.network.pairs.items():
            down = [unit for unit in pair.units if not unit.is_up]
            own = [unit for unit in down if unit.reboots and not self._is_by_a_fault(unit)]
            if len(down) == len(pair.units) and own:
                self.watch.say(f"both units of '{site}' are down")

    def _is_by_a_fault(self, unit: Unit) -> bool:
        return any(fault.startswith(f"{FaultKind.NO_RETURN},unit={unit.address},") for fault in self.course.faults)

    def check_state(self) -> None:
        for unit in self.network.units.values():
            if unit.firmware.text.startswith(NEW):
                self.shown.add(unit.address)
            elif unit.address in self.shown or not unit.firmware.text.startswith(OLD):
                self.watch.say(f"{unit.address} runs {unit.firmware.text}")

    def check_end(self) -> None:
        for unit in self.network.units.values():
            if not unit.firmware.text.startswith(NEW):
                self.watch.say(f"it says that it is done, and {unit.address} runs {unit.firmware.text}")
        for site in self.plan.sites:
            for planned in site.units:
                unit = self.network.unit(planned.address)
                if unit.geo_partners != site.geo_partners or unit.remote_geo_access != site.remote_geo_access:
                    self.watch.say(f"{unit.address} has other lists")
                if site.kind == "ha_pair" and unit.ha.prefer_master is not (site.preferred_host == "master"):
                    self.watch.say(f"{unit.address} has another preferred host")
