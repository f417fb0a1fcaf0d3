"""What a README gives to copy works: the hook of pre-commit, and the workflow for pull requests."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT, TOPOLOGIES, Geoplan

README = (ROOT / "geoplan" / "cli" / "README.md").read_text()
BIN = Path(sys.executable).parent


def yaml_under(heading: str) -> Any:
    section = README.split(f"\n### {heading}\n")[1]
    (block, *_) = re.findall(r"^```yaml\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return yaml.safe_load(block)


def hooks() -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    return loaded


@pytest.mark.parametrize("hook", hooks(), ids=lambda hook: hook["id"])
def test_hook_is_run_with_the_files_behind_its_entry(hook: dict[str, Any], geoplan: Geoplan, tmp_path: Path) -> None:
    faulty = tmp_path / "faulty.yaml"
    faulty.write_text("sites: 1\n")
    program, *words = shlex.split(hook["entry"])

    assert (program, hook["language"]) == ("geoplan", "python")
    assert geoplan(*words, TOPOLOGIES / "section-5.4.yaml", TOPOLOGIES / "fleet.yaml").code == 0
    assert geoplan(*words, TOPOLOGIES / "section-5.4.yaml", faulty).code == 1


def test_hook_of_the_readme_is_there() -> None:
    (repo,) = yaml_under("Before each commit")["repos"]

    assert {hook["id"] for hook in repo["hooks"]} <= {hook["id"] for hook in hooks()}
    assert all(re.search(hook["files"], "topologies/section-5.4.yaml") for hook in repo["hooks"])


def run_of_workflow(folder: Path) -> list[subprocess.CompletedProcess[str]]:
    """Run geoplan's steps of the workflow as GitHub Actions does, up to the first that fails."""
    (job,) = yaml_under("A pull request")["jobs"].values()
    steps = [step["run"] for step in job["steps"] if step.get("run", "").startswith("geoplan ")]
    ended: list[subprocess.CompletedProcess[str]] = []
    for step in steps:
        ended.append(
            subprocess.run(
                ["bash", "-e", "-c", step],
                cwd=folder,
                env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"},
                capture_output=True,
                text=True,
                check=False,
            )
        )
        if ended[-1].returncode:
            break
    return ended


def test_workflow_has_the_plan_of_all_files_for_its_comment(tmp_path: Path) -> None:
    (tmp_path / "topologies").mkdir()
    for name in ("section-5.3", "section-5.4"):
        shutil.copy(TOPOLOGIES / f"{name}.yaml", tmp_path / "topologies")

    ended = run_of_workflow(tmp_path)

    assert [each.returncode for each in ended] == [0, 0]
    assert re.findall("^## (.*)$", (tmp_path / "plan.md").read_text(), re.MULTILINE) == [
        "pair-and-standalone",
        "two-pairs-two-standalones",
    ]


def test_workflow_ends_at_a_fault_and_shows_its_line(tmp_path: Path) -> None:
    (tmp_path / "topologies").mkdir()
    shutil.copy(ROOT / "tests/topology/malformed/master-is-slave.yaml", tmp_path / "topologies" / "x.yaml")

    (checked,) = run_of_workflow(tmp_path)

    assert checked.returncode == 1
    assert checked.stdout.startswith("::error file=topologies/x.yaml,line=3,col=42,")


def test_workflow_has_no_more_rights_than_it_uses() -> None:
    workflow = yaml_under("A pull request")

    assert list(workflow[True]) == ["pull_request"]  # YAML 1.1 reads the key so
    assert workflow["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert "secrets." not in README
