"""Every malformed file, with exactly what is printed about it."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from geoplan import InvalidInputError, Topology
from geoplan.diagnostics import as_json, as_text
from geoplan.topology.codes import CODES
from geoplan.topology.loader import check_text, check_topology
from geoplan.topology.rules import RULES, require_well_formed
from geoplan.yaml12 import MAX_BYTES
from tests.conftest import Geoplan

FILES = sorted((Path(__file__).parent / "malformed").glob("*.yaml"))
UNUSABLE = [path for path in FILES if not path.stem.startswith("warning")]


@pytest.fixture(autouse=True)
def beside_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FILES[0].parent)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_report(path: Path, geoplan: Geoplan, snapshot: SnapshotAssertion) -> None:
    outcome = geoplan("check", path.name)

    assert outcome.stdout == snapshot
    assert outcome.stderr == ""
    assert outcome.code == (0 if path.stem.startswith("warning") else 1)


@pytest.mark.parametrize(
    "path", [path for path in FILES if not path.stem.startswith("warning")], ids=lambda path: path.stem
)
def test_plan_prints_the_same_and_exits_2(path: Path, geoplan: Geoplan) -> None:
    checked, planned = geoplan("check", path.name), geoplan("plan", path.name)

    assert planned.code == 2
    assert planned.stdout == ""
    assert checked.stdout.startswith(planned.stderr.removesuffix("\n"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_caret_stands_at_the_column_of_the_source(path: Path) -> None:
    lines = path.read_bytes().decode("utf-8-sig", errors="replace").splitlines()
    for diagnostic in check_topology(path.name).diagnostics:
        assert diagnostic.line is not None
        assert diagnostic.column is not None
        line = lines[diagnostic.line - 1] if lines else ""
        assert 0 <= diagnostic.column - 1 <= len(line)
        quoted = re.match(r"'([\w.:/\[\]]+)' (?:is|has) ", diagnostic.message)
        if quoted and diagnostic.code.startswith("GEO2"):
            assert line[diagnostic.column - 1 :].strip("'\"").startswith(quoted[1])


def test_every_code_has_a_malformed_file() -> None:
    shown = {diagnostic.code for path in FILES for diagnostic in check_topology(path).diagnostics}
    of_records_and_sizes = {"GEO001", "GEO601", "GEO602"}

    assert shown | of_records_and_sizes == set(CODES)
    assert set(RULES) < shown


def test_no_secret_is_printed(geoplan: Geoplan) -> None:
    with_secret = [path for path in FILES if b"hunter2" in path.read_bytes()]
    assert with_secret
    for path in with_secret:
        for arguments in (("check", path.name), ("check", path.name, "--format", "json"), ("plan", path.name)):
            outcome = geoplan(*arguments)
            assert "hunter2" not in outcome.stdout + outcome.stderr


def test_file_over_16_mib_is_refused_unread(tmp_path: Path, geoplan: Geoplan) -> None:
    path = tmp_path / "large.yaml"
    with path.open("wb") as file:
        os.truncate(file.fileno(), 40 * MAX_BYTES)

    outcome = geoplan("check", path)

    assert outcome.stdout.startswith(f"{path}:1:1: error: GEO001 the file is larger than 16 MiB\n")
    assert outcome.code == 1


def test_json_report(geoplan: Geoplan, snapshot: SnapshotAssertion) -> None:
    outcome = geoplan("check", "secret-before-fault-on-line.yaml", "--format", "json")

    assert outcome.stdout == snapshot
    assert outcome.code == 1


@pytest.mark.parametrize("name", ["password=hunter2", "O'Brien, secret: hunter2", "a:hunter2@b"])
@pytest.mark.parametrize(
    "text",
    [
        "sites:\n- {{name: {0}, standalone: 10.0.0.1}}\n- {{name: {0}, standalone: 10.0.0.2}}\n",
        "sites:\n- {{name: {0}, standalone: 10.0.0.1, ha_pair: {{master: 10.0.0.3, slave: 10.0.0.3}}}}\n",
        "sites:\n- {{name: {0}}}\n",
        "sites:\n- {{name: A, standalone: 10.0.0.1}}\ngroups: {{g: [A, {0}]}}\n",
        "sites:\n- {{name: A, standalone: 10.0.0.1}}\ngroups: {{{0}: [B, A, A]}}\n",
        "sites:\n- {{name: A, standalone: {0}}}\n",
        "sites:\n- {{name: A, standalone: 10.0.0.1, {0}: 1}}\n",
        "sites:\n- {{name: A, standalone: 10.0.0.1, {0}: 1, {0}: 2}}\n",
        "sites:\n- {{name: A, standalone: 10.0.0.1}}\ngroups: {{{0}: [A], {0}: [A]}}\n",
    ],
)
def test_no_diagnostic_quotes_what_its_line_masks(text: str, name: str) -> None:
    found = check_text(text.format(json.dumps(name)).encode(), path="x.yaml", default_name="x").diagnostics
    assert found
    assert "hunter2" not in as_text(found) + as_json(found)


def test_topology_of_a_program_is_told_without_what_a_line_would_mask() -> None:
    site = {"name": "password=hunter2", "standalone": "10.0.0.1"}
    topology = Topology.model_validate({"sites": [site, {**site, "standalone": "10.0.0.2"}]})
    with pytest.raises(InvalidInputError) as raised:
        require_well_formed(topology)
    assert "'password=********'" in str(raised.value)
    assert "hunter2" not in str(raised.value) + as_json(raised.value.diagnostics)
