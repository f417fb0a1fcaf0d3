"""A file is written so that the loader reads the same again, with each comment at its place."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from geoplan import Topology
from geoplan.topology.loader import check_text
from geoplan.topology.writer import topology_text
from geoplan.yaml12 import Loc, read_document
from tests.topologies import topologies


@given(topology=topologies(max_sites=8), comment=st.text(max_size=500))
def test_any_topology_comes_back_equal_whatever_is_said_of_it(topology: Topology, comment: str) -> None:
    content = topology.model_dump(exclude_none=True, exclude_unset=True, mode="json")
    locs: list[Loc] = [(), ("sites",), ("sites", 0), ("sites", 0, "ha_pair", "slave"), ("sites", 0, "standalone")]
    locs += [("groups", name) for name in topology.groups or ()]
    text = topology_text(content, {loc: [comment, "second"] for loc in locs})
    checked = check_text(text.encode(), path="new", default_name="x")
    assert checked.topology == topology, (text, checked.diagnostics)


def test_comment_stands_on_the_lines_before_what_is_at_its_place() -> None:
    site = {"name": "A", "ha_pair": {"master": {"address": "10.0.0.1"}, "slave": {"address": "10.0.0.2"}}}
    content = {"name": "x", "sites": [site, {"name": "B", "standalone": {"address": "10.0.0.3"}}]}
    locs: list[Loc] = [("sites", 0), ("sites", 0, "ha_pair", "slave"), ("sites", 1)]
    text = topology_text(content, {loc: [f"at {number}"] for number, loc in enumerate(locs)})
    lines, document = text.splitlines(), read_document(text)
    for number, loc in enumerate(locs):
        assert lines[document.place_of(loc).line - 1].strip() == f"# at {number}"
