"""Commands against many units from a process that may have few open files; the lab's are not limited."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.push.support import CREDENTIALS, PASSWORD, lab_for

GROUPS = 50
OPEN_FILES = 256  # what small machines allow a process from the start
COMMANDS = {"diff": 1, "status": 1, "trust": 0, "push --only-preflight": 0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Serve 50 groups of a pair and a standalone; yield the folder with the topology and the endpoints."""
    folder = tmp_path_factory.mktemp("many")
    numbers = range(GROUPS)
    pairs = [{"name": f"P{n}", "ha_pair": {"master": f"10.1.{n}.1", "slave": f"10.1.{n}.2"}} for n in numbers]
    standalones = [{"name": f"S{n}", "standalone": f"10.2.{n}.1"} for n in numbers]
    groups = {f"g{n}": [f"P{n}", f"S{n}"] for n in numbers}
    topology = folder / "many.yaml"
    topology.write_text(yaml.safe_dump({"sites": [*pairs, *standalones], "groups": groups}))
    with lab_for(topology) as lab:
        (folder / "lab.yaml").write_text(lab.endpoints.to_yaml())
        yield folder


def with_open_files(limit: int, folder: Path, words: str, *options: str) -> subprocess.CompletedProcess[str]:
    command, *more = words.split()
    arguments = [command, str(folder / "many.yaml"), "--endpoints", str(folder / "lab.yaml"), *more, *options]
    environment = {
        **os.environ,
        "GEOPLAN_USER": CREDENTIALS.user,
        "GEOPLAN_PASSWORD": PASSWORD,
        "GEOPLAN_STATE_DIR": str(folder / "state"),
    }
    limited = ["bash", "-c", f'ulimit -n {limit} && exec "$@"', "limited", sys.executable, "-m", "geoplan"]
    return subprocess.run([*limited, *arguments], capture_output=True, text=True, check=False, env=environment)


@pytest.mark.parametrize("words", COMMANDS)
def test_few_open_files_are_enough_for_many_units(folder: Path, words: str) -> None:
    ended = with_open_files(OPEN_FILES, folder, words)
    assert (ended.returncode, "too many" in ended.stderr) == (COMMANDS[words], False), ended.stderr
    assert "did not answer" not in ended.stdout
    assert "cannot connect" not in ended.stdout


@pytest.mark.parametrize("words", COMMANDS)
def test_limit_of_open_files_is_this_machines_and_no_units(folder: Path, words: str) -> None:
    ended = with_open_files(50, folder, words, "--jobs", "64")
    assert ended.returncode == 2
    error, hint = [line for line in ended.stderr.splitlines() if "preflight: asking" not in line]
    assert error == "geoplan: error: too many open files: that is this machine's own limit; no unit has failed"
    assert hint == "  hint: allow more with ulimit -n, or ask fewer units at once with --jobs"


def test_lab_that_needs_more_open_files_says_so(folder: Path) -> None:
    limited = ["bash", "-c", 'ulimit -n 64 && exec "$@"', "limited", sys.executable, "-m", "geoplan", "lab"]
    ended = subprocess.run([*limited, str(folder / "many.yaml")], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "too many open files: that is this machine's own limit" in ended.stderr
