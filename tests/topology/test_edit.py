"""A file keeps all that an edit does not touch, and says what its content says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoplan import Topology
from geoplan.topology.edit import Inserted, edited
from geoplan.topology.loader import check_text
from geoplan.topology.types import is_name
from geoplan.topology.writer import topology_text
from tests.topologies import topologies

MINE = """\
# ours, see the wiki
name: mine   # of the north
sites:
  # the oldest
  - name: NO   # Norway
    ha_pair: {master: 10.0.0.1, slave: 10.0.0.2}   # both in the cellar

  - name: "B # x"
    standalone:
      address: 2001:10:20:30:40:50:10:20 # v6
  - {name: 2024, standalone: 10.0.0.9, cluster: {location: {latitude: 1e1, longitude: 0x10}}}
groups:
    g: [NO,
        "B # x"]   # end
    h: ['2024']
"""


def nothing(_document: Any) -> None:
    """Change nothing."""


def test_what_is_not_edited_stays_but_for_how_it_is_indented() -> None:
    content, text = edited(MINE, nothing)
    assert [line.split() for line in text.splitlines()] == [
        line.split() for line in MINE.replace("[NO,\n        ", "[NO, ").splitlines()
    ]
    assert content["sites"][0]["name"] == "NO"


@pytest.mark.parametrize(
    "name", ["NO", "1e3", "a: b", "# x", "2001:10:20:30:40:50:10:20", "é", "{", "~", "1_000", "0o17"]
)
def test_names_that_are_put_in_come_out_again(name: str) -> None:
    def add(document: Any) -> None:
        document["sites"].append({"name": f"{name}.", "standalone": {"address": "10.0.0.10", "firmware": "7.2.59.4"}})
        document["groups"]["new"] = [f"{name}."]

    _, text = edited(MINE, add)
    checked = check_text(text.encode(), path="x", default_name="x")
    assert checked.topology is not None
    assert checked.topology.sites[-1].name == f"{name}."
    assert "    standalone: {address: 10.0.0.10, firmware: 7.2.59.4}" in text.splitlines()


@given(name=st.text(min_size=1, max_size=30).filter(is_name))
def test_any_name_is_put_into_any_kind_of_list(name: str) -> None:
    def add(document: Any) -> None:
        document["sites"].append({"name": f"{name}0", "standalone": "10.0.0.10"})
        document["groups"]["g"].append(Inserted(f"{name}0"))

    _, text = edited(MINE, add)
    checked = check_text(text.encode(), path="x", default_name="x")
    assert checked.topology is not None
    assert (checked.topology.groups or {})["g"][-1] == checked.topology.sites[-1].name == f"{name}0"


@given(topology=topologies(max_sites=5), name=st.text(min_size=1, max_size=20).filter(is_name))
def test_any_file_of_ours_can_be_edited(topology: Topology, name: str) -> None:
    text = topology_text(topology.model_dump(exclude_none=True, exclude_unset=True, mode="json"))

    def call(document: Any) -> None:
        document["name"] = name

    content, written = edited(text, call)
    assert content["name"] == name
    checked = check_text(written.encode(), path="x", default_name="x")
    assert checked.topology is not None
    assert checked.topology.model_copy(update={"name": topology.name}) == topology
