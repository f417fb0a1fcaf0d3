"""A simulated rotation of the Partner Shared Secret: faults and kills drawn from a seed, and what has to hold."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx

from geoplan.lab.api.request import ApiRequest
from geoplan.lab.faults import FaultKind
from geoplan.lab.variants import Variant
from geoplan.loadmaster import Secret
from geoplan.plan.secret import make_rotation
from geoplan.push import journal
from geoplan.push.history import History
from geoplan.push.options import Options
from geoplan.push.secret_progress import OF_SITES
from geoplan.push.secret_records import SettingSecret
from geoplan.push.secret_run import run_rotation
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

BEFORE, NEW, OTHER = "the-one-before", "Zq7~new-Secret{of}Partners!", "Yet-another#One-of=Partners"


@dataclass
class Rotated(Course):
    """What a seed has in store for a rotation."""

    kills: list[int] = field(default_factory=list)
    """The process is killed at half of it, counted over all settings: of odd ones just after that has arrived."""
    secrets: tuple[str, ...] = (NEW,)
    """What each run is given, the last one from then on."""


def draw(seed: int) -> Rotated:
    chance = random.Random(f"rotation {seed}")  # noqa: S311 - not for secrets
    topology = topology_of(chance.choice(["p", "ps", "pp", "s", "pps", "ppp"]), chance)
    units = [unit.address for site in topology.sites for unit in site.units]
    faults = [_fault(chance, units) for _ in range(chance.choice([0, 1, 1, 2, 3]))]
    kills = sorted(chance.sample(range(4 * len(units)), chance.choice([0, 1, 1, 2])))
    secrets = chance.choice([(NEW,), (NEW,), (NEW, OTHER)])
    delay, variants = chance.choice([0.0, 0.05, 0.5]), chance.choice([(), (), (Variant.SECRETS_KEEP_HA,)])
    return Rotated(topology, faults, delay, variants, kills=kills, secrets=secrets)


def _fault(chance: random.Random, units: list[str]) -> str:
    unit = chance.choice(units)
    command = chance.choice([*["setlmcommsecret"] * 6, *READS])
    kind = chance.choice(KINDS)
    if kind is FaultKind.IGNORE or (command == "health" and kind is FaultKind.ERROR):
        kind = FaultKind.RESET  # of a secret that was answered and not set nobody can know
    parts = fault(kind, unit, command, chance)
    if kind in MAY_BE_APPLIED:
        applied = chance.choice(["yes", "no"])
        parts.append(f"applied={'yes' if kind is FaultKind.SLOW else applied}")  # a late answer tells what is so
    return ",".join(parts)


class RotationWatch(Watch):
    """Sees what a rotation sends arrive, and holds it against what it never does."""

    def __init__(self, world: RotationWorld) -> None:
        super().__init__(world)
        self._of = world

    def left(self, sent: Sent) -> None:
        """Requests count where they arrive."""

    def ended(self, sent: Sent, response: httpx.Response | None) -> None:
        """Answers are looked at by nobody."""

    def arrived(self, address: str, call: ApiRequest) -> None:
        if call.command != "setlmcommsecret":
            if not call.command.startswith(READ_WORDS):
                self.say(f"{address} was sent '{call.command}'")
            return
        histories = journal.histories(self._of.folder)
        records = [each for history in histories for each in history.records if isinstance(each, OF_SITES)]
        if not records or not isinstance(records[-1], SettingSecret) or records[-1].unit != address:
            self.say(f"{address} was sent a secret, which no journal records")
        unequal = self._of.unequal()
        unit = self._of.network.unit(address)
        pair = self._of.network.pair_of(unit)
        if unequal - {unit.site}:
            self.say(f"{address} was sent a secret while {sorted(unequal)} differ")
        if pair and not unequal and pair.is_formed and pair.active is unit and self._is_begun_now(histories, unit.site):
            self.say(f"{address} was sent a secret before its standby")

    def _is_begun_now(self, histories: tuple[History, ...], site: str) -> bool:
        """Return whether the last record is the first one of its site in all runs: nothing was lost before it."""
        own = [each for each in histories[-1].records if isinstance(each, OF_SITES) and each.site == site]
        return len(own) == 1


class RotationWorld(CourseWorld):
    """Units at work as planned, whose secret is set, by processes that are killed and resumed, and watched."""

    max_runs, lifted_after = 14, 4

    def __init__(self, course: Rotated, seed: int, folder: Path) -> None:
        self.course = course
        options = Options(has_way_back=True, accepts_links_down=True)
        super().__init__(course, make_rotation(course.topology), "7.2.60.1", options=options, seed=seed, folder=folder)
        self.watch: RotationWatch = RotationWatch(self)
        for unit in self.network.units.values():
            unit.secret = BEFORE
        self.settings = 0
        self._secrets, self._given = list(course.secrets), BEFORE
        self._doing: asyncio.Future[None] | None = None
        self.ways.append(self._kill)

    def unequal(self) -> set[str]:
        """Return the pairs whose units have different secrets."""
        return {site for site, pair in self.network.pairs.items() if len({unit.secret for unit in pair.units}) > 1}

    async def rotate(self, secret: str, *, resume: bool = False) -> None:
        """Set it once, as a process of its own would; keep how that ended."""
        self.ended = None
        self._doing = asyncio.ensure_future(self._run(secret, resume=resume))
        with suppress(asyncio.CancelledError):
            await self._doing

    async def _run(self, secret: str, *, resume: bool) -> None:
        options = replace(self.options, resume=resume, secret=Secret(secret))
        await self.ending(lambda fleet: run_rotation(fleet, options, self.store, Heard()))

    async def one_run(self, *, resume: bool) -> None:
        secret = self._secrets.pop(0) if len(self._secrets) > 1 else self._secrets[0]
        self._given = secret
        await self.rotate(secret, resume=resume)

    async def _kill(self, sent: Sent) -> httpx.Response | None:
        if not (sent.call and sent.call.command == "setlmcommsecret"):
            return None
        number, self.settings = self.settings, self.settings + 1
        if {2 * number, 2 * number + 1} & set(self.course.kills) and self._doing is not None:
            if 2 * number + 1 in self.course.kills:  # it arrives, and nobody hears of it
                self.network.set_secret(self.network.unit(sent.address), str(sent.call.parameters["secret"]))
            self._doing.cancel()
            await asyncio.sleep(0)
            raise httpx.ReadError("the process is gone", request=sent.http)
        return None

    def check_end(self) -> None:
        for unit in self.network.units.values():
            if unit.secret != self._given:
                self.watch.say(f"it says that it is done, and {unit.address} has another secret")
        for path in self.folder.rglob("*"):
            if path.is_file() and any(each.encode() in path.read_bytes() for each in (NEW, OTHER, BEFORE)):
                self.watch.say(f"a secret stands in {path.name}")
