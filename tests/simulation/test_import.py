"""What was pushed to units of every variant is imported as it was planned, by the real client, in both wire formats."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from geoplan.lab.variants import Variant
from geoplan.live.discover.document import draft_of
from geoplan.live.discover.judge import Imported, judged
from geoplan.live.discover.search import discover
from geoplan.live.findings.collect import examine
from geoplan.live.findings.kinds import Severity, generic_command
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


def pushed_and_imported(folder: Path, firmware: str, *variants: Variant) -> tuple[World, Imported, set[str]]:
    """Return what was pushed, what is imported then, and what a comparison says of what is imported."""
    text = (TOPOLOGIES / "section-5.4.yaml").read_text()
    document = yaml.safe_load(text.replace("Standalone", "Lone"))  # names that are not the same once they are cut
    script = Script(Topology.model_validate(document), firmware, Options(), variants=variants, knows_hosts=True)
    script.has_key = Variant.KEY_IN_QUERY in variants

    async def story() -> tuple[World, Imported, set[str]]:
        world = World(script, 1, folder)
        await world._push(resume=False, kill_after=None)
        await asyncio.sleep(600)
        known = Ledger()
        for history in histories(folder):
            known.read(history)

        @asynccontextmanager
        async def clients(addresses: Sequence[str]) -> AsyncIterator[Mapping[str, Unit]]:
            async with world.connected_fleet() as fleet:
                yield {address: fleet.unit(address) for address in addresses}

        found = await discover(clients, [GIVEN], list)
        imported = judged(found, draft_of(found, {}, name="geo"), generic_command, lambda _: known.known_links())
        world.plan = make_plan(imported.topology, [Phase.GEO])
        async with world.connected_fleet() as fleet:
            facts = await observe_for_preflight(fleet)
        report, findings = examine(world.plan, facts, known.known_links(), max_clusters=18)
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
