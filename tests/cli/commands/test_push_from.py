"""``geoplan push --from`` over TLS: sites that join and leave in one lab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.conftest import Geoplan, Outcome
from tests.push.conftest import MakeSite, make_site
from tests.push.support import A1, A2, BOOT, M1, M2, S1, S2, SYNC, Site, red_in_any_state

__all__ = ["make_site"]

TWO = ("HA Pair 1", "Standalone LoadMaster 1")


def part(site: Site, name: str, *sites: str, **settings: Any) -> Path:
    """Write a topology of some of the lab's sites."""
    document = yaml.safe_load(site.topology.read_text())
    document["sites"] = [each for each in document["sites"] if not sites or each["name"] in sites]
    document["timing"] = {"boot_seconds": BOOT, "sync_seconds": SYNC, "manual_step_seconds": 60}
    document.update(name=name, **settings)
    path = site.topology.with_name(f"{name}.yaml")
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


def push(geoplan: Geoplan, site: Site, topology: Path, *options: str | Path) -> Outcome:
    return geoplan("push", topology, "--endpoints", site.endpoints, "--yes", *options)


def clusters(site: Site, address: str) -> set[str]:
    return {cluster["name"] for cluster in site.units[address]["clusters"]}


def test_sites_join_and_leave_again(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.4")
    two, four = part(site, "two", *TWO), part(site, "four")
    assert push(geoplan, site, two).code == 0
    before = site.reboots
    ended = push(geoplan, site, four, "--from", two)
    assert ended.code == 0, ended
    assert "done and verified" in ended.stdout
    site.settle()
    assert red_in_any_state(site.lab) == set()
    assert {address: site.reboots[address] - before[address] for address in site.reboots} == {
        M1: 1, M2: 1, S1: 0, S2: 0, A1: 0, A2: 0,
    }  # fmt: skip
    assert geoplan("diff", four, "--endpoints", site.endpoints).code == 0
