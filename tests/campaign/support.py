"""What the campaign shares: quick labs, the requests of a push by their names, and what has to hold at every end."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from geoplan.lab.device.network import Network
from geoplan.lab.faults import FaultKind
from geoplan.lab.http import Request
from geoplan.plan.model import Plan
from tests.conftest import TOPOLOGIES
from tests.push.support import red_links

BOOT, FAILOVER, SYNC = 0.3, 0.05, 0.05
PLACED = {"location": {"latitude": 53.35, "longitude": -6.26}}
# What a push of 5.4 sends; that it is so is told by the undisturbed one among the kills.
CHANGES = {
    "set:geoclients": 4,
    "set:geopartners": 8,
    "reboot": 2,
    "addcluster": 4,
    "modcluster": 4,
    "clustchangeloc": 1,
}
READS = (
    "get:version",
    "getall",
    "get:hastatus",
    "get:boottime",
    "get:geoclients",
    "get:geopartners",
    "listclusters",
    "listfqdns",
    "isgeoenabled",
    "getgeopartnerstatus",
    "getawshaparams",
    "backup",
    "health",
)
HA_COMMANDS = ("awshamode", "awshaparam")
HA_CHANGES = 8  # mode and parameters, on both units of two pairs
# Which of the requests fail, beside the first: one of each later purpose, and one that is sent after the reboot.
LATER = {"get:geopartners": (6, 12), "set:geopartners": (2, 3, 4), "listclusters": (4,), "health": (5, 12)}
LOST_ON_THE_WAY_BACK = (FaultKind.RESET, FaultKind.TIMEOUT, FaultKind.ERROR, FaultKind.HTML, FaultKind.REFUSE)
SECONDS = {FaultKind.REFUSE: 1, FaultKind.SLOW: 1}
ENDINGS = pytest.StashKey[list["Ending"]]()
PROPERTY = "campaign"


class Ending(NamedTuple):
    """How one push under one incident came to its end."""

    incident: str
    """Kill or fault."""
    way: str
    extra_reboots: int


def write_topology(folder: Path, section: str) -> Path:
    """Write one of the document's topologies with quick boots; its first cluster is placed, so that all is sent."""
    document = yaml.safe_load((TOPOLOGIES / f"section-{section}.yaml").read_text())
    document["sites"][0]["cluster"] = PLACED
    document["timing"] = {"boot_seconds": BOOT, "sync_seconds": SYNC, "manual_step_seconds": 60}
    path = folder / f"section-{section}.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


def command_of(request: Request) -> str:
    """Return what a request of APIv2 asks for, as a fault names it."""
    body = json.loads(request.body)
    return f"{body['cmd']}:{body['param']}" if "param" in body else str(body["cmd"])


def faults(commands: Sequence[str]) -> Iterator[str]:
    """Yield every fault on every command; of a change also each fault that lets it be carried out unanswered."""
    for command in commands:
        for kind in FaultKind:
            if kind is FaultKind.EARLY_RETURN and command != "reboot":
                continue
            seconds = f",seconds={SECONDS[kind]}" if kind in SECONDS else ""
            for number in (1, *LATER.get(command, ())):
                fault = f"{kind},command={command},occurrence={number}{seconds}"
                yield fault
                if command not in READS and kind in LOST_ON_THE_WAY_BACK:
                    yield f"{fault},applied=yes"


def is_changing(command: str) -> bool:
    return command.startswith(("set:", "add", "mod", "clustchange", "del", "enable", "disable", "reboot"))


def assert_as_planned(network: Network, plan: Plan, *, fqdns: frozenset[str] = frozenset()) -> None:
    """See that nothing is lost and nothing more than planned: lists, clusters, and green links in every HA state."""
    for site in plan.sites:
        planned = {cluster.name: cluster.location for cluster in plan.clusters if cluster.group == site.group}
        for address in (unit.address for unit in site.units):
            unit = network.unit(address)
            assert set(unit.remote_geo_access) == set(site.remote_geo_access)
            assert set(unit.geo_partners) == set(site.geo_partners)
            clusters = [cluster for _, cluster in network.geo.clusters(unit)]
            assert sorted(cluster.name for cluster in clusters) == sorted(planned)
            assert all(cluster.type == "remoteLM" for cluster in clusters)
            assert all((planned[cluster.name] is not None) == (cluster.latitude_seconds != 0) for cluster in clusters)
            assert {fqdn.name for fqdn in network.geo.fqdns(unit)} == fqdns
    assert red_links(network) == set()


def assert_no_secret(secret: str, said: str, folder: Path) -> None:
    """See that a secret stands neither in what was said nor in what was written, but for the units' own backups."""
    written = {str(path): path.read_text() for path in folder.rglob("*") if path.is_file() and path.suffix != ".backup"}
    assert written
    assert not [where for where, text in {"output": said, **written}.items() if secret in text]
