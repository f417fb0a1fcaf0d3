"""Failover drills in simulated time: whatever goes wrong, and whenever, nothing is written, and the report is true.

Each situation takes a folder of its own and returns what was wrong: nothing, where the drill does what it should. They
are played by ``test_drills``, and by ``test_mutations`` with a mend taken out.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from geoplan.errors import GeoplanError, PushRefusedError, PushStoppedError
from geoplan.lab.clock import Timings as LabTimings
from geoplan.lab.variants import Variant
from geoplan.live.polling import Timings
from geoplan.plan.drill import make_drill
from geoplan.plan.model import Phase
from geoplan.plan.planner import make_plan
from geoplan.push.drill_report import GREEN, RED, Failover, report_of
from geoplan.push.options import Options, RebootMode
from geoplan.push.run import PushResult
from geoplan.push.store import Store
from geoplan.topology.model import Topology
from geoplan.twin.rehearsal import Heard, Rehearsal
from geoplan.twin.script import Script
from geoplan.twin.timeline import MomentKind, Recorder
from geoplan.twin.transport import Sent
from geoplan.twin.watch import is_read
from geoplan.twin.world import submitted
from tests.push.support import real_store
from tests.simulation.world import BOOT, SYNC

Scenario = Callable[[Path], Awaitable[list[str]]]

MAX_RUNS = 8
PAIR, OTHER, LONE = "Pair 1", "Pair 2", "Lone 3"
MASTER, SLAVE = "10.0.1.1", "10.0.1.2"
COMMANDS = ("get", "getall", "getgeopartnerstatus", "listclusters", "isgeoenabled", "backup", "reboot", "health")
KINDS = ("reset", "timeout", "slow", "error", "html", "truncate", "refuse")
UNIT_KINDS = ("no-return", "flap")
NO_TIME = 1e-6


def estate(preferred_host: str = "master", kinds: str = "pps") -> Topology:
    """Return pairs (p) and standalones (s), called by kind and number."""
    sites: list[dict[str, Any]] = []
    for number, kind in enumerate(kinds, start=1):
        units = {"master": f"10.0.{number}.1", "slave": f"10.0.{number}.2", "preferred_host": preferred_host}
        if kind == "p":
            sites.append({"name": f"Pair {number}", "ha_pair": units})
        else:
            sites.append({"name": f"Lone {number}", "standalone": f"10.1.{number}.1"})
    return Topology.model_validate({"sites": sites, "timing": {"boot_seconds": BOOT, "sync_seconds": SYNC}})


class DrillWorld(Rehearsal):
    """Units as a push has left them, one pair of which is drilled; ``broken`` says what was wrong with it."""

    def __init__(  # noqa: PLR0913 - what a drill is
        self,
        script: Script,
        folder: Path,
        *,
        back: bool = False,
        never_submitted: bool = False,
        is_whole: bool = True,
        seed: int = 0,
    ) -> None:
        self.full_plan = make_plan(script.topology, (Phase.GEO,))
        self.faults, script.faults = script.faults, []
        super().__init__(
            script,
            make_drill(script.topology, PAIR, back=back),
            folder,
            lab_timings=LabTimings(boot_seconds=BOOT, failover_seconds=3.0, sync_seconds=SYNC),
            timings=Timings(BOOT, SYNC),
            seed=seed,
        )
        if is_whole:
            submitted(self.network, self.clock, self.full_plan)
        if never_submitted:
            self.network.forget_partners(self.network.unit(SLAVE))
        for fault in self.faults:
            self.simulation.inject(fault)
        self.lists_before = self._lists()
        self.results: list[PushResult | GeoplanError] = []
        self._was_killed = False
        self.recorder = Recorder(self)
        self.began = self.clock.now()
        self.asked: list[float] = []
        """When reboots arrived, after the beginning."""
        self.ways.append(self._see)

    @property
    def store(self) -> Store:
        """Locks are with those of all pushes, as an operator's are."""
        return real_store(self.folder, self.plan)

    async def _see(self, sent: Sent) -> httpx.Response | None:
        if sent.call is None or is_read(sent.call):
            return None
        if sent.subject != "reboot":
            self.watch.say(f"a drill sent '{sent.subject}' to {sent.address}")
        elif self.network.unit(sent.address).site != PAIR:
            self.watch.say(f"{sent.address} was sent a reboot, and is none of the pair that is drilled")
        self.asked.append(self.clock.now() - self.began)
        return None

    async def drill(self, *, resume: bool = False, kill_after: float | None = None) -> PushResult | GeoplanError:
        """Drill once; return how it ended. Raises :class:`TimeoutError` where it is killed."""
        try:
            result: PushResult | GeoplanError = await self._push(resume=resume, kill_after=kill_after)
        except GeoplanError as error:
            result = error
        self.results.append(result)
        return result

    async def run(self) -> list[str]:
        """Drill, and go on after each stop or kill, until it has come to its end; return what was wrong."""
        kills = list(self.script.kills)
        for number in range(MAX_RUNS):
            if number > len(self.script.kills):
                await self._lift_and_wait()
            try:
                result = await self.drill(resume=self.is_unfinished, kill_after=kills.pop(0) if kills else None)
            except TimeoutError:
                self._was_killed = True
                await self._refuses_a_push()
                continue
            if isinstance(result, PushStoppedError):
                await self._refuses_a_push()
            elif isinstance(result, PushRefusedError):
                if not result.problems and not result.hint:
                    self.watch.say(f"it was refused and does not say what to do: {result}")
                if number > len(self.script.kills) + 2 and not self.is_unfinished:
                    break  # what stays, and the refusal names, is for people
            elif isinstance(result, GeoplanError):
                self.watch.say(f"{type(result).__name__}: {result}")
                break
            else:
                break
            await asyncio.sleep(60.0)
        else:
            self.watch.say("it never came to an end")
        await asyncio.sleep(10 * BOOT)
        self.check_all()
        return self.broken

    async def _refuses_a_push(self) -> None:
        """See that no push begins on units whose drill is unfinished, nor anything without ``--resume``."""
        if not self.is_unfinished:
            return
        self.plan, drill = self.full_plan, self.plan
        before = self.count_reboots()
        for plan in (self.full_plan, drill):
            self.plan = plan
            try:
                await self.push_once(Heard())
                self.watch.say("a push began on units whose drill is unfinished")
            except PushRefusedError as error:
                if not error.problems:
                    self.watch.say(f"refused without a reason: {error}")
        if self.count_reboots() > before and not self.faults:
            self.watch.say("a refused push rebooted something")

    # -- what holds --------------------------------------------------------------------------------------------------

    def check_all(self) -> None:
        """See that nothing is written, that as little as possible is rebooted, and that what is told is so."""
        if self._lists() != self.lists_before:
            self.watch.say("a drill changed lists")
        self.check_pairs()
        planned = len(self.plan.steps)
        incidents = self.script.incidents + sum(1 + fault.startswith("flap") for fault in self.faults)
        if len(self.asked) > planned + incidents:
            self.watch.say(f"{len(self.asked)} reboots were sent where {planned} were planned")
        self._check_claims()
        self._check_sights()

    def _check_claims(self) -> None:
        for result in self.results:
            if not isinstance(result, PushResult) or result.journal is None:
                continue
            history = self.store.past().latest
            if history is None or not history.is_finished:
                continue
            report = report_of(history, self.timings.poll_seconds)
            is_red = bool(result.progress.red_steps(self.plan))
            if report.is_proven == is_red and report.failovers:
                self.watch.say(f"it ended {'red' if is_red else 'well'}, and its report says: {report.verdict}")
            for failover in report.failovers:
                self._check_links(failover)
                self._check_times(failover, report.at_most_late)

    def _check_links(self, failover: Failover) -> None:
        """See that no link is said to be green, or red, that is not."""
        for link in failover.links:
            is_there = self._is_linked(failover.took_over, link.partner)
            if link.state == GREEN and not is_there:
                self.watch.say(f"{link.partner} is said to be linked with {failover.took_over}, and is not")
            if link.state == RED and is_there and not (self.faults or self.script.variants):
                self.watch.say(f"{link.partner} is said to be red on {failover.took_over}, and is not")

    def _check_times(self, failover: Failover, late: float) -> None:
        """See that all was seen after it happened, and at most as late as is said."""
        if self.faults or self._was_killed or len(self.asked) != len(self.plan.steps):
            return
        sent = self.asked[0 if failover.rebooted == MASTER else -1]
        moments = [each for each in self.recorder.moments if each.seconds >= sent - NO_TIME]
        for what, seen, unit, kind in (
            ("active", failover.active, failover.took_over, MomentKind.ACTIVE),
            ("back", failover.back, failover.rebooted, MomentKind.UP),
        ):
            (true, *_) = [each.seconds - sent for each in moments if each.kind is kind and each.unit == unit]
            told = seen.seconds if seen else None
            if told is None or not -NO_TIME <= told - true <= late + NO_TIME:
                self.watch.say(f"{unit} was {what} after {true:.2f} s, and {told} is said, at most {late:.2f} s late")

    def _check_sights(self) -> None:
        """See that what was entered as sight of the slave's links is so."""
        for address in self.store.past().ledger.sights(SLAVE):
            partner = self.network.find(address)
            if partner is None or not self._is_linked(SLAVE, partner.address):
                self.watch.say(f"the journal proves a link of {SLAVE} to {address} that is not there")

    def _is_linked(self, one: str, other: str) -> bool:
        return self.network.partners.would_be_green(self.network.unit(one), self.network.unit(other))

    def _lists(self) -> dict[str, object]:
        units = self.network.units.values()
        return {unit.address: (unit.remote_geo_access, unit.geo_partners, unit.submitted) for unit in units}


def draw(seed: int, folder: Path) -> DrillWorld:
    """Draw a pair that is drilled, and what goes wrong meanwhile."""
    chance = random.Random(f"drill {seed}")  # noqa: S311 - not for secrets
    preferred = chance.choice(["master", "none"])
    topology = estate(preferred, chance.choice(["pps", "ps", "pp", "psss"]))
    units = [unit.address for site in topology.sites for unit in site.units]
    variants = chance.choice([(), (), (Variant.STANDBYS_RED,), (Variant.STANDBYS_403,), (Variant.PARTNERS_UNKNOWN,)])
    script = Script(
        topology,
        "7.2.59.4",
        Options(),
        longest_delay=chance.choice([0.0, 0.05, 0.5]),
        variants=variants,
    )
    for _ in range(chance.choice([0, 1, 1, 2, 3])):
        script.faults.append(_draw_fault(chance, units))
    for _ in range(chance.choice([0, 0, 1, 2])):
        script.kills.append(chance.uniform(0.0, 2.5 * BOOT))
    back = preferred == "none" and chance.random() < 0.5
    return DrillWorld(script, folder, back=back, never_submitted=chance.random() < 0.2, seed=seed)


def _draw_fault(chance: random.Random, units: list[str]) -> str:
    unit = chance.choice([*units, MASTER, SLAVE])
    if chance.random() < 0.2:
        return f"{chance.choice(UNIT_KINDS)},unit={unit},occurrence=1"
    kind, command = chance.choice(KINDS), chance.choice(COMMANDS)
    if command == "health" and kind in ("error", "html"):
        kind = "reset"
    more = f",seconds={chance.choice([1, 10, 40])}" if kind == "refuse" else ""
    if kind in ("reset", "timeout", "truncate", "slow", "error"):
        more = f",applied={chance.choice(['yes', 'no'])}"
    return f"{kind},unit={unit},command={command},occurrence={chance.choice([1, 1, 2, 3, 5])}{more}"


# -- situations --------------------------------------------------------------------------------------------------------


def world(folder: Path, preferred: str = "master", *faults: str, **more: Any) -> DrillWorld:
    """Return a world of two pairs and a standalone."""
    options = {name: more.pop(name) for name in ("back", "never_submitted", "is_whole") if name in more}
    script = Script(estate(preferred), "7.2.59.4", Options(), faults=list(faults), **more)
    return DrillWorld(script, folder, **options)


def wrong(*claims: tuple[bool, str]) -> list[str]:
    """Return what is wrong of some claims."""
    return [what for is_wrong, what in claims if is_wrong]


async def _nothing_wrong(folder: Path, preferred: str, *, back: bool = False) -> list[str]:
    made = world(folder, preferred, back=back)
    broken = await made.run()
    (result,) = made.results
    reboots = {unit: len(made.network.unit(unit).reboots) for unit in (MASTER, SLAVE)}
    active = made.active_unit(PAIR)
    expected = SLAVE if preferred == "none" and not back else MASTER
    return broken + wrong(
        (not isinstance(result, PushResult) or not result.is_complete, f"it did not end well: {result}"),
        (reboots != {MASTER: 1, SLAVE: int(back)}, f"reboots: {reboots}"),
        (active is None or active.address != expected, f"the pair is on {active and active.address}"),
    )


async def _slave_dies(folder: Path) -> list[str]:
    """Let the slave die after the checks, when nothing is to be done any more but to reboot."""
    made = world(folder)

    async def way(sent: Sent) -> httpx.Response | None:
        if sent.subject == "backup" and sent.address == MASTER:
            made.simulation.power_off(SLAVE)
        return None

    made.ways.append(way)
    result = await made.drill()
    return made.broken + wrong(
        (not isinstance(result, PushStoppedError), f"it was not stopped: {result}"),
        (bool(made.network.unit(MASTER).reboots), "the master was rebooted though its slave was dead"),
    )


def _loses_its_links(made: DrillWorld) -> None:
    """Let the slave lose its links with the reboot of its master: before that nobody can see it."""

    async def way(sent: Sent) -> httpx.Response | None:
        if sent.subject == "reboot" and sent.address == MASTER:
            made.network.forget_partners(made.network.unit(SLAVE))
            made.lists_before = made._lists()
        return None

    made.ways.append(way)


async def _never_submitted(folder: Path) -> list[str]:
    made = world(folder, "none")
    _loses_its_links(made)
    broken = await made.run()
    result = made.results[-1]
    is_red = isinstance(result, PushResult) and bool(result.progress.red_steps(made.plan))
    return broken + wrong((not is_red, "it does not say that the site dropped out"))


async def _untold(folder: Path) -> list[str]:
    made = world(folder, is_whole=False, variants=(Variant.PARTNERS_UNKNOWN,))
    await _pushed(made)
    _loses_its_links(made)
    broken = await made.run()
    result = made.results[-1]
    is_red = isinstance(result, PushResult) and bool(result.progress.red_steps(made.plan))
    return broken + wrong((not is_red, "what nobody told is said to be proven"))


async def _fourth_reboot(folder: Path) -> list[str]:
    made = world(folder)
    for _ in range(5):
        await made.drill()
        await asyncio.sleep(BOOT)
    return made.broken + wrong((made.network.unit(MASTER).pacified, "the master was rebooted until it was passive"))


async def _refused(folder: Path, prepare: Callable[[DrillWorld], Awaitable[object]]) -> list[str]:
    made = world(folder)
    await prepare(made)
    before = made.count_reboots()
    result = await made.drill()
    return wrong(
        (not isinstance(result, PushRefusedError), f"it was not refused: {result}"),
        (made.count_reboots() > before, "something was rebooted"),
    )


async def _list_that_differs(made: DrillWorld) -> None:
    made.network.set_parameter(made.network.unit("10.1.3.1"), "geopartners", (MASTER, SLAVE))
    await asyncio.sleep(10 * SYNC)


async def _debt(made: DrillWorld) -> None:
    made.network.set_parameter(made.network.unit(MASTER), "geopartners", ())
    await _pushed(made, RebootMode.NEVER)


async def _pushed(made: DrillWorld, reboot: RebootMode = RebootMode.CHANGED) -> None:
    """Push before the drill, which then knows from the journal who has submitted."""
    drill, made.plan = made.plan, made.full_plan
    made.options = replace(made.options, reboot=reboot)
    await made.push_once(Heard())
    made.plan, made.options = drill, Options()
    await asyncio.sleep(10 * BOOT)
    made.lists_before = made._lists()
    made.asked.clear()
    made.watch.broken.clear()  # of a drill they are


async def _red_slave(made: DrillWorld) -> None:
    made.network.forget_partners(made.network.unit(SLAVE))


async def _partner_down(made: DrillWorld) -> None:
    made.simulation.power_off("10.1.3.1")
    await asyncio.sleep(1.0)


async def _two_at_once(folder: Path) -> list[str]:
    """Let two pairs be drilled from two terminals at the same time, with a state folder each."""
    made = world(folder)
    other = make_drill(made.script.topology, OTHER)
    both_down: list[float] = []

    def look() -> None:
        if all(made.active_unit(site) is None for site in (PAIR, OTHER)):
            both_down.append(made.clock.now())

    made.on_change.append(look)

    async def second() -> PushResult | GeoplanError:
        await asyncio.sleep(1.0)
        first, made.plan = (made.plan, made.folder), other
        made.folder = folder / "of the other"
        try:
            return await made.push_once(Heard())
        except GeoplanError as error:
            return error
        finally:
            made.plan, made.folder = first

    _, result = await asyncio.gather(made.drill(), second())
    return wrong(
        (not isinstance(result, PushRefusedError), f"the second drill was not refused: {result}"),
        (bool(both_down), "both pairs had no active unit"),
    )


async def _killed(folder: Path, preferred: str) -> list[str]:
    """Kill it just after the reboot: what goes on must not reboot again."""
    made = world(folder, preferred)

    async def way(sent: Sent) -> httpx.Response | None:
        if sent.subject == "reboot" and len(made.asked) == 1:
            made.simulation.reboot(MASTER)
            made.kill()
            await asyncio.sleep(0)
        return None

    made.ways.append(way)
    broken = await made.run()
    reboots = len(made.network.unit(MASTER).reboots)
    return broken + wrong((reboots != 1, f"{reboots} reboots where one was asked for"))


SCENARIOS: dict[str, Scenario] = {
    "drill": partial(_nothing_wrong, preferred="master"),
    "drill under No Preferred Host": partial(_nothing_wrong, preferred="none"),
    "drill there and back": partial(_nothing_wrong, preferred="none", back=True),
    "drill, slave dies after the checks": _slave_dies,
    "drill, slave never submitted": _never_submitted,
    "drill, colours untold": _untold,
    "drill for the fourth time": _fourth_reboot,
    "drill, slave red": partial(_refused, prepare=_red_slave),
    "drill, lists differ": partial(_refused, prepare=_list_that_differs),
    "drill with a debt": partial(_refused, prepare=_debt),
    "drill, a partner is down": partial(_refused, prepare=_partner_down),
    "drill of two pairs at once": _two_at_once,
    "drill killed after its reboot": partial(_killed, preferred="master"),
    "drill killed after its reboot, No Preferred Host": partial(_killed, preferred="none"),
}
"""By their names, for those that replay them."""
