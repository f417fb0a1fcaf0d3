"""What the tests of pushes share: labs with quick boots, their topologies as files, and what the lab has in the end."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from geoplan.cli.connection import ConnectionOptions
from geoplan.lab.device.network import Network
from geoplan.lab.device.pair import Pair
from geoplan.lab.device.unit import Credentials, Power
from geoplan.lab.lab import BackgroundLab
from geoplan.live.polling import SystemClock
from geoplan.plan.model import Plan
from geoplan.push.store import Store, addresses_of, unit_keys
from geoplan.topology.loader import load_topology
from tests.conftest import TOPOLOGIES

PASSWORD = "a passphrase that nobody may see"  # noqa: S105 - of a lab
CREDENTIALS = Credentials("bal", PASSWORD)
PATIENCE_SECONDS = 60
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
BOOT, FAILOVER, SYNC = 1.0, 0.1, 0.1
OLD_FIRMWARE = "7.2.48.3"  # of the document's day: APIv1 alone, no Partner Shared Secret
NEW_FIRMWARE = "7.2.59.4"

M1, S1, M2, S2, A1, A2 = "172.24.1.5", "172.24.1.6", "172.24.1.8", "172.24.1.7", "172.24.1.9", "172.24.1.10"


class SettableClock(SystemClock):
    """A clock whose wall time is what a test says."""

    def __init__(self, wall_time: datetime = NOON) -> None:
        self.wall_time = wall_time

    def wall(self) -> datetime:
        return self.wall_time


def real_store(folder: Path, plan: Plan) -> Store:
    """Return what is kept in a folder of pushes to the real units of a plan."""
    return Store(folder, unit_keys(addresses_of(plan)))


class Site:
    """A lab, the files that lead to it, and the folder for everything that pushes write."""

    def __init__(self, lab: BackgroundLab, topology: Path, endpoints: Path, state: Path) -> None:
        self.lab = lab
        self.topology = topology
        self.endpoints = endpoints
        self.state = state

    @property
    def units(self) -> dict[str, Any]:
        units: Any = self.lab.state()["units"]
        return dict(units)

    @property
    def reboots(self) -> dict[str, int]:
        return {address: unit["reboots"] for address, unit in self.units.items()}

    def all_that_counts(self) -> dict[str, Any]:
        """Return what a push may change, without what is on its way by itself."""
        kept = ("remote_geo_access", "geo_partners", "submitted_geo_partners", "clusters", "reboots")
        return {address: {name: unit[name] for name in kept} for address, unit in self.units.items()}

    def settle(self) -> None:
        """Wait until every unit is where it stays and has what the others have: a push waits for no standby."""
        asyncio.run_coroutine_threadsafe(settled(self.lab._lab.simulation.network), self.lab._loop).result()

    @property
    def store(self) -> Store:
        """What is kept of pushes to the lab's units."""
        keys = unit_keys(self.units, ConnectionOptions(endpoints=str(self.endpoints)).lab_id())
        return Store(self.state, keys)

    def journals(self) -> list[Path]:
        return sorted(self.state.rglob("*.jsonl"))


def write_topology(
    folder: Path, section: str = "5.4", *, preferred_host: str = "master", boot: float = BOOT, **settings: Any
) -> Path:
    """Write one of the document's topologies with the lab's timings."""
    document = yaml.safe_load((TOPOLOGIES / f"section-{section}.yaml").read_text())
    for site in document["sites"]:
        if "ha_pair" in site:
            site["ha_pair"]["preferred_host"] = preferred_host
    document["timing"] = {"boot_seconds": boot, "sync_seconds": SYNC, "manual_step_seconds": 60}
    document.update(settings)
    path = folder / f"section-{section}.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


def part(site: Site, name: str, *sites: str, **settings: Any) -> Path:
    """Write a topology of some of the lab's sites, with the lab's timings."""
    document = yaml.safe_load(site.topology.read_text())
    document["sites"] = [each for each in document["sites"] if not sites or each["name"] in sites]
    document.update(name=name, **settings)
    path = site.topology.with_name(f"{name}.yaml")
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


def lab_for(topology: Path, *, boot: float = BOOT, **options: Any) -> BackgroundLab:
    options.setdefault("credentials", CREDENTIALS)
    return BackgroundLab(
        load_topology(str(topology)), boot_seconds=boot, failover_seconds=FAILOVER, sync_seconds=SYNC, **options
    )


def as_operator(monkeypatch: pytest.MonkeyPatch, state: Path) -> None:
    """Set what the environment of a push has: the lab's credentials, and a folder for what pushes write."""
    monkeypatch.setenv("GEOPLAN_USER", CREDENTIALS.user)
    monkeypatch.setenv("GEOPLAN_PASSWORD", PASSWORD)
    monkeypatch.setenv("GEOPLAN_STATE_DIR", str(state))
    monkeypatch.delenv("GEOPLAN_APIKEY", raising=False)


def serve(running: ExitStack, topology: Path, **options: Any) -> Site:
    """Serve a topology as long as ``running`` lasts, with its endpoints and its state beside its file."""
    folder = topology.parent
    lab = running.enter_context(lab_for(topology, **options))
    endpoints = folder / "lab.yaml"
    endpoints.write_text(lab.endpoints.to_yaml())
    return Site(lab, topology, endpoints, folder / "state")


async def settled(network: Network) -> None:
    """Wait until no unit boots, every pair is where it stays, and everything has reached the standbys."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (
                all(unit.power is not Power.BOOTING for unit in network.units.values())
                and all(map(_stays, network.pairs.values()))
            ):
                await asyncio.sleep(0.01)
    except TimeoutError:
        units = {unit.address: (str(unit.power), unit.pacified, len(unit.reboots)) for unit in network.units.values()}
        pairs = {
            name: (pair.active and pair.active.address, pair.is_formed, pair.unpaired_because, len(pair._deliveries))
            for name, pair in network.pairs.items()
        }
        raise AssertionError(f"the lab does not settle: {units}, {pairs}") from None


def _stays(pair: Pair) -> bool:
    if not all(unit.ha.is_complete for unit in pair.units):  # they wait for nobody but a push
        return True
    is_placed = pair.active is pair.preferred or not pair.prefers_master
    return is_placed and pair.standby is not None and not pair._deliveries


def red_in_any_state(lab: BackgroundLab) -> set[tuple[str, str]]:
    """Return the red entries over every combination of HA states; the lab is afterwards as it was."""
    return lab._call(lambda: red_links(lab._lab.simulation.network))


def red_links(network: Network) -> set[tuple[str, str]]:
    """Return the red entries over every combination of HA states; the network is afterwards as it was."""
    red: set[tuple[str, str]] = set()
    pairs = list(network.pairs.values())
    before = [pair.active for pair in pairs]
    for states in product(("master", "slave"), repeat=len(pairs)):
        for pair, wanted in zip(pairs, states, strict=True):
            pair.active = getattr(pair, wanted)
        for unit in network.units.values():
            if network.is_active(unit):
                red |= {(unit.address, other) for other, green in network.partners.status_of(unit) if not green}
    for pair, active in zip(pairs, before, strict=True):
        pair.active = active
    return red
