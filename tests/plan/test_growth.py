"""Work and memory grow linearly with what is written; counted, so that a busy machine changes nothing."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType

from geoplan import Topology, make_plan
from geoplan.plan.change import make_change
from geoplan.render import json as json_format
from geoplan.topology.loader import check_text
from tests.topologies import large_topology

SMALL, LARGE = 100, 400


def calls_made_by(work: Callable[[], object]) -> int:
    """Count the calls of functions, of Python's own and of built-in ones."""
    count = 0

    def profiler(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(profiler)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def load(sites: int) -> Topology:
    checked = check_text(large_topology(sites).encode(), path="large.yaml", default_name="large")
    assert checked.topology is not None
    return checked.topology


def growth(work: Callable[[int], object]) -> float:
    """Return how many times more calls four times the sites take."""
    work(SMALL)  # what is built on first use does not count
    return calls_made_by(lambda: work(LARGE)) / calls_made_by(lambda: work(SMALL))


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
