"""One simulated push: a topology, a lab, faults, kills and delays, all drawn from one seed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

from geoplan.errors import GeoplanError, PushRefusedError, PushStoppedError
from geoplan.lab.credentials import Credentials
from geoplan.lab.faults import FaultKind
from geoplan.lab.messages import Outcome, Request
from geoplan.lab.network import REBOOT_WINDOW_SECONDS
from geoplan.lab.simulation import Simulation
from geoplan.lab.timings import Timings as LabTimings
from geoplan.loadmaster import Secret, SystemTrust, Timeouts, UserPassword, unit_accesses
from geoplan.plan.model import Phase, Plan
from geoplan.plan.planner import make_plan
from geoplan.push.api import connected
from geoplan.push.context import Options
from geoplan.push.fleet import Fleet
from geoplan.push.run import Mission, Result, carry_out
from geoplan.push.waits import Timings
from geoplan.topology.model import Topology
from tests.simulation.loop import SimulatedTime, clock_of_the_lab
from tests.simulation.transport import LabTransport

PASSWORD = "a passphrase of the simulation"  # noqa: S105 - of a lab
TRUST = SystemTrust()
BOOT, SYNC = 20.0, 5.0
MAX_RUNS = 12

COMMANDS = (
    "get",
    "set:geoclients",
    "set:geopartners",
    "addcluster",
    "modcluster",
    "listclusters",
    "listfqdns",
    "getgeopartnerstatus",
    "isgeoenabled",
    "getawshaparams",
    "backup",
    "reboot",
    "health",
)
HA_COMMANDS = ("awshamode", "awshaparam") * 3  # as often as they matter, among so many others
UNIT_FAULTS = (FaultKind.NO_RETURN, FaultKind.EARLY_RETURN, FaultKind.FLAP)
REQUEST_FAULTS = tuple(kind for kind in FaultKind if not kind.befalls_unit)


@dataclass
class Script:
    """What a seed has in store."""

    topology: Topology
    firmware: str
    options: Options
    faults: list[str] = field(default_factory=list)
    kills: list[float] = field(default_factory=list)
    """The moments, in seconds after its start, at which a run is killed."""
    longest_delay: float = 0.01
    unpaired: bool = False
    """Whether the units of pairs begin by themselves, and the push forms them first."""

    @property
    def incidents(self) -> int:
        """How many things go wrong, each of which may cost one more reboot."""
        return len(self.faults) + len(self.kills)


def draw(seed: int) -> Script:
    """Draw what happens in a simulation."""
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    topology = _draw_topology(chance)
    addresses = [unit.address for site in topology.sites for unit in site.units]
    unpaired = chance.random() < 0.25 and any(site.ha_pair for site in topology.sites)
    script = Script(
        topology,
        chance.choice(["7.2.48.3", "7.2.54.4", "7.2.59.4"]),
        Options(jobs=chance.choice([1, 2, 16]), parallel_groups=chance.random() < 0.3),
        longest_delay=chance.choice([0.0, 0.05, 0.5]),
        unpaired=unpaired,
    )
    commands = (*COMMANDS, *HA_COMMANDS) if unpaired else COMMANDS
    for _ in range(chance.choice([0, 1, 1, 2, 3])):
        script.faults.append(_draw_fault(chance, addresses, commands))
    for _ in range(chance.choice([0, 0, 1, 2])):
        script.kills.append(chance.uniform(0.0, 120.0))
    return script


def _draw_topology(chance: random.Random) -> Topology:
    kinds = chance.choice([["p"], ["s"], ["p", "p"], ["p", "s"], ["p", "p", "s", "s"], ["p", "s", "p"]])
    sites: list[dict[str, Any]] = []
    for number, kind in enumerate(kinds, start=1):
        preferred = chance.choice(["master", "none"])
        pair = {"master": f"10.0.{number}.1", "slave": f"10.0.{number}.2", "preferred_host": preferred}
        site = {"ha_pair": pair} if kind == "p" else {"standalone": f"10.1.{number}.1"}
        sites.append({"name": f"Site {number}", **site})
    document: dict[str, Any] = {"sites": sites, "timing": {"boot_seconds": BOOT, "sync_seconds": SYNC}}
    if len(kinds) == 4 and chance.random() < 0.3:
        document["groups"] = {"a": ["Site 1", "Site 3"], "b": ["Site 2", "Site 4"]}
    return Topology.model_validate(document)


def _draw_fault(chance: random.Random, addresses: list[str], commands: tuple[str, ...]) -> str:
    unit = chance.choice(addresses)
    if chance.random() < 0.25:
        return f"{chance.choice(UNIT_FAULTS)},unit={unit},occurrence=1"
    kind, command = chance.choice(REQUEST_FAULTS), chance.choice(commands)
    if command == "health" and kind in (FaultKind.IGNORE, FaultKind.ERROR, FaultKind.HTML):
        kind = FaultKind.RESET
    parts = [f"{kind},unit={unit},command={command},occurrence={chance.choice([1, 1, 2, 3, 5])}"]
    if kind is FaultKind.REFUSE:
        parts.append(f"seconds={chance.choice([1, 10, 40])}")
    if kind in (FaultKind.RESET, FaultKind.TIMEOUT, FaultKind.TRUNCATE, FaultKind.SLOW, FaultKind.ERROR):
        parts.append(f"applied={chance.choice(['yes', 'no'])}")
    if kind is FaultKind.IGNORE and command == "reboot":
        parts = [f"{FaultKind.SLOW},unit={unit},command=reboot,occurrence=1"]
    return ",".join(parts)


class World:
    """A lab in simulated time, watched while pushes go on in it."""

    def __init__(self, script: Script, seed: int, folder: Path) -> None:
        self.script = script
        self.plan: Plan = make_plan(script.topology, list(Phase) if script.unpaired else [Phase.GEO])
        self.folder = folder
        self.options = script.options
        self.broken: list[str] = []
        self._chance = random.Random(-seed - 1)  # noqa: S311
        self.simulation = Simulation(
            script.topology,
            clock_of_the_lab(),
            timings=LabTimings(boot_seconds=BOOT, failover_seconds=3.0, sync_seconds=SYNC),
            firmware=script.firmware,
            credentials=Credentials("bal", PASSWORD),
            unpaired=script.unpaired,
        )
        self._handle = self.simulation.handle
        self.simulation.handle = self._watch  # type: ignore[method-assign]
        for fault in script.faults:
            self.simulation.inject(fault)

    async def run(self) -> list[str]:
        """Push until it is done; return what was wrong with the way or the end."""
        kills = list(self.script.kills)
        resume = False
        for number in range(MAX_RUNS):
            if number >= len(self.script.kills) + 2:
                self.simulation.lift_all()
            try:
                result = await self._push(resume=resume, kill_after=kills.pop(0) if kills else None)
            except TimeoutError:
                resume = self._is_unfinished()
            except PushStoppedError:
                resume = True
                self._restart_pacified()
            except PushRefusedError as error:
                resume = self._is_unfinished()
                self._act_on(error)
                await asyncio.sleep(60.0)
            except GeoplanError as error:
                self.broken.append(f"{type(error).__name__}: {error}")
                break
            else:
                if pairs := result.report.pairs_to_finish:
                    # What it reports has to be what finishes them.
                    self.options = replace(self.options, reboot_sites=pairs)
                    resume = False
                    continue
                await asyncio.sleep(150.0)  # a flapping unit is still to go down twice
                self._check_end(result)
                return self.broken
            if number > len(self.script.kills):
                await asyncio.sleep(30.0)
        self.broken.append("it never came to an end")
        return self.broken

    async def _push(self, *, resume: bool, kill_after: float | None) -> Result:
        async with asyncio.timeout(kill_after), self.connected_fleet() as fleet:
            return await carry_out(Mission(fleet, self.options, self.folder, 18, lambda _event: None, resume=resume))

    @asynccontextmanager
    async def connected_fleet(self) -> AsyncIterator[Fleet]:
        clock = SimulatedTime()
        credentials = UserPassword("bal", Secret(PASSWORD))
        accesses = unit_accesses(self.script.topology, lambda _a: credentials, trust=TRUST, timeouts=Timeouts())
        async with connected(accesses, clock, transport_of=self._transport, jitter=self._chance.random) as units:
            yield Fleet(self.plan, units, clock, Timings(BOOT, SYNC, grace_seconds=30.0))

    def _act_on(self, refusal: PushRefusedError) -> None:
        """Do by hand what a refusal asks for: make the master active."""
        for site, pair in self.simulation.network.pairs.items():
            if pair.active is pair.slave and pair.standby and any("its slave is active" in p for p in refusal.problems):
                self.simulation.fail_over(site)

    def _restart_pacified(self) -> None:
        """Bring back what a flapping unit's reboots, beside the push's own, have pacified: after a while."""
        for unit in self.simulation.network.units.values():
            if unit.pacified:
                unit.reboots[:] = [moment - REBOOT_WINDOW_SECONDS for moment in unit.reboots]
                self.simulation.power_off(unit.address)
                self.simulation.power_on(unit.address)

    def _transport(self, address: str) -> LabTransport:
        return LabTransport(self.simulation, address, self._latency)

    def _latency(self) -> float:
        return self._chance.uniform(0.0, self.script.longest_delay)

    def _is_unfinished(self) -> bool:
        from geoplan.push import journal

        return any(history.records and not history.is_finished for history in journal.histories(self.folder))

    # -- invariants --------------------------------------------------------------------------------------------------

    def _watch(self, address: str, request: Request) -> Outcome:
        unit = self.simulation.network.unit(address)
        is_reboot = b'"reboot"' in request.body or request.path.endswith("/reboot")
        pair = self.simulation.network.pair_of(unit)
        if is_reboot and (pair is None or pair.active is not unit or pair.standby is None):
            self.broken.append(f"{address} was rebooted while its partner was not healthy")
        outcome = self._handle(address, request)
        for site in self.plan.sites:
            for planned in site.units:
                held = self.simulation.network.unit(planned.address)
                if held.remote_geo_access not in ((), site.remote_geo_access):
                    self.broken.append(f"{planned.address} holds an access list that is neither old nor new")
                if held.geo_partners not in ((), site.geo_partners):
                    self.broken.append(f"{planned.address} holds a partners list that is neither old nor new")
        return outcome

    def _check_end(self, result: Result) -> None:
        for site, pair in self.simulation.network.pairs.items():
            if pair.unpaired_because:
                self.broken.append(f"'{site}' is no pair: {pair.unpaired_because}")
            if pair.ever_same_mode:
                self.broken.append(f"both units of '{site}' were in one mode")
        if not result.is_complete:
            self.broken.append(f"the end is not complete: {result.report.differences}, {result.unfinished_pairs}")
        self._check_clusters()
        if red := self._red_in_any_state():
            self.broken.append(f"red after a failover: {sorted(red)}")
        reboots = sum(len(unit.reboots) for unit in self.simulation.network.units.values())
        planned = sum(step.action == "reboot_master" for step in self.plan.steps)
        flaps = sum(2 for fault in self.script.faults if fault.startswith("flap"))
        if reboots > planned + self.script.incidents + flaps:
            self.broken.append(f"{reboots} reboots where {planned} were planned")

    def _check_clusters(self) -> None:
        network = self.simulation.network
        for unit in network.units.values():
            if not network.is_active(unit):
                continue
            group = self.plan.site(unit.site).group
            wanted = {cluster.name for cluster in self.plan.clusters if cluster.group == group}
            found = {cluster.name for _, cluster in network.geo.clusters(unit) if cluster.type == "remoteLM"}
            if found != wanted:
                self.broken.append(f"'{unit.site}' has the clusters {sorted(found)}")

    def _red_in_any_state(self) -> set[tuple[str, str]]:
        network = self.simulation.network
        pairs = list(network.pairs.values())
        red: set[tuple[str, str]] = set()
        for states in product(("master", "slave"), repeat=len(pairs)):
            for pair, wanted in zip(pairs, states, strict=True):
                pair.active = getattr(pair, wanted)
            for unit in network.units.values():
                if network.is_active(unit):
                    red |= {(unit.address, other) for other, green in network.partners.status_of(unit) if not green}
        return red
