"""Units of a simulated lab, probed in memory."""

from __future__ import annotations

import asyncio
from typing import Any

from geoplan.lab.clock import SimulatedClock, Timings
from geoplan.lab.device.unit import Credentials
from geoplan.lab.simulation import Simulation
from geoplan.live.probe.answers import ProbeAnswers, ask_unit
from geoplan.loadmaster import Insecure, LoadMaster, Secret, UnitConnection, UserPassword
from geoplan.loadmaster.http import UnitHttp
from geoplan.loadmaster.raw import RawUnit
from geoplan.loadmaster.wire import Command
from geoplan.loadmaster.wire_v1 import WireV1
from geoplan.topology.model import Topology
from tests.simulation.transport import LabTransport, Watcher

PASSWORD = "correct horse"  # noqa: S105 - the lab's
USER = "dublinadmin"
MASTER, SLAVE, ALONE = "10.11.12.5", "10.11.12.6", "10.11.13.7"
NAMES = ("Dublin Köln", "Athlone & Co")


class LabClock:
    """The lab's own clock, which sleeping advances."""

    def __init__(self, clock: SimulatedClock) -> None:
        self.now = clock.now
        self._clock = clock

    async def sleep(self, seconds: float) -> None:
        self._clock.advance(seconds)
        await asyncio.sleep(0)


def simulated(*, empty: bool = False, **options: Any) -> Simulation:
    """Return a pair and a standalone, with lists, clusters and an FQDN as somebody has set them up, or as delivered."""
    topology = Topology.model_validate(
        {
            "sites": [
                {"name": NAMES[0], "ha_pair": {"master": MASTER, "slave": SLAVE}},
                {"name": NAMES[1], "standalone": ALONE},
            ]
        }
    )
    options.setdefault("timings", Timings(boot_seconds=3, failover_seconds=0.5, sync_seconds=1))
    clock = SimulatedClock()
    lab = Simulation(topology, clock, credentials=Credentials(USER, PASSWORD), **options)
    if not empty:
        asyncio.run(_set_up(lab))
    clock.advance(60)
    return lab


async def _set_up(lab: Simulation) -> None:
    for address, others in ((MASTER, (ALONE,)), (ALONE, (MASTER, SLAVE))):
        async with LoadMaster(access_to(address), transport=LabTransport(lab, address, lambda: 0.0)) as unit:
            await unit.set_remote_geo_access((MASTER, SLAVE, ALONE))
            await unit.set_geo_partners(others)
            await unit.add_remote_lm_cluster(NAMES[address == ALONE], address)
    exchange = UnitHttp(access_to(ALONE), transport=LabTransport(lab, ALONE, lambda: 0.0))
    await exchange.open()
    await exchange.send(WireV1(), Command("addfqdn", {"fqdn": "shop.example"}, changes=True))


def access_to(address: str, password: str = PASSWORD) -> UnitConnection:
    return UnitConnection(
        address=address,
        api_url=f"https://{address}:8443",
        credentials=UserPassword(USER, Secret(password)),
        health_url=f"http://{address}:8444" if address != ALONE else None,
        trust=Insecure(),
    )


def probe(lab: Simulation, address: str, *, password: str = PASSWORD, watcher: Watcher | None = None) -> ProbeAnswers:
    async def ask() -> ProbeAnswers:
        transport = LabTransport(lab, address, lambda: 0.0, watcher=watcher)
        async with RawUnit(access_to(address, password), transport=transport) as unit:
            assert isinstance(lab.clock, SimulatedClock)
            return await ask_unit(unit, LabClock(lab.clock))

    return asyncio.run(ask())
