"""Topologies to draw, with names that every format could stumble over."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import strategies as st

from geoplan import Plan, Topology, make_plan

HOSTILE_NAMES = (
    "<script>alert(1)</script>",
    "</svg><img src=x onerror=alert(1)>",
    "| x |",
    "`y`",
    "```",
    '"quotes"',
    "'single'",
    "a --> b",
    "a -- b",
    "end",
    "graph",
    "subgraph",
    "default",
    "%%{init: {}}%%",
    "%% comment",
    "back\\slash\\n",
    "ends in \\",
    "#quot;",
    "#35;",
    "ﬂ°°35¶ß",
    "]]>",
    "<![CDATA[x]]>",
    "&amp;",
    "&#60;b&#62;",
    "<b>x</b>",
    "<br/>",
    "{{ 7 * 7 }}",
    "[(x)]",
    "1. one",
    "- one",
    "# one",
    "***x*** _y_ ~~z~~",
    "[x](y)",
    "$$x^2$$",
    "$$$$",
    "style:#x;",
    "classDef:#x;",
    ":::hub",
    "fa:fa-car",
    "two  spaces",
    "W" * 64,
    "東京リージョン" * 9,
    "مرحبا بالعالم",
    "👩‍👩‍👧‍👦 family",
    "e\u0301\u0301 combined",
    "no\u00a0break",
    "noncharacters \uffff\ufffe",
    "a long name of many words that has to be broken, even twice",
)


def site(name: str, number: int, *, pair: bool, nat: bool = False, ipv6: bool = False) -> dict[str, Any]:
    """Return a site as a topology file writes it; the number makes its addresses its own."""
    prefix = f"2001:db8:1234:5678:9abc:def0:{number + 4096:x}:100" if ipv6 else f"10.{number}.200.10"
    units: list[dict[str, str]] = [{"address": f"{prefix}{unit}"} for unit in (1, 2)]
    if nat:
        units[0]["nat_address"] = f"203.0.113.{number}"
    if pair:
        return {"name": name, "ha_pair": {"master": units[0], "slave": units[1]}}
    return {"name": name, "standalone": units[0]}


def plan_of(sites: list[dict[str, Any]], groups: dict[str, list[str]] | None = None, name: str = "drawn") -> Plan:
    """Plan sites, however many."""
    limits = {"max_clusters": max(len(sites), 1)}
    return make_plan(Topology.model_validate({"name": name, "sites": sites, "groups": groups, "limits": limits}))


def plan_of_size(count: int, pairs: int) -> Plan:
    """Plan so many sites with short names."""
    return plan_of([site(f"Site {number}", number, pair=number <= pairs) for number in range(1, count + 1)])


def hostile_plan() -> Plan:
    """Plan a group of sites with hostile names, half of them pairs, and a group for each name with one site."""
    numbers = range(len(HOSTILE_NAMES))
    sites = [site(name, number + 1, pair=number % 2 == 0) for number, name in enumerate(HOSTILE_NAMES)]
    lone = [site(f"Lone {number}", number + 100, pair=False, nat=True) for number in numbers]
    groups = {f"{name}!"[-64:]: [f"Lone {number}"] for number, name in enumerate(HOSTILE_NAMES)}
    return plan_of(sites + lone, {"all": list(HOSTILE_NAMES), **groups}, '<script>"`x`|-->\\')


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Draw a plan of 1 to 40 sites with names of all lengths, in up to five groups."""
    letters = st.sampled_from(" ilWm@Aé東京リ👩\u0301\u200d<&\"'`|#%\\$-.,0")
    count = draw(st.integers(1, 40))
    sites = []
    for number in range(1, count + 1):
        name = draw(st.text(letters, max_size=60)).strip() + str(number)
        pair, nat, ipv6 = (draw(st.booleans()) for _ in range(3))
        sites.append(site(name, number, pair=pair, nat=nat, ipv6=ipv6))
    groups: dict[str, list[str]] | None = None
    if draw(st.booleans()):
        groups = {}
        for entry in sites:
            name = draw(st.sampled_from(["lab", "Europe", "W" * 64, "大阪" * 20, "a b " * 10 + "c"]))
            groups.setdefault(name, []).append(entry["name"])
    return plan_of(sites, groups)


def require(found: object, what: str, variable: str) -> None:
    """Skip a test where a program is not installed, or fail where a variable says that it has to be."""
    if found:
        return
    if os.environ.get(variable) == "1":
        pytest.fail(f"{what} is not installed, and {variable}=1 asks for it")
    pytest.skip(f"{what} is not installed")
