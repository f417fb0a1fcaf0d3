"""Work and memory grow linearly with what is written; counted, so that a busy machine changes nothing."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

from geoplan import Topology, make_plan
from geoplan.plan.change import make_change
from geoplan.render import json as json_format
from geoplan.topology.loader import check_text
from geoplan.topology.part import each_group
from tests.growth import growth_of_calls
from tests.topologies import large_topology

SMALL, LARGE = 100, 400


def load(sites: int) -> Topology:
    checked = check_text(large_topology(sites).encode(), path="large.yaml", default_name="large")
    assert checked.topology is not None
    return checked.topology


def growth(work: Callable[[int], object]) -> float:
    """Return how many times more calls four times the sites take."""
    return growth_of_calls(work, small=SMALL, large=LARGE)


def test_work_of_loading_grows_with_the_sites() -> None:
    assert growth(load) < 1.1 * LARGE / SMALL


def test_work_of_planning_grows_with_the_sites() -> None:
    topologies = {sites: load(sites) for sites in (SMALL, LARGE)}
    # A topological sort by places keeps a heap: linear but for a logarithm.
    assert growth(lambda sites: make_plan(topologies[sites])) < 1.3 * LARGE / SMALL


def test_work_of_planning_a_change_grows_with_the_sites() -> None:
    def change(sites: int) -> object:
        old, new = ends[sites]
        return make_change(new, old)

    ends = {}
    for sites in (SMALL, LARGE):
        whole, quarter = load(sites), sites // 4
        old, new = (
            whole.model_copy(update={"sites": part}) for part in (whole.sites[quarter:], whole.sites[:-quarter])
        )
        ends[sites] = make_plan(old), new  # a quarter leaves, and another one joins
    assert growth(change) < 1.3 * LARGE / SMALL


def test_work_of_planning_each_group_alone_grows_with_the_groups() -> None:
    def plan_each(groups: int) -> object:
        return [make_plan(part) for _, part in each_group(of_groups(groups))]

    assert growth_of_calls(plan_each, small=50, large=200) < 1.3 * 200 / 50


def of_groups(number: int) -> Topology:
    sites = [{"name": f"A{each}", "standalone": f"10.0.{each // 250}.{each % 250 + 1}"} for each in range(2 * number)]
    groups = {f"g{each}": [f"A{2 * each}", f"A{2 * each + 1}"] for each in range(number)}
    return Topology.model_validate({"sites": sites, "groups": groups})


def test_work_of_rendering_grows_with_the_sites() -> None:
    plans = {sites: make_plan(load(sites)) for sites in (SMALL, LARGE)}
    assert growth(lambda sites: json_format.render(plans[sites])) < 1.1 * LARGE / SMALL


def test_memory_grows_with_what_is_written() -> None:
    topology = load(LARGE)
    written = len(json_format.render(make_plan(topology)))
    tracemalloc.start()
    try:
        json_format.render(make_plan(topology))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * written
