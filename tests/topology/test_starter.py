"""The first file says what was asked for, whatever the names."""

from __future__ import annotations

import yaml
from hypothesis import given
from hypothesis import strategies as st

from geoplan import Topology
from geoplan.topology.loader import check_text
from geoplan.topology.starter import StarterSite, starter_file
from geoplan.vendor import MAX_CLUSTERS
from tests.topologies import topologies


@given(topology=topologies(max_sites=MAX_CLUSTERS))
def test_file_of_any_topology_is_that_topology(topology: Topology) -> None:
    sites = [StarterSite(site.name, tuple(unit.address for unit in site.units)) for site in topology.sites]
    groups = {name: list(members) for name, members in (topology.groups or {}).items()}
    checked = check_text(starter_file(topology.name, sites, groups).encode(), path="new", default_name="x")
    assert checked.topology is not None, checked.diagnostics
    made = checked.topology
    assert [StarterSite(site.name, tuple(unit.address for unit in site.units)) for site in made.sites] == sites
    assert {name: list(members) for name, members in (made.groups or {}).items()} == groups
    assert made.name == topology.name


@given(name=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=30))
def test_names_are_the_same_to_every_reader_of_yaml(name: str) -> None:
    written = starter_file(name, [StarterSite(name, ("10.0.0.1",))], {name: [name]})
    read = yaml.safe_load(written)
    assert read == {"name": name, "sites": [{"name": name, "standalone": "10.0.0.1"}], "groups": {name: [name]}}


def test_every_comment_with_keys_is_right_where_it_is_taken_out() -> None:
    """What the comments show can be used as it stands."""
    written = starter_file("geo", [StarterSite("A", ("10.0.0.1", "10.0.0.2")), StarterSite("B", ("10.0.0.3",))])
    text = written.replace("# health_check_port", "health_check_port").replace("# api_port", "api_port")
    text = text.replace("# groups:\n#   europe: [A]", "groups:\n  europe: [A]\n  other: [B]")
    text = text.replace("standalone: 10.0.0.3\n", "standalone: UNIT\n    CLUSTER\n    EXTRA\n")
    for mark, key in (("UNIT", "#   {address"), ("CLUSTER", "#   cluster"), ("EXTRA", "#   extra_remote")):
        comment = next(line for line in text.splitlines() if line.startswith(key))
        text = text.replace(mark, comment.removeprefix("#   "))
    checked = check_text(text.encode(), path="new", default_name="x")
    assert checked.topology is not None, checked.diagnostics
    assert checked.topology.health_check_port == 8444
    assert checked.topology.sites[1].cluster is not None
    assert set(checked.topology.groups or {}) == {"europe", "other"}
