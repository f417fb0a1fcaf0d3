"""One simulated push: a topology, a lab, what goes on in it, kills and delays, all drawn from one seed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

from geoplan.errors import GeoplanError, PushRefusedError, PushStoppedError
from geoplan.lab.clock import Timings as LabTimings
from geoplan.lab.device.parameters import GEO_PARTNERS
from geoplan.lab.device.unit import HaParameters, Mode
from geoplan.lab.faults import FaultKind
from geoplan.lab.variants import Variant
from geoplan.live.findings.compare import Kind, Mend
from geoplan.live.model import HA_SUBJECT
from geoplan.live.polling import Timings
from geoplan.plan.model import Phase
from geoplan.plan.planner import make_plan
from geoplan.push import journal
from geoplan.push.options import Options, RebootMode
from geoplan.push.run import PushResult
from geoplan.push.store import Store
from geoplan.topology.model import Topology
from geoplan.twin.stage import Stage, UnitsAtStart
from tests.push.support import Heard, real_store
from tests.simulation import behaviours
from tests.simulation.behaviours import Behaviour
from tests.simulation.shapes import Shape, shape_units

BOOT, SYNC = 20.0, 5.0
MAX_RUNS = 16
LIFTED_AFTER = 2
"""Runs beside those that are killed, after which all disturbances end."""
MENDED_AFTER = 6
"""Runs after which people mend by hand what keeps a push from going on."""

HIDDEN_SECONDS = 5.0
"""At most between a push's last look at the lists of a pair and the reboot that follows."""

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
REQUEST_FAULTS = tuple(kind for kind in FaultKind if not kind.hits_unit)


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
    behaviours: list[Behaviour] = field(default_factory=list)
    verifies_ha: bool = False
    """Whether the push does the HA phase although the pairs work."""
    abandons: bool = False
    """Whether the operator abandons the first push that is left unfinished."""
    variants: tuple[Variant, ...] = ()
    """In what units do otherwise than those of the lab do."""
    knows_hosts: bool = False
    """Whether the names of the units' hosts can be looked up."""
    has_key: bool = False
    """Whether the push has an API key, and no password."""

    @property
    def incidents(self) -> int:
        """How many reboots more than planned everything that goes wrong may cost."""
        return len(self.faults) + len(self.kills) + sum(behaviour.costs for behaviour in self.behaviours)

    @property
    def hides_colours(self) -> bool:
        """Whether an operator cannot know that all links are green: the push then ends with exit code 1."""
        hidden = any(fault.startswith(("html", "error")) and "partnerstatus" in fault for fault in self.faults)
        return hidden or any(behaviour.hides_colours for behaviour in self.behaviours)


def draw(seed: int) -> Script:
    """Draw what happens in a simulation."""
    script = draw_faults(seed)
    chance = random.Random(f"behaviours of {seed}")  # noqa: S311 - not for secrets
    script.behaviours = behaviours.draw(chance, script.topology)
    has_pair = any(site.ha_pair for site in script.topology.sites)
    script.verifies_ha = has_pair and not script.unpaired and chance.random() < 0.1
    script.abandons = chance.random() < 0.1
    if chance.random() < 0.1:
        script.options = replace(script.options, reboot=RebootMode.NEVER)
    if chance.random() < 0.05:
        script.options = replace(script.options, remove_unknown=True)
    return script


def draw_faults(seed: int) -> Script:
    """Draw the topology, the lab's faults, the kills and the delays of a seed, and nothing else."""
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


class World(Stage):
    """A lab in simulated time, watched while pushes go on in it, and with what a script has in store."""

    def __init__(self, script: Script, seed: int, folder: Path) -> None:
        self.script = script
        has_ha = script.unpaired or script.verifies_ha
        super().__init__(
            UnitsAtStart(
                script.topology,
                LabTimings(boot_seconds=BOOT, failover_seconds=3.0, sync_seconds=SYNC),
                script.firmware,
                script.variants,
                script.unpaired,
                script.longest_delay,
            ),
            make_plan(script.topology, list(Phase) if has_ha else [Phase.GEO]),
            folder,
            options=script.options,
            timings=Timings(BOOT, SYNC, grace_seconds=30.0),
            seed=seed,
            has_key=script.has_key,
        )
        self.last: PushResult | None = None
        """How the last push ended that came to its end."""
        self.heard = Heard()
        """What the last push told."""
        self.runs = 0
        self.by_hand: list[Callable[[], object]] = []
        """What people do, once they see that a push does not get on by itself."""
        self.is_lifted = False
        """Whether all disturbances have ended."""
        self.is_mended = False
        self.is_over = False
        """Whether the push has come to its end: nobody touches anything after that."""
        self._has_proved = self._has_shown = self._has_switched = self._is_refused = False
        self._asked_for = 0
        """How many reboots the operator has asked for by name."""
        self.shapes: list[Shape] = shape_units(self.simulation)
        """How units answer otherwise than the lab's do."""
        for fault in script.faults:
            self.simulation.inject(fault)
        for behaviour in script.behaviours:
            behaviour.begin(self)

    @property
    def store(self) -> Store:
        """Locks are with those of all pushes, as an operator's are."""
        return real_store(self.folder, self.plan)

    def has_partners(self, address: str) -> bool:
        """Return whether the active unit of a unit's site has its partners by now."""
        unit = self.active_unit(self.network.unit(address).site)
        return unit is not None and bool(unit.geo_partners)

    def until_mended(self, shape: Shape) -> Shape:
        """Return a shape that ends once people have mended what keeps the push from going on."""
        return lambda dialect, context, call: None if self.is_mended else shape(dialect, context, call)

    async def run(self) -> list[str]:
        """Push until it is done; return what was wrong with the way or the end."""
        kills = list(self.script.kills)
        resume = False
        for number in range(MAX_RUNS):
            if number >= len(self.script.kills) + LIFTED_AFTER:
                self.lift()
            if number >= len(self.script.kills) + MENDED_AFTER:
                self._mend()
            self._is_refused = False
            try:
                result = await self._push(resume=resume, kill_after=kills.pop(0) if kills else None)
            except TimeoutError:
                resume = self._goes_on()
            except PushStoppedError:
                resume = self._goes_on()
                self.restart_pacified()
                self.make_masters_active(preferred_alone=True)
            except PushRefusedError as error:
                self._is_refused = True
                if not error.problems and not error.hint:
                    self.watch.say(f"it was refused and does not say what to do: {error}")
                resume = self.is_unfinished
                self.restart_pacified()
                self.make_masters_active()
                self.take_back_hands()
                if self.is_lifted:
                    self.options = replace(self.options, accept_geo_merge=True)  # its hint, where only that is left
                await asyncio.sleep(60.0)
            except GeoplanError as error:
                self.watch.say(f"{type(error).__name__}: {error}")
                break
            else:
                if await self._is_end(result):
                    return self.broken
                resume = False
                continue
            if number > len(self.script.kills):
                await asyncio.sleep(30.0)
        self.watch.say("it never came to an end")
        return self.broken

    async def _is_end(self, result: PushResult) -> bool:
        """Do what a result asks for; where it asks for nothing, check the end."""
        if self.restart_pacified():  # its own screen shows it, and no answer of its API
            await asyncio.sleep(2 * BOOT)
            return False
        if self.options.reboot is RebootMode.NEVER:
            self.check_claim(result)
            self.options = replace(self.options, reboot=RebootMode.CHANGED)  # an ordinary push: it has to know
            return False
        pairs = tuple(dict.fromkeys((*result.report.pairs_to_finish, *result.unfinished_pairs)))
        if pairs:
            # What it reports has to be what finishes them.
            self.check_claim(result)
            self._asked_for += len(pairs)
            self.options = replace(self.options, reboot_sites=pairs)
            return False
        if not result.is_complete and not self._has_switched and self.make_masters_active():
            self._has_switched = True  # what a master forgot is mended where it is active
            await asyncio.sleep(10.0)
            return False
        if self._needs_hands(result):
            self._mend()
            return False
        if not result.is_complete and not self._has_shown and self._show(result.report.unproven):
            self._has_shown = True
            await asyncio.sleep(10.0)
            return False
        if self._wants_proof(result):
            self._has_proved = True
            pairs = tuple(site.name for site in self.plan.sites if site.kind == "ha_pair")
            self._asked_for += len(pairs)
            self.options = replace(self.options, reboot_sites=pairs)
            return False
        self.is_over = True
        await asyncio.sleep(150.0)  # a flapping unit is still to go down twice
        self._check_end(result)
        return True

    def _needs_hands(self, result: PushResult) -> bool:
        """Return whether a push has named what it leaves as it is, which nobody has changed by hand so far."""
        return not self.is_mended and any(found.mends is Mend.LEFT for found in result.report.differences)

    def _wants_proof(self, result: PushResult) -> bool:
        """Return whether links are red and nobody can tell: who wants to know has all pairs rebooted once."""
        is_hidden = not result.is_complete and self.script.hides_colours
        return is_hidden and not self._has_proved and bool(self.red_in_any_state())

    async def _push(self, *, resume: bool, kill_after: float | None) -> PushResult:
        self.runs += 1
        self.heard = Heard()
        async with asyncio.timeout(kill_after):
            self.last = await self.push_once(self.heard, resume=resume)
            return self.last

    async def _look_up(self, host: str) -> tuple[str, ...]:
        """Return the address of a unit by the name of its host."""
        units = self.network.units.values() if self.script.knows_hosts else ()
        return tuple(unit.address for unit in units if unit.own["hostname"] == host)

    # -- what people do ----------------------------------------------------------------------------------------------

    def lift(self) -> None:
        """End all disturbances, and give power to every unit that has none."""
        if not self.is_lifted:
            self.is_lifted = True
            for behaviour in self.script.behaviours:
                behaviour.end(self)
        self.simulation.lift_all()
        behaviours.power_all_on(self)

    def take_back_hands(self) -> None:
        """Take back what hands have added to lists, as a push that refuses because of it asks for."""
        for (site, name), added in self.watch.handed.items():
            unit = self.active_unit(site)
            if unit is None:
                continue
            held = unit.geo_partners if name == GEO_PARTNERS else unit.remote_geo_access
            if left := [address for address in held if address not in added]:
                if len(left) < len(held):
                    self.network.set_parameter(unit, name, tuple(left))
            elif held:
                self.network.set_parameter(unit, name, ())

    def _mend(self) -> None:
        """Do by hand what keeps this estate from any push: standbys that only say HTTP 500, pairs that never form."""
        script = self.script
        needs = {behaviour.needs_hands for behaviour in script.behaviours}
        in_ha = "refused in HA" in needs and self._is_refused and (script.unpaired or script.verifies_ha)
        if self.is_mended or not ("always" in needs or ("unpaired" in needs and script.unpaired) or in_ha):
            return
        self.is_mended = True
        for do in self.by_hand:
            do()
        for pair in self.network.pairs.values():
            for unit, other in (pair.units, pair.units[::-1]):
                if unit.ha.mode == "single":
                    mode: Mode = "master" if unit is pair.master else "slave"
                    port = unit.published_health_port or 0
                    prefers = self.plan.site(unit.site).preferred_host != "none"
                    self.network.set_ha(unit, HaParameters(mode, other.address, port, prefers))

    def _show(self, unproven: Collection[str]) -> bool:
        """Switch over to standbys whose links nothing proves, as the end of a push asks for: then they tell."""
        standbys = {site: pair.standby for site, pair in self.network.pairs.items()}
        sites = [site for site, standby in standbys.items() if standby and standby.address in unproven]
        for site in sites:
            self.simulation.fail_over(site)
        return bool(sites)

    def _goes_on(self) -> bool:
        """Return whether the operator resumes a push that is left unfinished; abandon it where that is the script."""
        unfinished = self.is_unfinished
        if unfinished and self.script.abandons:
            self.script.abandons = False
            self.abandon()
            return False
        return unfinished

    def abandon(self) -> None:
        """Abandon the unfinished push, as ``--abandon`` does."""
        for history in journal.histories(self.folder):
            if history.records and not history.is_finished:
                with journal.Journal(history.path, self.time) as opened:
                    opened.write("end", outcome="abandoned", who="bal")

    # -- invariants --------------------------------------------------------------------------------------------------

    def check_lists(self, also: frozenset[str] = frozenset()) -> None:
        """Let lists be what hands have made of them as well."""
        by_hand = frozenset({behaviours.STRANGER}) if self.watch.handed or self.watch.is_edited else frozenset[str]()
        super().check_lists(also | by_hand)

    def check_claim(self, result: PushResult, lost: frozenset[tuple[str, str]] = frozenset()) -> None:
        """Leave out what nobody could see go."""
        super().check_claim(result, lost | self._lost_unseen())

    def _lost_unseen(self) -> frozenset[tuple[str, str]]:
        """Return the links of units that lost one to a hand between a push's last look at the lists and the reboot.

        The other unit's submission brings the list back, and nothing shows any more that the link is gone.
        """
        lost = {
            unit.address
            for site, at in self.watch.removed_by_hand
            for unit in self.network.units.values()
            if unit.site == site and any(0 <= reboot - at < HIDDEN_SECONDS for reboot in unit.reboots)
        }
        return frozenset((one, other) for one, other in product(self.network.units, repeat=2) if lost & {one, other})

    def _check_end(self, result: PushResult) -> None:
        self.check_pairs()
        if not result.is_complete and not self._is_untold(result):
            self.watch.say(f"the end is not complete: {result.report.differences}, {result.unfinished_pairs}")
        self.check_clusters()
        self.check_claim(result)
        # What a unit has forgotten, or only seemed to take, shows by its colours alone.
        may_be_red = self.script.hides_colours and any(f.startswith(("lose", "ignore")) for f in self.script.faults)
        if not result.is_complete and not may_be_red and (red := self.red_in_any_state()):
            self.watch.say(f"red after a failover: {sorted(red)}")
        # Each of two absences is a reboot by itself, and may take the window of another pair's submission.
        flaps = sum(4 for fault in self.script.faults if fault.startswith("flap"))
        self.check_reboots(self.script.incidents + flaps + self._asked_for)

    def _is_untold(self, result: PushResult) -> bool:
        """Return whether an end that is not complete is due to nothing but what units do not tell."""
        untold = {found.subject for found in result.report.differences if found.kind in (Kind.UNREADABLE, Kind.RED)}
        told = [found for found in result.report.differences if found.kind not in (Kind.UNREADABLE, Kind.RED)]
        hides_mode = any(isinstance(behaviour, behaviours.HaTold) for behaviour in self.script.behaviours)
        known = {"partner_status"} if self.script.hides_colours else set()
        known |= {HA_SUBJECT} if hides_mode else set()
        return not told and untold <= known and bool(known)
