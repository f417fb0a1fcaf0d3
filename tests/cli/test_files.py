"""Files that a command reads and writes."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

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


TWO_ON_STDIN = [
    ["compare", "-", "/dev/stdin"],
    ["push", "-", "--credentials", "-"],
    ["push", EXAMPLE, "--credentials", "-", "--endpoints", "-"],
    ["push", "-", "--plan", "-"],
    ["diff", EXAMPLE, "--ca-file", "/dev/fd/0", "--endpoints", "-"],
    ["trust", "-", "--endpoints", "-"],
]


@pytest.mark.parametrize("arguments", TWO_ON_STDIN, ids=lambda words: " ".join(map(str, words[:1] + words[2:])))
def test_two_files_on_standard_input_are_wrong_usage(geoplan: Geoplan, arguments: list[str | Path]) -> None:
    ended = geoplan(*arguments, stdin="sites: []")
    assert (ended.code, ended.stdout) == (2, "")
    assert "cannot both be standard input" in ended.stderr


def in_shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    script = command.replace("geoplan", f"{sys.executable} -m geoplan")
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, cwd=folder)


@pytest.mark.parametrize(
    "command",
    [
        "geoplan plan --format lists {example} -o /dev/stdout",
        "geoplan plan --format lists {example} -o /dev/stdout >> out; cat out",
        "geoplan plan --format lists {example} -o >(cat > out); wait $!; cat out",
        "geoplan plan --format lists {example} -o /dev/fd/3 3> out; cat out",
        "geoplan plan --format lists /dev/stdin < {example}",
        "cat {example} | geoplan plan --format lists /dev/stdin",
        "geoplan plan --format lists <(cat {example})",
    ],
)
def test_what_the_shell_names_under_dev_is_read_and_written(tmp_path: Path, command: str) -> None:
    usual = in_shell(f"geoplan plan --format lists {EXAMPLE}", tmp_path)
    ended = in_shell(command.format(example=EXAMPLE), tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == usual.stdout


def test_output_appended_by_the_shell_leaves_what_was_there(tmp_path: Path) -> None:
    ended = in_shell(f"echo first > out; geoplan plan {EXAMPLE} -o /dev/stdout >> out; head -1 out", tmp_path)
    assert ended.stdout == "first\n"


@pytest.mark.parametrize("option", ["--credentials", "--endpoints", "--ca-file", "--plan"])
def test_pipe_behind_a_link_is_refused_for_every_file(geoplan: Geoplan, tmp_path: Path, option: str) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    lab = tmp_path / "lab.yaml"
    lab.write_text("control: http://127.0.0.1:9\nunits: {172.24.1.5: {}}\n")  # whose units are not all there
    more = [] if option in ("--endpoints", "--plan") else ["--endpoints", lab]
    ended = geoplan("push", EXAMPLE, option, tmp_path / "link", *more, "--only-preflight")
    assert ended.code == 2
    assert "it is a pipe, and no regular file" in ended.stderr
    assert "- for standard input" in ended.stderr
