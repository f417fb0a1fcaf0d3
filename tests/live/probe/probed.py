"""Units of a simulated lab, probed in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from geoplan.errors import NotAskedError, RefusedSpellingError
from geoplan.lab.clock import SimulatedClock, Timings
from geoplan.lab.device.unit import Credentials
from geoplan.lab.simulation import Simulation
from geoplan.live.probe.answers import ProbeAnswers, ask_unit
from geoplan.loadmaster import Insecure, LoadMaster, Secret, UnitConnection, UserPassword
from geoplan.loadmaster.clients import connected
from geoplan.loadmaster.credentials import ApiKey
from geoplan.loadmaster.http import UnitHttp
from geoplan.loadmaster.wire import Command
from geoplan.loadmaster.wire_v1 import WireV1
from geoplan.topology.model import Topology
from geoplan.twin.transport import LabTransport, Watcher

KEY = "key-of-the-lab"
PASSWORD = "correct horse"  # noqa: S105 - the lab's
USER = "dublinadmin"
MASTER, SLAVE, ALONE = "10.11.12.5", "10.11.12.6", "10.11.13.7"
UNITS = (MASTER, SLAVE, ALONE)
NAMES = ("Dublin Köln", "Athlone & Co")


class LabClock:
    """The lab's own clock, which sleeping advances."""

    def __init__(self, clock: SimulatedClock) -> None:
        self.now = clock.now
        self._clock = clock

    async def sleep(self, seconds: float) -> None:
        self._clock.advance(seconds)
        await asyncio.sleep(0)


def simulated(*, empty: bool = False, names: tuple[str, str] = NAMES, **options: Any) -> Simulation:
    """Return a pair and a standalone, with lists, clusters and an FQDN as somebody has set them up, or as delivered.

    The slave has submitted its partners, too, so that every link is there.
    """
    topology = Topology.model_validate(
        {
            "sites": [
                {"name": names[0], "ha_pair": {"master": MASTER, "slave": SLAVE}},
                {"name": names[1], "standalone": ALONE},
            ]
        }
    )
    options.setdefault("timings", Timings(boot_seconds=3, failover_seconds=0.5, sync_seconds=1))
    clock = SimulatedClock()
    lab = Simulation(topology, clock, credentials=Credentials(USER, PASSWORD, KEY), **options)
    if not empty:
        asyncio.run(_set_up(lab, names))
        clock.advance(60)
        lab.fail_over(names[0])
        clock.advance(60)
        asyncio.run(_submit(lab, SLAVE, (ALONE,)))
        lab.fail_over(names[0])
        clock.advance(60)
        asyncio.run(_submit(lab, ALONE, (MASTER, SLAVE)))
    clock.advance(60)
    return lab


async def _submit(lab: Simulation, address: str, partners: tuple[str, ...]) -> None:
    async with LoadMaster(access_to(address), transport=LabTransport(lab, address, lambda: 0.0)) as unit:
        await unit.resubmit_geo_partners(partners)


async def _set_up(lab: Simulation, names: tuple[str, str]) -> None:
    for address, others in ((MASTER, (ALONE,)), (ALONE, (MASTER, SLAVE))):
        async with LoadMaster(access_to(address), transport=LabTransport(lab, address, lambda: 0.0)) as unit:
            await unit.set_remote_geo_access((MASTER, SLAVE, ALONE))
            await unit.set_geo_partners(others)
            with suppress(RefusedSpellingError):  # then the next call spells it otherwise
                await unit.add_remote_lm_cluster(names[address == ALONE], address)
            await unit.add_remote_lm_cluster(names[address == ALONE], address)
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
    return asyncio.run(_asked(lab, {address: access_to(address, password)}, watcher))[0]


def probe_all(lab: Simulation, *, with_key: bool = False) -> list[ProbeAnswers]:
    """Ask every unit, one after the other, with the same credentials for all."""
    accesses = {address: access_to(address) for address in UNITS}
    if with_key:
        accesses = {name: replace(access, credentials=ApiKey(Secret(KEY))) for name, access in accesses.items()}
    return asyncio.run(_asked(lab, accesses))


async def _asked(
    lab: Simulation, accesses: dict[str, UnitConnection], watcher: Watcher | None = None
) -> list[ProbeAnswers]:
    assert isinstance(lab.clock, SimulatedClock)

    def transport_of(address: str) -> LabTransport:
        return LabTransport(lab, address, lambda: 0.0, watcher=watcher)

    async with connected(accesses, LabClock(lab.clock), transport_of=transport_of) as clients:
        return [answers async for answers in _each(clients.values())]


async def _each(clients: Iterable[LoadMaster]) -> AsyncIterator[ProbeAnswers]:
    for client in clients:
        with suppress(NotAskedError):
            yield await ask_unit(client)
