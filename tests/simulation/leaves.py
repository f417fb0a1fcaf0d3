"""A group from which sites leave, in simulated time: what each world of these tests begins with, and its end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from geoplan.errors import GeoplanError, PushStoppedError
from geoplan.lab.device.unit import Unit
from geoplan.lab.http import Outcome, Request
from geoplan.lab.variants import Variant
from geoplan.plan.change import make_change
from geoplan.push.options import Options
from geoplan.push.run import PushResult
from geoplan.topology.model import Topology
from geoplan.twin.script import Script
from geoplan.twin.transport import Sent, Way, deliver
from geoplan.twin.watch import READS
from tests.simulation.world import BOOT, SYNC, World

M1, S1, A1 = "10.0.1.1", "10.0.1.2", "10.1.2.1"
"""Who stays: the units of the pair A, and the standalone B."""
M3, S3, A4 = "10.0.3.1", "10.0.3.2", "10.1.4.1"
"""Who leaves: the units of the pair C, and the standalone D."""
STAYING = (M1, S1, A1)
LISTS = 8
"""The changing requests that enter lists, before anything is deleted."""


def topology(names: str = "ABCD", *, nat: bool = False, preferred: str = "master", groups: Any = None) -> Topology:
    """Return the sites of these names: A and C are pairs, B and D standalones."""
    kinds = {"A": (M1, S1), "B": (A1,), "C": (M3, S3), "D": (A4,)}
    sites = []
    for name in names:
        units: list[Any] = [
            {"address": address, "nat_address": address.replace("10.", "192.", 1)} if nat else address
            for address in kinds[name]
        ]
        pair = {"master": units[0], "slave": units[-1], "preferred_host": preferred}
        sites.append({"name": name, **({"ha_pair": pair} if len(units) == 2 else {"standalone": units[0]})})
    timing = {"boot_seconds": BOOT, "sync_seconds": SYNC}
    return Topology.model_validate({"sites": sites, "timing": timing, **({"groups": groups} if groups else {})})


class Kill(NamedTuple):
    """When a push is killed: at which changing request, and whether the unit has taken it by then."""

    at: int
    is_taken: bool


@dataclass
class Leave:
    """A world in which the four sites were pushed, and in which C and D leave then."""

    world: World
    old: Topology
    new: Topology
    clean: bool = False
    lost: list[str] = field(default_factory=list)
    """What a unit that stays has lost at any moment, although it was to keep it."""
    _reboots_before: int = 0

    @property
    def reboots(self) -> int:
        """How often masters were rebooted since the change began."""
        return sum(len(unit.reboots) for unit in self.world.network.units.values()) - self._reboots_before

    async def begin(self, fqdns: tuple[str, ...] = ()) -> None:
        """Push the four sites, and let everybody share it."""
        await self.world._push(resume=False, kill_after=None)
        await self.settle()
        for name in fqdns:
            self.world.network.geo.put_fqdn(self.world.network.unit(M1), name)
        await self.settle()
        self._reboots_before = sum(len(unit.reboots) for unit in self.world.network.units.values())
        self.world.former.append(self.world.plan)
        self.world.plan = make_change(self.new, self.world.plan, cleans_leaving=self.clean)
        self.world.plan = type(self.world.plan).model_validate_json(self.world.plan.model_dump_json())
        handle = self.world.simulation.handle

        def watched(address: str, request: Request) -> Outcome:
            before = {unit.address: self.kept(unit) for unit in self.world.network.units.values()}
            outcome = handle(address, request)
            self.note_losses(before)
            return outcome

        self.world.simulation.handle = watched  # type: ignore[method-assign]

    async def settle(self) -> None:
        """Let what is on its way arrive."""
        await self.world.time.sleep(3 * SYNC)

    def kept(self, unit: Unit) -> frozenset[str]:
        """Return what a unit has that no push may take from it: what stays, and every FQDN."""
        geo, change = self.world.network.geo, self.world.plan.change
        assert change
        old = [change.old_cluster(site) for site in change.leaving]
        going = (
            {cluster.name for cluster in old if cluster}
            if unit.site not in change.leaving
            else self.names(unit.address)
        )
        return frozenset((self.names(unit.address) - going) | {fqdn.name for fqdn in geo.fqdns(unit)})

    def note_losses(self, before: dict[str, frozenset[str]]) -> None:
        for unit in self.world.network.units.values():
            if gone := before[unit.address] - self.kept(unit):
                self.lost.append(f"{unit.address} has lost {sorted(gone)}")

    async def push(self, *, resume: bool = False, kill: Kill | None = None) -> PushResult | GeoplanError | None:
        """Push the change; return how it ended: None where it was killed."""
        before = len(self.world.ways)
        pushing = asyncio.create_task(self.world._push(resume=resume, kill_after=None))
        if kill:
            self.world.ways.append(self._killing(pushing, kill))
        try:
            return await pushing
        except asyncio.CancelledError:
            return None
        except GeoplanError as error:
            return error
        finally:
            del self.world.ways[before:]

    def _killing(self, pushing: asyncio.Task[Any], kill: Kill) -> Way:
        seen = 0

        async def way(sent: Sent) -> None:
            nonlocal seen
            if sent.call is None or sent.call.command.startswith(READS):
                return
            seen += 1
            if seen != kill.at:
                return
            if kill.is_taken:
                deliver(self.world.simulation, sent, sent.address)
            pushing.cancel()
            await asyncio.sleep(0)

        return way

    def names(self, address: str) -> set[str]:
        """Return the clusters that a unit has."""
        return {cluster.name for _, cluster in self.world.network.geo.clusters(self.world.network.unit(address))}

    def told(self) -> list[str]:
        """Return how each step ended."""
        return [f"{e.step.id}: {e.state} {e.message}" for e in self.world.heard.events if e.step and e.state]

    def faults(self) -> list[str]:
        """Return what is not as it has to be once C and D have left."""
        plan, network = self.world.plan, self.world.network
        wrong = [*self.world.broken, *self.lost]
        for unit in network.units.values():
            site = plan.site(unit.site)
            lists = set(unit.geo_partners), set(unit.remote_geo_access)
            if lists != (set(site.geo_partners), set(site.remote_geo_access)):
                wrong.append(f"{unit.address} has the lists {unit.geo_partners} and {unit.remote_geo_access}")
            if unit.address in STAYING and self.names(unit.address) != {"A", "B"}:
                wrong.append(f"{unit.address} has the clusters {self.names(unit.address)}")
        wrong += [f"red: {each}" for each in self.world.red_in_any_state()]
        return wrong + ([f"{self.reboots} reboots"] if self.reboots else [])


def leave(folder: Path, *, clean: bool = False, variants: Any = (), **of_topology: Any) -> Leave:
    """Return a world of four sites, of which two are to leave."""
    old = topology(**of_topology)
    script = Script(old, "7.2.59.4", Options(), variants=variants)
    return Leave(World(script, 1, folder), old, topology("AB", **of_topology), clean=clean)


# -- single situations -------------------------------------------------------------------------------------------------


async def sites_leave(folder: Path) -> list[str]:
    """Two sites leave, and clean up."""
    begun = leave(folder, clean=True)
    await begun.begin()
    await begun.push()
    await begun.settle()
    return begun.faults()


async def sites_leave_standby_that_does_not_follow(folder: Path) -> list[str]:
    """The standby of a pair that stays keeps its old lists: nothing is deleted."""
    begun = leave(folder)
    await begun.begin()
    begun.world.network.pair("A").changed = lambda: None  # type: ignore[method-assign]
    ended = await begun.push()
    wrong = [*begun.world.broken, *begun.lost]
    return wrong if isinstance(ended, PushStoppedError) else [*wrong, f"it was not stopped: {ended}"]


async def sites_leave_over_a_live_link(folder: Path) -> list[str]:
    """Two standbys submit nothing anew: where access lists cut no link, theirs comes alive once both are active."""
    begun = leave(folder, variants=(Variant.LINKS_IGNORE_ACCESS,), preferred="none", clean=True)
    await begun.begin()
    await begun.push(kill=Kill(LISTS + 1, is_taken=False))
    for site in ("A", "C"):
        begun.world.simulation.fail_over(site)
    await begun.settle()
    ended = await begun.push(resume=True)
    wrong = [*begun.world.broken, *begun.lost]
    return wrong if isinstance(ended, PushStoppedError) else [*wrong, f"it was not stopped: {ended}"]
