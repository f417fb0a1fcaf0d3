"""What was pushed to units of every variant is imported as it was planned, by the real client, in both wire formats."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import product
from pathlib import Path

import pytest
import yaml

from geoplan.lab.faults import FaultKind
from geoplan.lab.variants import Variant
from geoplan.live.discover.document import draft_of
from geoplan.live.discover.judge import Imported, judged
from geoplan.live.discover.search import Discovery, discover
from geoplan.live.findings.collect import examine
from geoplan.live.findings.kinds import Severity, generic_command
from geoplan.live.links import KnownLinks
from geoplan.live.survey import observe_for_preflight
from geoplan.live.unit import Unit
from geoplan.plan.model import Phase, Plan
from geoplan.plan.planner import make_plan
from geoplan.push.journal import histories
from geoplan.push.ledger import Ledger
from geoplan.push.options import Options
from geoplan.topology.model import Topology
from geoplan.twin.loop import run_simulated
from geoplan.twin.script import Script
from tests.conftest import TOPOLOGIES
from tests.simulation.world import World

V1, V2 = "7.2.48.3", "7.2.59.4"
GIVEN = "172.24.1.10"


@asynccontextmanager
async def pushed_world(folder: Path, firmware: str, *variants: Variant) -> AsyncIterator[World]:
    """Have units at hand to which an example was pushed, and that had the time to share it."""
    text = (TOPOLOGIES / "section-5.4.yaml").read_text()
    document = yaml.safe_load(text.replace("Standalone", "Lone"))  # names that are not the same once they are cut
    script = Script(Topology.model_validate(document), firmware, Options(), variants=variants, knows_hosts=True)
    script.has_key = Variant.KEY_IN_QUERY in variants
    world = World(script, 1, folder)
    await world._push(resume=False, kill_after=None)
    await asyncio.sleep(600)
    yield world


async def discovered(world: World) -> Discovery:
    """Return what is found from one of a world's units."""

    @asynccontextmanager
    async def clients(addresses: Sequence[str]) -> AsyncIterator[Mapping[str, Unit]]:
        async with world.connected_fleet() as fleet:
            yield {address: fleet.unit(address) for address in addresses}

    return await discover(clients, [GIVEN], list)


def known_links(folder: Path) -> KnownLinks:
    known = Ledger()
    for history in histories(folder):
        known.read(history)
    return known.known_links()


def imported_of(found: Discovery, folder: Path) -> Imported:
    return judged(found, draft_of(found, {}, name="geo"), generic_command, lambda _: known_links(folder))


def pushed_and_imported(folder: Path, firmware: str, *variants: Variant) -> tuple[World, Imported, set[str]]:
    """Return what was pushed, what is imported then, and what a comparison says of what is imported."""

    async def story() -> tuple[World, Imported, set[str]]:
        async with pushed_world(folder, firmware, *variants) as world:
            imported = imported_of(await discovered(world), folder)
            world.plan = make_plan(imported.topology, [Phase.GEO])
            async with world.connected_fleet() as fleet:
                facts = await observe_for_preflight(fleet)
        report, findings = examine(world.plan, facts, known_links(folder), max_clusters=18)
        told = {each.message for each in report.differences}
        told |= {each.message for each in findings if each.severity is not Severity.KNOWING}
        return world, imported, told

    return run_simulated(story())


def lists_of(plan: Plan) -> dict[tuple[str, ...], tuple[frozenset[str], frozenset[str]]]:
    return {
        tuple(unit.address for unit in site.units): (frozenset(site.remote_geo_access), frozenset(site.geo_partners))
        for site in plan.sites
    }


READ = [variant for variant in Variant if variant is not Variant.STANDBYS_401]  # whose standbys let no push begin


@pytest.mark.parametrize(
    ("variant", "firmware"), [(variant, (V1, V2)[number % 2]) for number, variant in enumerate(READ)]
)
def test_units_of_a_variant_are_imported_as_they_were_planned(tmp_path: Path, variant: Variant, firmware: str) -> None:
    world, imported, told = pushed_and_imported(tmp_path, firmware, variant)
    assert lists_of(make_plan(imported.topology)) == lists_of(make_plan(world.script.topology))
    assert imported.unconfirmed == {}
    assert {each.finding.message for each in imported.to_mend} == told == set()


REQUESTS = [kind for kind in FaultKind if not kind.hits_unit]
MASTER = "172.24.1.5"
COMMANDS = ("", "getall", "get", "listclusters", "listfqdns", "getawshaparams", "health")


@pytest.mark.parametrize("firmware", [V1, V2])
def test_what_a_fault_keeps_from_being_read_is_named_and_changes_nothing_else(tmp_path: Path, firmware: str) -> None:
    """Either the topology is the one that was pushed, or a finding names the unit that did not tell."""

    async def story() -> list[str]:
        wrong = []
        async with pushed_world(tmp_path, firmware) as world:
            wanted = lists_of(make_plan(world.script.topology))
            for number, (kind, command) in enumerate(product(REQUESTS, COMMANDS)):
                unit = (GIVEN, MASTER)[number % 2]
                world.simulation.inject(f"{kind},unit={unit}" + (f",command={command}" if command else ""))
                found = await discovered(world)
                world.lift()
                await asyncio.sleep(60)
                if all(each.failure for each in found.units.values()):
                    continue  # nobody could be read, and nothing is written
                imported = imported_of(found, tmp_path)
                named = {address for placed in imported.to_mend for address in placed.finding.units}
                if lists_of(make_plan(imported.topology)) != wanted and unit not in named:
                    wrong.append(f"{kind} of '{command}' on {unit}: {[str(each.finding) for each in imported.to_mend]}")
        return wrong

    assert run_simulated(story()) == []
