"""No input gives a traceback."""

from __future__ import annotations

import string

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.diagnostics import as_json, as_text
from geoplan.plan.planner import make_plan
from geoplan.topology.loader import check_text
from geoplan.topology.model import Topology

KEYS = [*Topology.model_fields, "ha_pair", "standalone", "master", "slave", "address", "nat_address", "api", "firmware"]
KEYS += ["cluster", "location", "latitude", "longitude", "max_clusters", "boot_seconds", "extra_remote_geo_access"]
KEYS += ["preferred_host", "password", "<<", "sits", "1", ""]
WORDS = [
    "A",
    "B",
    "a",
    "172.24.1.5",
    "172.24.1.6",
    "::1",
    "2001:db8::1",
    "10.0.0.0/8",
    "none",
    "7.2.59.4",
    "NO",
    "~",
    "8444",
]

scalars = (
    st.sampled_from([*WORDS, None, True, 0, -1, 18, 8444, 1.5, float("nan"), float("inf"), 10**40])
    | st.text(max_size=10)
    | st.ip_addresses().map(str)
)
keys = st.sampled_from(KEYS) | st.text(max_size=4)
trees = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=4), inner, max_size=5)
    ),
    max_leaves=25,
)
sites = st.fixed_dictionaries(
    {"name": st.sampled_from(["A", "B", "C"]) | scalars},
    optional={
        "ha_pair": st.fixed_dictionaries({"master": scalars | trees, "slave": scalars}) | trees,
        "standalone": scalars | trees,
        "cluster": trees,
    },
)
topologies = st.fixed_dictionaries(
    {"sites": st.lists(sites, max_size=4) | trees},
    optional={"groups": trees, "limits": trees, "timing": trees, "name": scalars},
)


def must_not_fail(content: bytes) -> None:
    checked = check_text(content, path="fuzz.yaml", default_name="fuzz")
    assert checked.topology is not None or checked.diagnostics
    as_text(checked.diagnostics).encode()
    as_json(checked.diagnostics)
    for diagnostic in checked.diagnostics:
        assert diagnostic.line is not None
        assert diagnostic.line >= 1
    if checked.topology:
        make_plan(checked.topology)


@settings(max_examples=300)
@given(topologies)
def test_anything_shaped_like_a_topology(document: object) -> None:
    must_not_fail(yaml.safe_dump(document, allow_unicode=True, sort_keys=False).encode(errors="surrogatepass"))


@given(trees)
def test_any_yaml(document: object) -> None:
    must_not_fail(yaml.safe_dump(document).encode())


@settings(max_examples=300)
@given(st.text(alphabet=string.ascii_lowercase + "0123456789:-,.&*!|>%@`'\"{}[]#?~<\\ \n\t", max_size=80))
def test_any_text(text: str) -> None:
    must_not_fail(text.encode())


@given(st.binary(max_size=60))
def test_any_bytes(content: bytes) -> None:
    must_not_fail(content)


@given(topologies, st.data())
def test_damaged_files(document: object, data: st.DataObject) -> None:
    content = bytearray(yaml.safe_dump(document, sort_keys=False).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    must_not_fail(bytes(content))
