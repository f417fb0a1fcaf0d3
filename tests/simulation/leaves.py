"""A group from which sites leave, in simulated time: what each world of these tests begins with, and its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from geoplan.errors import GeoplanError
from geoplan.lab.device.unit import Unit
from geoplan.lab.http import Outcome, Request
from geoplan.plan.change import make_change
from geoplan.push.options import Options
from geoplan.topology.model import Topology
from tests.simulation.world import BOOT, SYNC, World

M1, S1, A1 = "10.0.1.1", "10.0.1.2", "10.1.2.1"
"""Who stays: the units of the pair A, and the standalone B."""
M3, S3, A4 = "10.0.3.1", "10.0.3.2", "10.1.4.1"
"""Who leaves: the units of the pair C, and the standalone D."""
STAYING, LEAVING = (M1, S1, A1), (M3, S3, A4)


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


@dataclass
class Leave:
    """A world in which the four sites were pushed, and in which C and D leave then."""

    world: World
    old: Topology
    new: Topology
    clean: bool = False
    lost: list[str] = field(default_factory=list)
    """What a unit that stays has lost at any moment, although it was to keep it."""
    sent: list[tuple[float, str, str]] = field(default_factory=list)
    """When which unit took which changing command; of a deletion with the name of the cluster."""

    async def begin(self, fqdns: tuple[str, ...] = ()) -> None:
        """Push the four sites, and let everybody share it."""
        await self.world._push(resume=False, kill_after=None)
        await self.settle()
        for name in fqdns:
            self.world.network.geo.put_fqdn(self.world.network.unit(M1), name)
        await self.settle()
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

    async def push(
        self, *, resume: bool = False, kill_after: float | None = None, options: Options | None = None
    ) -> Any:
        """Push the change; return how it ended."""
        self.world.options = options or self.world.options
        try:
            return await self.world._push(resume=resume, kill_after=kill_after)
        except TimeoutError:
            return None
        except GeoplanError as error:
            return error

    def names(self, address: str) -> set[str]:
        """Return the clusters that a unit has."""
        return {cluster.name for _, cluster in self.world.network.geo.clusters(self.world.network.unit(address))}

    def told(self) -> list[str]:
        """Return how each step ended."""
        return [f"{e.step.id}: {e.state} {e.message}" for e in self.world.heard.events if e.step and e.state]
