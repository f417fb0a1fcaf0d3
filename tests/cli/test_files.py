"""Files that a command reads and writes."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from geoplan import Plan
from tests.conftest import TOPOLOGIES, Geoplan

EXAMPLE = TOPOLOGIES / "section-5.4.yaml"


def test_output_file_is_replaced_as_a_whole(geoplan: Geoplan, tmp_path: Path) -> None:
    target = tmp_path / "plan.json"
    target.write_text("old")
    target.chmod(0o640)
    outcome = geoplan("plan", EXAMPLE, "--format", "json", "-o", target)

    assert outcome == (0, "", "")
    assert Plan.model_validate_json(target.read_text())
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]


def test_new_output_file_has_the_usual_permissions(geoplan: Geoplan, tmp_path: Path) -> None:
    target = tmp_path / "plan.txt"
    mask = os.umask(0o027)
    try:
        geoplan("plan", EXAMPLE, "-o", target)
    finally:
        os.umask(mask)

    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_output_through_a_link_keeps_the_link(geoplan: Geoplan, tmp_path: Path) -> None:
    target, link = tmp_path / "plan.txt", tmp_path / "link.txt"
    target.write_text("old")
    link.symlink_to(target)
    geoplan("plan", EXAMPLE, "-o", link)

    assert link.is_symlink()
    assert target.read_text() != "old"


def test_output_into_a_folder_that_is_not_there(geoplan: Geoplan, tmp_path: Path) -> None:
    outcome = geoplan("plan", EXAMPLE, "-o", tmp_path / "nowhere" / "plan.txt")

    assert outcome.code == 2
    assert "cannot write" in outcome.stderr
    assert "nothing was changed" in outcome.stderr


def test_output_of_a_faulty_topology_leaves_the_file_alone(geoplan: Geoplan, tmp_path: Path) -> None:
    target = tmp_path / "plan.txt"
    target.write_text("old")

    assert geoplan("plan", "-", "-o", target, stdin="sites: 1").code == 2
    assert target.read_text() == "old"


def test_topology_is_never_replaced_by_its_own_plan(geoplan: Geoplan, tmp_path: Path) -> None:
    topology = tmp_path / "topology.yaml"
    topology.write_text(EXAMPLE.read_text())
    (tmp_path / "link.yaml").symlink_to(topology)

    for output in (topology, tmp_path / "link.yaml"):
        outcome = geoplan("plan", topology, "--format", "yaml", "-o", output)
        assert outcome.code == 2
        assert "is the file that is read" in outcome.stderr
    assert topology.read_text() == EXAMPLE.read_text()


def test_standard_input_is_called_stdin_everywhere(geoplan: Geoplan) -> None:
    assert geoplan("check", "-", stdin="sites: 1").stdout.endswith("stdin: 1 error\n")
    assert geoplan("compare", EXAMPLE, "-", stdin="A").stderr.startswith("stdin:1:1: error: GEO602 ")
