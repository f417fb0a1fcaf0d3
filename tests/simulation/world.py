"""One simulated push: a topology, a lab, what goes on in it, kills and delays, all drawn from one seed."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

from geoplan.lab.clock import Timings as LabTimings
from geoplan.lab.faults import FaultKind
from geoplan.live.polling import Timings
from geoplan.plan.model import Phase
from geoplan.plan.planner import make_plan
from geoplan.push.options import Options, RebootMode
from geoplan.push.store import Store
from geoplan.topology.model import Topology
from geoplan.twin import behaviours
from geoplan.twin.rehearsal import Rehearsal
from geoplan.twin.script import Script
from tests.push.support import real_store

BOOT, SYNC = 20.0, 5.0

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


def draw(seed: int) -> Script:
    """Draw what happens in a simulation."""
    script = draw_faults(seed)
    chance = random.Random(f"behaviours of {seed}")  # noqa: S311 - not for secrets
    script.behaviours = behaviours.draw(chance, script.topology)
    has_pair = any(site.ha_pair for site in script.topology.sites)
    script.verifies_ha = has_pair and not script.unpaired and chance.random() < 0.1
    script.abandons = int(chance.random() < 0.1)
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


class World(Rehearsal):
    """A rehearsal of a script's topology, with quick boots, and with locks where an operator's are."""

    def __init__(self, script: Script, seed: int, folder: Path) -> None:
        has_ha = script.unpaired or script.verifies_ha
        super().__init__(
            script,
            make_plan(script.topology, list(Phase) if has_ha else [Phase.GEO]),
            folder,
            lab_timings=LabTimings(boot_seconds=BOOT, failover_seconds=3.0, sync_seconds=SYNC),
            timings=Timings(BOOT, SYNC, grace_seconds=30.0),
            seed=seed,
        )

    @property
    def store(self) -> Store:
        """Locks are with those of all pushes, as an operator's are."""
        return real_store(self.folder, self.plan)
