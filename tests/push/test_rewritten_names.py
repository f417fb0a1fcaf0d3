"""A push to units that rewrite the names of clusters: it goes on, and says what stands there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from geoplan.lab.device.geo import Cluster
from geoplan.lab.device.unit import Unit
from geoplan.live.findings import Mend, NoteKind
from geoplan.push.journal import histories
from geoplan.push.options import Options
from geoplan.push.records import Note
from geoplan.push.run import PushResult
from geoplan.topology.loader import load_topology
from geoplan.twin.loop import run_simulated
from geoplan.twin.script import Script
from tests.conftest import TOPOLOGIES
from tests.simulation.world import World

PLANNED = ["HA Pair 1", "HA Pair 2", "Standalone LoadMaster 1", "Standalone LoadMaster 2"]


@pytest.mark.parametrize(
    "rewrite",
    [lambda name: name.replace(" ", "_"), lambda name: name[:20], lambda name: name.replace(" ", "_")[:20]],
    ids=["blanks", "cut", "both"],
)
def test_push_to_units_that_rewrite_names_ends_well_and_says_so(rewrite: Callable[[str], str], tmp_path: Path) -> None:
    async def story() -> PushResult:
        world = World(Script(load_topology(TOPOLOGIES / "section-5.4.yaml"), "7.2.59.4", Options()), 1, tmp_path)
        put = world.network.geo.put_cluster

        def put_rewritten(unit: Unit, cluster: Cluster) -> None:
            put(unit, replace(cluster, name=rewrite(cluster.name)))

        world.network.geo.put_cluster = put_rewritten  # type: ignore[method-assign]
        return await world._push(resume=False, kill_after=None)

    result = run_simulated(story())
    rewritten = {name for name in PLANNED if rewrite(name) != name}
    records = [record for each in histories(tmp_path) for record in each.records]
    notes = [record for record in records if isinstance(record, Note) and record.kind is NoteKind.NAME_REWRITTEN]
    assert len(notes) == len(rewritten)
    assert all(any(f"'{name}' as '{rewrite(name)}'" in note.message for note in notes) for name in rewritten)
    assert {each.values for each in result.report.differences} == {(rewrite(name),) for name in rewritten}
    assert {each.mends for each in result.report.differences} == {Mend.BY_HAND}
    assert result.report.is_configured
