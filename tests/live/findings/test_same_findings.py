"""Diff, status and the checks before a push name the same findings, for prepared states of a lab."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from geoplan.lab.device.parameters import GEO_ENABLED
from geoplan.lab.device.unit import Firmware
from geoplan.live.diff import as_text
from geoplan.live.findings.collect import examine
from geoplan.live.findings.kinds import Finding, FindingKind, Severity
from geoplan.live.survey import observe_for_preflight, observe_for_status
from geoplan.push.journal import histories
from geoplan.push.ledger import Ledger
from geoplan.push.options import Options
from geoplan.push.preflight import PreflightInput, check
from geoplan.status.assess import assess
from geoplan.topology.model import Topology
from geoplan.twin.loop import run_simulated
from geoplan.twin.script import Script
from tests.simulation.world import BOOT, SYNC, World

M1, S1, M2, S2, C = "10.0.1.1", "10.0.1.2", "10.0.2.1", "10.0.2.2", "10.0.3.1"
TOPOLOGY = Topology.model_validate(
    {
        "name": "t",
        "sites": [
            {"name": "A", "ha_pair": {"master": M1, "slave": S1}},
            {
                "name": "B",
                "ha_pair": {"master": M2, "slave": S2},
                "cluster": {"name": "B second site of ours, far away"},
            },
            {"name": "C", "standalone": C},
        ],
        "timing": {"boot_seconds": BOOT, "sync_seconds": SYNC},
    }
)


def lists(world: World, address: str, **settings: tuple[str, ...]) -> None:
    unit = world.network.unit(address)
    unit.configuration = unit.configuration.with_settings(settings)


def put(world: World, **changed: object) -> None:
    """Change the cluster of B on every unit, as somebody does on one of them."""
    network = world.network
    cluster = network.geo.find_cluster(network.unit(M1), M2)
    assert cluster is not None
    network.geo.put_cluster(network.unit(M1), replace(cluster, **changed))  # type: ignore[arg-type]
    network.after_write(network.unit(M1))


def rewrite(world: World) -> None:
    """Have units write the name of B as some do: blanks as ``_``, and cut."""
    put(world, name="B_second_site_of_ours_"[:20])


def unplanned(world: World) -> None:
    network = world.network
    cluster = network.geo.find_cluster(network.unit(M1), M2)
    assert cluster is not None
    network.geo.put_cluster(network.unit(M1), replace(cluster, name="Z", address="10.9.9.9"))
    network.after_write(network.unit(M1))


def no_preference(world: World) -> None:
    for address in (M1, S1):
        unit = world.network.unit(address)
        world.network.set_ha(unit, replace(unit.ha, prefer_master=False))


def geo_off(world: World) -> None:
    unit = world.network.unit(C)
    unit.configuration = unit.configuration.with_settings({GEO_ENABLED: False})


def older(world: World) -> None:
    world.network.unit(S1).firmware = Firmware("7.2.60.0")


STATES: dict[str, tuple[Callable[[World], object], set[FindingKind]]] = {
    "as pushed": (lambda _world: None, set()),
    "list of an active unit": (
        lambda world: lists(world, C, geoclients=(M1, S1, M2, S2, C, "203.0.113.9")),
        {FindingKind.GEO_DIFFERS},
    ),
    "list of a standby": (lambda world: lists(world, S1, geopartners=(M2, S2)), {FindingKind.GEO_DIFFERS}),
    "clusters of a standby": (
        lambda world: setattr(
            world.network.unit(S1), "configuration", world.network.unit(S1).configuration.with_geo({})
        ),
        {FindingKind.GEO_DIFFERS},
    ),
    "disabled cluster": (lambda world: put(world, enabled=False), {FindingKind.CLUSTER_DISABLED}),
    "another checker": (lambda world: put(world, checker="icmp"), {FindingKind.CLUSTER_CHECKED}),
    "name that a unit rewrote": (rewrite, {FindingKind.CLUSTER_REWRITTEN}),
    "cluster that nobody plans": (unplanned, {FindingKind.UNKNOWN_CLUSTER}),
    "preferred host": (no_preference, {FindingKind.PREFERRED_HOST_DIFFERS}),
    "GEO off": (geo_off, {FindingKind.GEO_OFF}),
    "firmware of one unit": (older, {FindingKind.FIRMWARE_DIFFERS}),
    "failed over": (lambda world: world.network.fail_over("A"), {FindingKind.FAILED_OVER}),
    "slave down": (lambda world: world.network.power_off(world.network.unit(S1)), {FindingKind.UNIT_DOWN}),
}


async def looked_at(world: World) -> tuple[tuple[Finding, ...], ...]:
    """Return what diff, status and the checks before a push find."""
    known = Ledger()
    for history in histories(world.folder):
        known.read(history)
    async with world.connected_fleet() as fleet:
        everything, glance = await observe_for_preflight(fleet), await observe_for_status(fleet)
    report, of_diff = examine(world.plan, everything, known.known_links(), max_clusters=18)
    assert (not report.is_in_place) <= any(each.severity is not Severity.KNOWING for each in of_diff)
    assert as_text(report, findings=of_diff)
    status = assess(world.plan, glance, datetime.now(UTC), known=known.known_links())
    found = check(world.plan, everything, PreflightInput(Options(), 18, datetime.now(UTC), known))
    assert any(each.blocks_push for each in found.findings) == bool(found.problems)
    return of_diff, status.findings, found.findings


@pytest.mark.parametrize("state", STATES)
def test_diff_status_and_preflight_name_the_same_findings(tmp_path: Path, state: str) -> None:
    spoil, expected = STATES[state]

    async def story() -> list[set[tuple[FindingKind, Severity]]]:
        world = World(Script(TOPOLOGY, "7.2.59.4", Options()), 1, tmp_path)
        await world._push(resume=False, kill_after=None)
        await asyncio.sleep(600)
        spoil(world)
        await asyncio.sleep(60)
        return [{(each.kind, each.severity) for each in found} for found in await looked_at(world)]

    diff, status, preflight = run_simulated(story())
    assert diff == status == preflight
    assert {kind for kind, severity in diff if severity is not Severity.KNOWING} == expected
