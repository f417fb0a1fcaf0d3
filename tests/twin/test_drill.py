"""A drill on the twin of live units: it goes as theirs would, by what they told, and says what they did not tell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import pytest

from geoplan.live.model import Observation, Observations, State
from geoplan.plan.drill import make_drill
from geoplan.topology.loader import load_topology
from geoplan.topology.model import Topology
from geoplan.twin.drill import DrillForecast, forecast_drill
from geoplan.twin.snapshot import Snapshot
from tests.conftest import TOPOLOGIES

BOOT, SYNC = 40.0, 5.0
ON_ITS_WAY = 0.1  # seconds that the reboot may take to its unit
M1, S1, M2, S2, ALONE = "10.0.1.1", "10.0.1.2", "10.0.2.1", "10.0.2.2", "10.0.3.1"


def estate(preferred: Literal["master", "none"] = "master") -> Topology:
    pairs = [("A", M1, S1), ("B", M2, S2)]
    sites: list[dict[str, Any]] = [
        {"name": name, "ha_pair": {"master": master, "slave": slave, "preferred_host": preferred}}
        for name, master, slave in pairs
    ]
    sites.append({"name": "C", "standalone": ALONE})
    return Topology.model_validate({"sites": sites, "timing": {"boot_seconds": BOOT, "sync_seconds": SYNC}})


def forecast(
    of: Topology, pair: str = "A", *, back: bool = False, told: dict[str, dict[str, Any]] | None = None
) -> DrillForecast:
    """Drill a pair on the twin of units that hold the plan, of which some told otherwise."""
    drill = make_drill(of, pair, back=back)
    facts = {}
    for site in drill.sites:
        for unit in site.units:
            state = {"master": State.ACTIVE, "slave": State.STANDBY, "standalone": None}[unit.role]
            status = dict.fromkeys(site.geo_partners, True) if state is not State.STANDBY else None
            lists = (site.remote_geo_access, site.geo_partners)
            seen = Observation(unit.address, site.name, unit.role, state, remote_geo_access=lists[0])
            facts[unit.address] = replace(seen, geo_partners=lists[1], partner_status=status)
    for address, otherwise in (told or {}).items():
        facts[address] = replace(facts[address], **otherwise)
    return forecast_drill(Snapshot(of, drill, Observations(facts)), drill)


@pytest.mark.parametrize(
    ("preferred", "back", "active"), [("master", False, M1), ("none", False, S1), ("none", True, M1)]
)
def test_it_takes_as_long_as_the_topology_says(preferred: Any, back: bool, active: str) -> None:
    made = forecast(estate(preferred), back=back)

    assert made.is_well
    assert made.report is not None
    first, *more = made.report.failovers
    assert (first.rebooted, first.took_over, len(more)) == (M1, S1, int(back))
    assert made.report.active == active
    assert first.back is not None
    assert first.back.seconds is not None
    assert BOOT <= first.back.seconds <= BOOT + made.report.at_most_late + ON_ITS_WAY
    assert [link.site for link in first.links] == ["B", "C"]
    assert made.verdict == "'A' stayed in GEO: 2 partner sites saw it, and it saw them"


@pytest.mark.parametrize("name", ["aws-dublin-ohio", "three-regions", "section-5.1"])
def test_places_nat_and_parts_of_a_topology_are_as_planned(name: str) -> None:
    of = load_topology(TOPOLOGIES / f"{name}.yaml")
    pair = next(site.name for site in of.sites if site.ha_pair)

    assert forecast(of, pair).problems == ()
    assert forecast(of, pair).is_well


def test_a_slave_that_partners_show_red_is_refused_there_as_well() -> None:
    red: dict[str, dict[str, Any]] = {unit: {"partner_status": {M1: True, S1: False}} for unit in (M2, ALONE)}
    made = forecast(estate(), told=red)

    assert not made.is_well
    assert made.report is None
    assert "nothing rebooted" in made.verdict
    assert any("red" in problem for problem in made.problems)


def test_links_that_nobody_told_are_taken_as_there_and_named() -> None:
    untold: dict[str, dict[str, Any]] = {unit: {"partner_status": None} for unit in (M1, M2, ALONE)}
    made = forecast(estate(), told=untold)

    assert made.is_well
    assert any(S1 in note and "not told" in note for note in made.notes)


def test_the_slave_that_is_active_goes_back() -> None:
    states: dict[str, dict[str, Any]] = {
        M1: {"state": State.STANDBY, "partner_status": None},
        S1: {"state": State.ACTIVE},
    }
    made = forecast(estate("none"), back=True, told=states)

    assert made.report is not None
    assert [(each.rebooted, each.took_over) for each in made.report.failovers] == [(S1, M1)]
