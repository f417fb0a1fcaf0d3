"""The picture as Mermaid, read by Mermaid's own parser.

It runs under Node: ``npm install --prefix tests/mermaid`` once.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from functools import cache
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from geoplan import Plan, load_topology, make_plan
from geoplan.render.diagram import mermaid
from geoplan.render.diagram.svg import xml_text
from tests.conftest import ROOT, TOPOLOGIES
from tests.render.pictures import HOSTILE_NAMES, hostile_plan, plan_of_size, require

PROJECT = ROOT / "tests" / "mermaid"
COUNTS = (1, 2, 3, 4, 18, 40)
EXAMPLES = sorted(TOPOLOGIES.glob("*.yaml"))


@cache
def plans() -> dict[str, Plan]:
    return {
        **{path.stem: make_plan(load_topology(path)) for path in EXAMPLES},
        **{f"{count} sites": plan_of_size(count, count // 2) for count in COUNTS},
        "hostile": hostile_plan(),
    }


@cache
def answers() -> dict[str, Any]:
    """Return what Mermaid finds in each picture; it takes a second to start, so it is asked once."""
    texts = [mermaid.render(plan) for plan in plans().values()]
    result = subprocess.run(
        ["node", PROJECT / "check.mjs"], input=json.dumps(texts).encode(), capture_output=True, check=False, timeout=120
    )
    assert result.returncode == 0, result.stderr.decode()
    return dict(zip(plans(), json.loads(result.stdout), strict=True))


def parsed(name: str) -> tuple[Plan, dict[str, Any]]:
    require(shutil.which("node"), "Node", "GEOPLAN_REQUIRE_MERMAID")
    require((PROJECT / "node_modules" / "mermaid").is_dir(), "Mermaid (npm)", "GEOPLAN_REQUIRE_MERMAID")
    return plans()[name], answers()[name]


def read(label: str) -> str:
    """Return a label's text without line breaks and without the joiners that part what Mermaid would act on."""
    return label.replace("\n", "").replace("\u2060", "")


@pytest.mark.parametrize("stem", ["section-5.3", "section-5.4", "three-regions"])
def test_mermaid(stem: str, snapshot: SnapshotAssertion) -> None:
    assert mermaid.render(make_plan(load_topology(TOPOLOGIES / f"{stem}.yaml"))) == snapshot


@pytest.mark.parametrize(
    "name", [*(path.stem for path in EXAMPLES), *(f"{count} sites" for count in COUNTS), "hostile"]
)
def test_mermaid_reads_every_name_and_address_unchanged(name: str) -> None:
    plan, answer = parsed(name)
    assert "error" not in answer
    labels = {read(label) for label in answer["nodes"]} - {"partners, all with all"}
    assert labels == {
        xml_text(site.name)
        + "".join(
            ("" if unit.role == "standalone" else f"{unit.role} ")
            + unit.address
            + (f"(NAT {unit.nat_address})" if unit.nat_address else "")
            for unit in site.units
        )
        for site in plan.sites
    }


def test_mermaid_reads_names_of_groups_unchanged() -> None:
    plan, answer = parsed("hostile")
    assert {read(title) for title in answer["groups"]} == {xml_text(group.name) for group in plan.groups}


@pytest.mark.parametrize(("count", "lines"), [(1, 0), (2, 1), (3, 3), (4, 4), (18, 18), (40, 40)])
def test_sites_are_joined_one_by_one_while_that_is_readable(count: int, lines: int) -> None:
    _, answer = parsed(f"{count} sites")
    assert answer["edges"] == lines
    assert ("partners, all with all" in answer["nodes"]) == (count > 3)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_no_sign_of_a_name_is_left_for_mermaid_markdown_or_html(name: str) -> None:
    assert re.fullmatch(r"(?:[^\W_]|[ ,.()-]|#\d+;)*", mermaid._escaped(name))


@pytest.mark.parametrize("sequence", ["$$x$$", "fa:fa-car", "a\\nb"])
def test_what_mermaid_would_act_on_is_parted(sequence: str) -> None:
    assert "#8288;" in mermaid._escaped(sequence)
